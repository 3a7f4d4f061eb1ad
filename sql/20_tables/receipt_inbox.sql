-- A provider can report on a message before the runner has recorded its outcome. Such a receipt waits here.
create table if not exists retoma_internal.receipt_inbox (
  id bigint generated always as identity primary key,
  channel_id int not null references retoma_internal.channel (id) on delete cascade,
  message_id text,
  provider_id text,
  status text not null,
  code text,
  at timestamptz not null,
  received_at timestamptz not null default retoma.clock()
);

comment on table retoma_internal.receipt_inbox is
'Receipts that arrived before the outcome of their message. tick() applies them.';
