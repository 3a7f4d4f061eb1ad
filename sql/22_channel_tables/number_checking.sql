create table if not exists retoma_internal.number_checking (
  channel_id int primary key references retoma_internal.channel (id) on delete cascade,
  asked_at timestamptz not null default '-infinity',
  next_at timestamptz not null default '-infinity',
  worked_at timestamptz not null default retoma.clock(),
  batch_id bigint,
  known int not null default 0,
  unanswered int not null default 0
);

comment on table retoma_internal.number_checking is
'The pace at which the provider of each channel is asked about numbers. The lock of a row is the turn of a runner.';
comment on column retoma_internal.number_checking.asked_at is
'When numbers were handed out for it that have no answer yet; -infinity: none are.';
comment on column retoma_internal.number_checking.next_at is
'Numbers are handed out again at this time; while some are handed out, when another runner may have them.';
comment on column retoma_internal.number_checking.worked_at is
'When a runner last found that the channel can be asked, up to 20 seconds late.';
comment on column retoma_internal.number_checking.batch_id is
'The batch whose numbers were last asked about. No foreign key: it only tells people.';
comment on column retoma_internal.number_checking.known is 'Of this batch, the numbers that were known then.';
comment on column retoma_internal.number_checking.unanswered is
'Questions since the last one that was answered. From 10 on, each number is asked about only once.';
