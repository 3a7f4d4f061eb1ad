-- A provider can report on a message before the runner has recorded its outcome. Such a receipt waits here. The same
-- report waits once, however often it comes.
create table if not exists retoma_internal.receipt_inbox (
  id bigint generated always as identity primary key,
  channel_id int not null references retoma_internal.channel (id) on delete cascade,
  message_id text,
  provider_id text,
  status text not null,
  code text,
  at timestamptz not null,
  received_at timestamptz not null default retoma.clock(),
  try_after timestamptz not null default retoma.clock()
);

create unique index if not exists receipt_inbox_report_idx
on retoma_internal.receipt_inbox (channel_id, message_id, provider_id, status) nulls not distinct;
-- Two, because failures are read apart from the others: neither may search through a million of the other kind.
create index if not exists receipt_inbox_failed_idx
on retoma_internal.receipt_inbox (try_after, id) where status = 'failed';
create index if not exists receipt_inbox_due_idx
on retoma_internal.receipt_inbox (try_after, id) where status <> 'failed';

comment on table retoma_internal.receipt_inbox is
'Receipts that arrived before the outcome of their message. tick() applies them.';
comment on column retoma_internal.receipt_inbox.try_after is
'tick() looks at it after this time: the longer it has waited, the more rarely.';
