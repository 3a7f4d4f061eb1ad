-- The unit that is leased, and the only one that is locked. Its position is one number, "reserved", the high-water
-- mark. Messages up to it were handed to a runner or skipped. Each of them that has a delivery row is settled.
create table if not exists retoma_internal.batch (
  id bigint generated always as identity primary key,
  campaign_id int not null references retoma_internal.campaign (id) on delete cascade,
  status text not null default 'ready' check (status in ('ready', 'leased', 'completed', 'cancelled')),
  first_ordinal int,
  size int not null check (size > 0),
  attempt smallint not null default 1,
  attempts_counted smallint not null default 0,
  maybe_sent boolean not null default false,
  needs_dedupe boolean not null default false,
  channel_id int references retoma_internal.channel (id),
  zone text not null default '',
  not_before timestamptz not null default '-infinity',
  lease_epoch int not null default 0,
  lease_expires_at timestamptz,
  leased_at timestamptz,
  runner_id uuid references retoma_internal.runner (id),
  lease_channel_id int references retoma_internal.channel (id),
  used_channel_id int,
  settings_version int,
  reserved int not null default 0,
  sent int not null default 0,
  failed int not null default 0,
  skipped int not null default 0,
  in_doubt int not null default 0,
  requeued int not null default 0,
  delivered int not null default 0,
  read int not null default 0,
  failure_streak int not null default 0,
  doubt_streak int not null default 0,
  completed_at timestamptz,
  defect text,
  -- One constraint, not one per column: every update, and therefore every step, parses each constraint again.
  constraint batch_books_balance check (
    least(sent, failed, skipped, in_doubt, requeued) >= 0
    and sent + failed + skipped + in_doubt + requeued <= reserved and reserved <= size
  ),
  constraint batch_without_lease_is_settled check (
    status = 'leased'
    or (sent + failed + skipped + in_doubt + requeued = reserved and (status <> 'completed' or reserved = size))
  ),
  constraint batch_lease_is_whole check (
    (status = 'leased') = (runner_id is not null)
    and (status = 'leased') = (lease_channel_id is not null)
    and (status = 'leased') = (lease_expires_at is not null)
  )
) with (fillfactor = 50);

-- No column that a step changes is indexed, so that every step is a heap-only update.
create index if not exists batch_ready_idx on retoma_internal.batch (campaign_id, zone, not_before desc, id)
where status = 'ready';
create index if not exists batch_leased_idx on retoma_internal.batch (lease_channel_id) where status = 'leased';
-- Nearly always empty. Each tick reads it.
create index if not exists batch_defect_idx on retoma_internal.batch (id) where defect is not null;
create index if not exists batch_campaign_idx on retoma_internal.batch (campaign_id, first_ordinal);

comment on table retoma_internal.batch is 'Parts of a campaign that runners lease, by default 300 messages each.';
comment on column retoma_internal.batch.first_ordinal is
'First message of a contiguous range; null when batch_list holds the messages.';
comment on column retoma_internal.batch.attempt is
'Number of the attempt that this batch makes for each of its messages, from 1.';
comment on column retoma_internal.batch.attempts_counted is
'Attempts before this one that count against campaign.max_attempts.';
comment on column retoma_internal.batch.maybe_sent is
'An earlier attempt may have reached the recipient. The messages are sent again with the same id, and are never counted
as not sent.';
comment on column retoma_internal.batch.needs_dedupe is
'The messages may be sent again only while the channel dedupes them. False where an operator decided to repeat them.';
comment on column retoma_internal.batch.channel_id is
'The only channel that may send this batch; null: any channel of the campaign.';
comment on column retoma_internal.batch.used_channel_id is
'The channel of all its messages that are reserved; null while none is, and when several channels reserved some. With
it, messages are counted by channel without reading them. No foreign key: lease_channel_id has one.';
comment on column retoma_internal.batch.not_before is 'The batch is not leased before this time. Used for retries.';
comment on column retoma_internal.batch.lease_epoch is
'Fencing token. It grows when a lease begins and when it ends. A write with an older epoch is refused.';
comment on column retoma_internal.batch.reserved is
'High-water mark: how many messages, from the first, were handed out or skipped.';
comment on column retoma_internal.batch.requeued is 'Messages that continue in a later batch, and are counted there.';
comment on column retoma_internal.batch.failure_streak is
'Messages that the provider refused for their content, since the last one that it accepted.';
comment on column retoma_internal.batch.defect is
'Why its lease could not go on or be settled. The next tick interrupts its campaign with this reason, and removes it.';
comment on column retoma_internal.batch.doubt_streak is
'Messages whose error proves nothing, since the last one that was accepted.';
comment on column retoma_internal.batch.settings_version is
'Of the channel, when the batch was last leased: these are the settings that its runner sends with.';
