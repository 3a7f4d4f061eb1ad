create table if not exists retoma_internal.campaign (
  id int generated always as identity primary key,
  name text not null unique check (name ~ '^[^[:cntrl:]]{1,200}$'),
  token text not null unique default left(replace(gen_random_uuid()::text, '-', ''), 24)
    check (token ~ '^[0-9a-f]{24}$'),
  status text not null default 'draft' check (
    status in ('draft', 'scheduled', 'running', 'paused', 'interrupted', 'completed', 'cancelled')
  ),
  status_reason text,
  interrupt_cause text check (interrupt_cause in ('channel', 'breaker', 'content', 'defect')),
  batch_size int not null default 300 check (batch_size between 1 and 10000),
  variant_bounds int[] check (cardinality(variant_bounds) between 2 and 20),
  resolves_addresses boolean not null default false,
  max_attempts smallint not null default 3 check (max_attempts between 1 and 20),
  breaker_threshold int not null default 5 check (breaker_threshold > 0),
  time_zone text,
  total int not null default 0,
  starts_at timestamptz,
  created_at timestamptz not null default retoma.clock(),
  started_at timestamptz,
  finished_at timestamptz,
  resumed_at timestamptz not null default 'epoch',
  erased_at timestamptz,
  cancelling boolean not null default false,
  check ((status = 'interrupted') = (interrupt_cause is not null)),
  check (not cancelling or status = 'cancelled')
);

-- Nearly always empty. Each tick reads it.
create index if not exists campaign_cancelling_idx on retoma_internal.campaign (id) where cancelling;

-- Every runner reads it each second.
create index if not exists campaign_resolving_idx on retoma_internal.campaign (id)
where resolves_addresses and status in ('scheduled', 'running');

comment on table retoma_internal.campaign is
'Campaigns: their rules, their state and the size of their audience. Their content is in campaign_content.';
comment on column retoma_internal.campaign.token is
'24 random hex digits. With the ordinal they make the id that the provider sees, the same in every attempt.';
comment on column retoma_internal.campaign.variant_bounds is
'The running sum of the weights of its variants, {2,3} for 2 and 1; null when it has one content. They are here, not
in campaign_content, because every step reads this row.';
comment on column retoma_internal.campaign.resolves_addresses is
'Whether the addresses of its messages are asked for before they are sent: when it started, one of its channels checked
numbers. It is here because every step reads this row.';
comment on column retoma_internal.campaign.breaker_threshold is
'The campaign is interrupted when the provider refuses this many messages of one batch in a row for their content.';
comment on column retoma_internal.campaign.time_zone is
'IANA zone for recipients whose own zone is not known; the windows of the campaign use it. Also the default zone of its
limits in set_limit.';
comment on column retoma_internal.campaign.resumed_at is
'When somebody last resumed it: reports about messages that were sent before do not interrupt it again.';
comment on column retoma_internal.campaign.cancelling is
'It was cancelled, and some of its batches are not over yet. tick ends them.';
comment on column retoma_internal.campaign.erased_at is
'When cleanup() erased its recipients and deliveries. Its totals stay.';
comment on column retoma_internal.campaign.total is
'Number of recipients. Grows while the campaign is a draft, then is fixed.';
