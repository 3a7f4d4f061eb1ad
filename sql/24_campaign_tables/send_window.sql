create table if not exists retoma_internal.send_window (
  id int generated always as identity primary key,
  scope text not null check (scope in ('campaign', 'channel')),
  subject_id int not null,
  days smallint[] not null check (days <@ '{1,2,3,4,5,6,7}' and days <> '{}'),
  opens time not null,
  closes time not null,
  check (opens < closes)
);

create index if not exists send_window_subject_idx on retoma_internal.send_window (scope, subject_id);

comment on table retoma_internal.send_window is
'When a campaign may send, in the time zone of each recipient. It may send in each of its windows. Windows of channels
will be rows of this table too.';
comment on column retoma_internal.send_window.subject_id is 'The id of the campaign or channel.';
comment on column retoma_internal.send_window.days is 'ISO days of the week; 1 is Monday.';
comment on column retoma_internal.send_window.closes is 'Local time. From this time on, nothing is reserved.';
