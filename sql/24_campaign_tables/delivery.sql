-- A send only inserts. Receipts and decisions about messages in doubt update the row later. Wide columns come first, so
-- that no byte is lost to alignment. No foreign keys, for the reason that is given at message.
create table if not exists retoma_internal.delivery (
  at timestamptz not null,
  batch_id bigint not null,
  receipt_at timestamptz,
  campaign_id int not null,
  ordinal int not null,
  channel_id int not null,
  lease_epoch int not null,
  settings_version int,
  attempt smallint not null,
  http_status smallint,
  outcome text not null check (outcome in ('sent', 'failed', 'skipped', 'in_doubt', 'requeued')),
  code text,
  provider_id text,
  receipt text check (receipt in ('server', 'delivered', 'read', 'failed')),
  primary key (campaign_id, ordinal, attempt)
) partition by range (campaign_id);

create index if not exists delivery_provider_id_idx on retoma_internal.delivery (provider_id)
where provider_id is not null;
create index if not exists delivery_in_doubt_idx on retoma_internal.delivery (channel_id, at)
where outcome = 'in_doubt';
-- What failed, and why, is counted from this index alone. Most accepted messages have no code and are not in it.
create index if not exists delivery_code_idx on retoma_internal.delivery (campaign_id, outcome, code, channel_id)
where code is not null and outcome <> 'requeued';

comment on table retoma_internal.delivery is
'The result of each attempt to send a message. The latest attempt is the state of the message.';
comment on column retoma_internal.delivery.outcome is
'sent: accepted by the provider; skipped: suppressed; in_doubt: reserved, outcome never learnt; requeued: continues in a
later batch.';
comment on column retoma_internal.delivery.code is 'Why: the error code of the provider, or a code of Retoma.';
comment on column retoma_internal.delivery.provider_id is
'The message id of the provider, kept when it cannot be derived from ours.';
comment on column retoma_internal.delivery.receipt is 'Best report of the provider so far.';
comment on column retoma_internal.delivery.receipt_at is
'Time of that report. Without a report: when the provider was last asked about this message in doubt.';
comment on column retoma_internal.delivery.settings_version is
'Of the channel, when it was sent. Kept where the message may have arrived: a lookup with other settings proves
nothing.';
