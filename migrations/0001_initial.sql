-- The first version of the schema. Made from sql/ by `make baseline`.

-- sql/install.sql

-- Retoma, the whole schema. Install with:  psql -v ON_ERROR_STOP=1 -f sql/install.sql  or, in psql,  \i sql/install.sql
-- Installing again is harmless. An older installation is brought up to date by "retoma db upgrade".
--
-- How one message travels
--
-- create_campaign makes a draft, and the partitions of its messages. add_recipients, or \copy into recipient_staging and
-- load_staged, write one row a recipient into "message", which nothing ever updates. start_campaign freezes this audience, cuts it
-- into batches of 300 and sets the campaign running; its trigger rings the doorbell of the campaign's channels: it inserts one
-- procrastinate job a channel, whose NOTIFY wakes a waiting runner.
--
-- The runner calls lease_batch. It gets a batch under a new lease epoch. From here on it calls advance_batch in a loop, one
-- transaction and one commit a step. A step records what became of the messages sent before, checks whether campaign, channel,
-- window, pacing and caps allow another, moves the batch's high-water mark over the next messages (this is their reservation),
-- skips those on the suppression list, renews the lease, and returns what to send. Only then, with the reservation committed and
-- no transaction open, the runner calls the provider. The outcome becomes one row of "delivery"; an error is looked up in
-- "error_rule", whose class says whether the message failed, is moved into a later batch, or stops the channel or the campaign.
--
-- If the runner dies, its session ends and with it an advisory lock; tick, which every runner calls each half second, sees that,
-- raises the epoch of the batch and makes it ready again. What was reserved and has no delivery row is in doubt: nobody knows
-- whether the provider took it. It is sent again, under the same id, only on a channel that dedupes; else a receipt, a look-up or
-- an operator settles it. If the dead runner was only frozen, its writes carry the old epoch and are refused.
--
-- A receipt of the provider (record_receipts) carries our message id, which leads back to the delivery row. When the last batch
-- is completed, its trigger completes the campaign.
--
-- Order of locks, everywhere: batches by id, channel_pacing by channel, daily cap, channel, campaigns by id, doorbell jobs. Who holds a later
-- one never waits for an earlier one (skip locked does not wait). That is why nothing here can deadlock.



set local client_min_messages to warning;

-- sql/10_base/prerequisites.sql

-- Refuses to install where it could not work, before anything is changed.
do $$
begin
  if current_setting('server_version_num')::int < 150000 then
    raise exception using errcode = 'RT020',
      message = format('Retoma needs PostgreSQL 15 or later, this server is %s', current_setting('server_version')),
      hint = 'Connect to a newer server, or let Retoma start its own: retoma db start';
  end if;
  if to_regclass('procrastinate.procrastinate_jobs') is null then
    raise exception using errcode = 'RT020',
      message = 'procrastinate is not installed in the schema "procrastinate" of this database',
      hint = 'Run "retoma db install", which does both, or pipe it in first: retoma db procrastinate-sql | psql';
  end if;
end
$$;

-- sql/90_security/roles.sql

-- Roles belong to the whole server: made once, by somebody who may; the grants below are of this database.
do $$
declare
  v_role text;
begin
  foreach v_role in array array['retoma_operator', 'retoma_runner', 'retoma_monitor'] loop
    if not exists (select from pg_roles where rolname = v_role) then
      execute format('create role %I nologin', v_role);
    end if;
  end loop;
exception
  when insufficient_privilege then
    raise exception using errcode = 'RT020',
      message = 'the roles retoma_operator, retoma_runner and retoma_monitor do not exist, and you may not create them',
      hint = 'Ask somebody with CREATEROLE: create role retoma_operator nologin; and so on, then install again';
  when duplicate_object or unique_violation then null; -- another database is installing at this moment
end
$$;

-- sql/10_base/schema.sql

create schema if not exists retoma;

comment on schema retoma is
'Retoma: message campaigns that pick up again. Manual of the functions: \df+ retoma.*';

-- sql/10_base/schema_version.sql

-- What is installed here. Written by "retoma db install" and "retoma db upgrade" only.
create table if not exists retoma.schema_version (
  component text not null check (component in ('retoma', 'procrastinate')),
  version text not null,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now(),
  primary key (component, version)
);

comment on table retoma.schema_version is
'Migrations that this database holds, per component (retoma, procrastinate); written by retoma db install and upgrade.';

-- sql/10_base/setting.sql

-- One row: the values that hold for the whole installation. Change them with UPDATE.
create table if not exists retoma.setting (
  only_row boolean primary key default true check (only_row),
  lease_duration interval not null default '60 s' check (lease_duration between '1 s' and '1 hour'),
  -- A look-up that finds nothing proves something only when the request can no longer be under way.
  look_up_after interval not null default '60 s' check (look_up_after >= '0 s'),
  retention interval not null default '90 days' check (retention >= '1 day'),
  clock_shift interval not null default '0 s'
);

insert into retoma.setting default values on conflict do nothing;

comment on table retoma.setting is 'Values that hold for the whole installation, in one row.';
comment on column retoma.setting.lease_duration is 'How long a runner may hold a batch without a sign of life.';
comment on column retoma.setting.look_up_after is
'Age of a message in doubt before the provider is asked about it, so that the request cannot still be under way.';
comment on column retoma.setting.retention is 'How long finished campaigns and audit events are kept by cleanup().';
comment on column retoma.setting.clock_shift is 'Added to the database clock by clock(); 0 except in tests.';

-- sql/10_base/clock.sql

-- The only clock (invariant 8): a runner's own clock decides nothing. Takes no lock.
create or replace function retoma.clock() returns timestamptz
language sql volatile parallel safe
begin atomic
  select clock_timestamp() + s.clock_shift from retoma.setting as s;
end;

comment on function retoma.clock() is
'The time by which everything is decided: the database''s clock plus setting.clock_shift, which only tests move.';

-- sql/10_base/is_e164.sql

-- The bytes of a text can be trimmed for a third of what translate() costs (250 against 700 ns), and a regular expression costs more
-- still. A text with a backslash may have no bytes to cast it to, so it is turned down before.
create or replace function retoma.is_e164(p_phone text) returns boolean
language sql immutable parallel safe
begin atomic
  select
    p_phone like '+%' and p_phone not like '+0%' and octet_length(p_phone) between 8 and 16
    and case when strpos(p_phone, '\') = 0 then ltrim(right(p_phone, -1)::bytea, '0123456789') = '' else false end;
end;

comment on function retoma.is_e164(text) is 'Whether this is + and 7 to 15 digits of which the first is not 0. False for null.';

-- sql/20_tables/transport.sql

create table if not exists retoma.transport (
  name text primary key check (name ~ '^[a-z][a-z0-9_]{0,30}$'),
  required_settings text[] not null default '{}',
  optional_settings text[] not null default '{}',
  gap_min interval not null default '0 s',
  gap_max interval not null default '0 s',
  batch_gap_min interval not null default '0 s',
  batch_gap_max interval not null default '0 s',
  rate_per_s numeric,
  max_in_flight int not null default 1,
  note text not null
);

comment on table retoma.transport is
'Kinds of provider and the defaults that create_channel gives to their channels. A transport of your own needs a row here.';
comment on column retoma.transport.required_settings is 'Keys without which a channel of this transport cannot work.';
comment on column retoma.transport.optional_settings is 'Further keys that it knows; any other is refused as a slip of the pen.';
comment on column retoma.transport.rate_per_s is 'Messages a second; null is no limit.';

-- sql/20_tables/channel.sql

-- A sender account. Whether it can send is two independent facts, so that a reconnect does not undo an operator's pause.
create table if not exists retoma.channel (
  id int generated always as identity primary key,
  name text not null unique check (name ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
  transport text not null references retoma.transport (name),
  settings jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
  dedupes boolean not null default false,
  looks_up boolean not null default false,
  connected boolean not null default true,
  paused boolean not null default false,
  state_reason text,
  max_in_flight int not null default 1 check (max_in_flight between 1 and 10000),
  max_leases int not null default 1 check (max_leases between 1 and 64),
  time_zone text not null default 'UTC',
  created_at timestamptz not null default retoma.clock()
);

comment on table retoma.channel is 'Sender accounts: how to reach the provider, and whether it can be reached now.';
comment on column retoma.channel.settings is
'Address and credentials for the transport. A value "env:NAME" is read by the runner from its own environment.';
comment on column retoma.channel.dedupes is
'The provider shows a message id that comes twice only once, so that a message in doubt may be sent again.';
comment on column retoma.channel.looks_up is 'The provider can say whether it has a message with our id.';
comment on column retoma.channel.max_in_flight is 'Requests under way at once, per lease.';
comment on column retoma.channel.max_leases is 'Batches of this channel that may be leased at once; 1 where there is a gap between messages.';
comment on column retoma.channel.time_zone is 'IANA zone in which the day of the daily quota begins.';

-- sql/20_tables/channel_pacing.sql

-- One narrow row a channel, rewritten at every step of a paced channel; apart from channel so that it stays a
-- heap-only update in half-empty pages.
create table if not exists retoma.channel_pacing (
  channel_id int primary key references retoma.channel (id) on delete cascade,
  gap_min interval not null check (gap_min >= '0 s'),
  gap_max interval not null check (gap_max between gap_min and '1 day'),
  batch_gap_min interval not null check (batch_gap_min >= '0 s'),
  batch_gap_max interval not null check (batch_gap_max between batch_gap_min and '1 day'),
  rate_per_s numeric check (rate_per_s > 0),
  burst int not null default 1 check (burst >= 1),
  daily_quota int check (daily_quota > 0),
  next_send_at timestamptz not null default '-infinity',
  tokens double precision not null default 0,
  tokens_at timestamptz not null default '-infinity',
  quota_day date not null default '-infinity',
  quota_used int not null default 0,
  hold_until timestamptz not null default '-infinity',
  hold_reason text,
  hold_streak int not null default 0,
  throttle double precision not null default 1 check (throttle between 0.05 and 1),
  throttled_at timestamptz not null default '-infinity'
) with (fillfactor = 50);

comment on table retoma.channel_pacing is
'Pacing of a channel: its rules, and the state that makes them hold over any number of runners and restarts.';
comment on column retoma.channel_pacing.gap_min is
'Shortest pause between the end of one send and the next; with gap_max the range of a random pause.';
comment on column retoma.channel_pacing.rate_per_s is 'Messages a second of the token bucket; null is no limit.';
comment on column retoma.channel_pacing.burst is 'Size of the token bucket: what may go at once after a silence.';
comment on column retoma.channel_pacing.hold_until is 'Nothing is reserved before (rate limit of the provider, quota used up).';
comment on column retoma.channel_pacing.throttle is
'Share of the configured speed in use: halved at a rate limit, recovers by a quarter a minute.';

-- sql/20_tables/runner.sql

create table if not exists retoma.runner (
  id uuid primary key,
  name text not null,
  lock_key int generated always as identity unique,
  server_started_at timestamptz not null,
  registered_at timestamptz not null default retoma.clock(),
  last_seen_at timestamptz not null default retoma.clock(),
  stopped_at timestamptz
) with (fillfactor = 50);

comment on table retoma.runner is 'Runner processes that have registered. One is alive while a session holds its advisory lock.';
comment on column retoma.runner.lock_key is 'Second key of its advisory lock; see runner_lock_class().';
comment on column retoma.runner.server_started_at is
'Start of the server that the lock lives in: after a restart a missing lock says nothing of the process.';

-- sql/20_tables/campaign.sql

create table if not exists retoma.campaign (
  id int generated always as identity primary key,
  name text not null unique check (name ~ '^[^[:cntrl:]]{1,200}$'),
  token text not null unique default left(replace(gen_random_uuid()::text, '-', ''), 24)
    check (token ~ '^[0-9a-f]{24}$'),
  body text not null check (body <> ''),
  required_variables text[] not null default '{}',
  status text not null default 'draft' check (
    status in ('draft', 'scheduled', 'running', 'paused', 'interrupted', 'completed', 'cancelled')
  ),
  status_reason text,
  interrupt_cause text check (interrupt_cause in ('channel', 'breaker')),
  batch_size int not null default 300 check (batch_size between 1 and 10000),
  max_attempts smallint not null default 3 check (max_attempts between 1 and 20),
  breaker_threshold int not null default 5 check (breaker_threshold > 0),
  time_zone text,
  total int not null default 0,
  starts_at timestamptz,
  created_at timestamptz not null default retoma.clock(),
  started_at timestamptz,
  finished_at timestamptz,
  erased_at timestamptz,
  check ((status = 'interrupted') = (interrupt_cause is not null))
);

comment on table retoma.campaign is 'Campaigns: what is said, to how many, by which rules, and in which state they are.';
comment on column retoma.campaign.token is
'24 random hex digits; with the ordinal they make the id that the provider sees, the same over all attempts.';
comment on column retoma.campaign.body is 'The text, a Liquid template over the variables of each recipient.';
comment on column retoma.campaign.required_variables is 'Variables that every recipient must have before the campaign starts.';
comment on column retoma.campaign.breaker_threshold is
'Messages refused in a row for their content in one batch that interrupt the campaign.';
comment on column retoma.campaign.time_zone is 'IANA zone for recipients whose own is not known, where the campaign has windows; and of the day of its daily cap (null: UTC).';
comment on column retoma.campaign.erased_at is 'When cleanup() removed its recipients and deliveries; the totals stay.';
comment on column retoma.campaign.total is 'Recipients; grows while a draft is loaded, then fixed.';

-- sql/20_tables/campaign_channel.sql

create table if not exists retoma.campaign_channel (
  campaign_id int not null references retoma.campaign (id) on delete cascade,
  channel_id int not null references retoma.channel (id),
  last_leased_at timestamptz not null default '-infinity',
  primary key (campaign_id, channel_id)
);

create index if not exists campaign_channel_channel_idx on retoma.campaign_channel (channel_id);

comment on table retoma.campaign_channel is 'Which channels may send a campaign.';
comment on column retoma.campaign_channel.last_leased_at is
'A channel with several campaigns takes a batch of the one that waited longest.';

-- sql/20_tables/campaign_rule.sql

create table if not exists retoma.campaign_rule (
  id int generated always as identity primary key,
  campaign_id int not null references retoma.campaign (id) on delete cascade,
  kind text not null check (kind in ('window', 'daily_cap')),
  days smallint[] not null default '{1,2,3,4,5,6,7}' check (days <@ '{1,2,3,4,5,6,7}' and days <> '{}'),
  opens time,
  closes time,
  cap int check (cap > 0),
  cap_day date not null default '-infinity',
  cap_used int not null default 0,
  check ((kind = 'window') = (opens is not null and closes is not null)),
  check (opens < closes),
  check ((kind = 'daily_cap') = (cap is not null))
);

create index if not exists campaign_rule_campaign_idx on retoma.campaign_rule (campaign_id);
create unique index if not exists campaign_rule_cap_idx on retoma.campaign_rule (campaign_id) where kind = 'daily_cap';

comment on table retoma.campaign_rule is
'When and how much a campaign may send: windows in the recipient''s own time zone (several are allowed), and a daily cap.';
comment on column retoma.campaign_rule.days is 'ISO days of the week, 1 is Monday.';
comment on column retoma.campaign_rule.closes is 'Local time from which nothing is reserved any more.';
comment on column retoma.campaign_rule.cap is 'Messages a day (day of the campaign''s time zone, otherwise UTC).';

-- sql/20_tables/campaign_zone.sql

create table if not exists retoma.campaign_zone (
  campaign_id int not null references retoma.campaign (id) on delete cascade,
  zone text not null,
  primary key (campaign_id, zone)
);

comment on table retoma.campaign_zone is
'Zones that the batches of a campaign are cut by: one empty zone where it has no windows. Written by start_campaign.';

-- sql/20_tables/message.sql

-- Immutable: what happens to a message is in delivery. Partitions hold 100 campaigns each, and are made by
-- ensure_partition. There is no foreign key to campaign: at 10 million rows its check is a third of the load.
create table if not exists retoma.message (
  campaign_id int not null,
  ordinal int not null,
  phone text not null check (retoma.is_e164(phone)),
  zone text,
  variables jsonb not null default '{}',
  primary key (campaign_id, ordinal),
  unique (campaign_id, phone)
) partition by range (campaign_id);

comment on table retoma.message is 'One recipient of one campaign. Never updated.';
comment on column retoma.message.ordinal is 'Place in the campaign, from 1 without gaps.';
comment on column retoma.message.phone is 'E.164 with +.';
comment on column retoma.message.zone is 'IANA time zones that the recipient may be in, joined by commas; null when unknown.';

-- sql/20_tables/delivery.sql

-- Insert-only at send time; receipts and decisions about messages in doubt update it later. Wide columns first, so that
-- no byte is lost to alignment. No foreign keys, for the reason given at message.
create table if not exists retoma.delivery (
  at timestamptz not null,
  batch_id bigint not null,
  receipt_at timestamptz,
  campaign_id int not null,
  ordinal int not null,
  channel_id int not null,
  lease_epoch int not null,
  attempt smallint not null,
  http_status smallint,
  outcome text not null check (outcome in ('sent', 'failed', 'skipped', 'in_doubt', 'moved')),
  code text,
  provider_id text,
  receipt text check (receipt in ('server', 'delivered', 'read', 'failed')),
  primary key (campaign_id, ordinal, attempt)
) partition by range (campaign_id);

create index if not exists delivery_provider_id_idx on retoma.delivery (provider_id) where provider_id is not null;
create index if not exists delivery_in_doubt_idx on retoma.delivery (channel_id, at) where outcome = 'in_doubt';

comment on table retoma.delivery is 'What became of each attempt to send a message; the latest attempt is the state of the message.';
comment on column retoma.delivery.outcome is
'sent: accepted by the provider; skipped: suppressed; in_doubt: reserved, outcome never learnt; moved: goes on in a later batch.';
comment on column retoma.delivery.code is 'Why: the provider''s error code, or one of Retoma''s own.';
comment on column retoma.delivery.provider_id is 'The provider''s message id, kept where it cannot be derived from ours.';
comment on column retoma.delivery.receipt is 'Best report of the provider so far.';
comment on column retoma.delivery.receipt_at is
'When that was; without a receipt, when the provider was last asked about a message in doubt.';

-- sql/20_tables/batch.sql

-- The unit that is leased, and the only one that is locked. Its position is one number: "reserved", the high-water mark.
-- Messages up to it have been handed to a runner (or skipped); those of them with a delivery row are settled.
create table if not exists retoma.batch (
  id bigint generated always as identity primary key,
  campaign_id int not null references retoma.campaign (id) on delete cascade,
  status text not null default 'ready' check (status in ('ready', 'leased', 'completed', 'cancelled')),
  first_ordinal int,
  size int not null check (size > 0),
  attempt smallint not null default 1,
  charged smallint not null default 0,
  maybe_sent boolean not null default false,
  channel_id int references retoma.channel (id),
  zone text not null default '',
  not_before timestamptz not null default '-infinity',
  lease_epoch int not null default 0,
  lease_expires_at timestamptz,
  leased_at timestamptz,
  runner_id uuid references retoma.runner (id),
  lease_channel_id int references retoma.channel (id),
  reserved int not null default 0,
  sent int not null default 0,
  failed int not null default 0,
  skipped int not null default 0,
  in_doubt int not null default 0,
  moved int not null default 0,
  delivered int not null default 0,
  read int not null default 0,
  failure_streak int not null default 0,
  completed_at timestamptz,
  -- One constraint and not one a column: each is parsed anew by every update, which is every step.
  constraint batch_books_balance check (
    least(sent, failed, skipped, in_doubt, moved) >= 0
    and sent + failed + skipped + in_doubt + moved <= reserved and reserved <= size
  ),
  constraint batch_completed_is_settled check (
    status <> 'completed' or sent + failed + skipped + in_doubt + moved = size
  ),
  constraint batch_lease_is_whole check (
    (status = 'leased') = (runner_id is not null)
    and (status = 'leased') = (lease_channel_id is not null)
    and (status = 'leased') = (lease_expires_at is not null)
  )
) with (fillfactor = 50);

-- No column that a step changes is indexed, so that every step is a heap-only update.
create index if not exists batch_ready_idx on retoma.batch (campaign_id, zone, not_before desc, id) where status = 'ready';
create index if not exists batch_leased_idx on retoma.batch (lease_channel_id) where status = 'leased';
create index if not exists batch_campaign_idx on retoma.batch (campaign_id, first_ordinal);

comment on table retoma.batch is 'Slices of a campaign, by default 300 messages each, that runners lease.';
comment on column retoma.batch.first_ordinal is
'First message of a contiguous range; null where the messages are those of batch_list.';
comment on column retoma.batch.attempt is 'Number of the attempt that this batch makes for all of its messages.';
comment on column retoma.batch.charged is 'Attempts so far that count against campaign.max_attempts.';
comment on column retoma.batch.maybe_sent is
'An earlier attempt may have reached the recipient: these are sent again with the same id, and never counted as not sent.';
comment on column retoma.batch.channel_id is 'The only channel that may send this batch; null is any of the campaign.';
comment on column retoma.batch.not_before is 'Retries wait until then.';
comment on column retoma.batch.lease_epoch is 'Fencing token: grows whenever a lease begins or ends; a write with an older one is refused.';
comment on column retoma.batch.reserved is 'High-water mark: messages handed out so far, or skipped.';
comment on column retoma.batch.moved is 'Messages that go on in a later batch; counted there.';
comment on column retoma.batch.failure_streak is 'Messages refused for their content since the last one that was accepted.';

-- sql/20_tables/batch_list.sql

-- Apart from batch, so that a step does not rewrite the list.
create table if not exists retoma.batch_list (
  batch_id bigint primary key references retoma.batch (id) on delete cascade,
  ordinals int[] not null
);

comment on table retoma.batch_list is 'The messages of a batch that is not a contiguous range: retries, and batches cut by time zone.';

-- sql/20_tables/suppression.sql

create table if not exists retoma.suppression (
  match_key text primary key,
  phone text not null,
  reason text not null check (reason in ('opt_out', 'complaint', 'invalid', 'imported')),
  source text,
  at timestamptz not null default retoma.clock()
);

comment on table retoma.suppression is
'Numbers that must not be contacted by any campaign. Checked when a message is reserved. Written by opt_out and opt_in.';
comment on column retoma.suppression.match_key is 'match_key(phone): both forms of a Brazilian mobile number are one.';

-- sql/20_tables/consent.sql

create table if not exists retoma.consent (
  id bigint generated always as identity primary key,
  match_key text not null,
  phone text not null,
  given boolean not null,
  source text not null,
  at timestamptz not null default retoma.clock()
);

create index if not exists consent_match_key_idx on retoma.consent (match_key, at);

comment on table retoma.consent is 'Proof of opt-in and opt-out: who said what, where and when. Append-only.';

-- sql/20_tables/error_rule.sql

create table if not exists retoma.error_rule (
  transport text not null,
  code text not null,
  class text not null check (
    class in (
      'transient', 'rate_limited_channel', 'rate_limited_recipient', 'permanent_recipient',
      'permanent_message', 'channel_down', 'auth', 'ambiguous'
    )
  ),
  suppress boolean not null default false,
  charge boolean not null default true,
  defer_s int check (defer_s >= 0),
  note text,
  primary key (transport, code)
);

comment on table retoma.error_rule is
'What an error of a provider means. Tune it with UPDATE and INSERT: it is read at every error, and install keeps your changes.';
comment on column retoma.error_rule.transport is 'A transport, or * for all that have no rule of their own for the code.';
comment on column retoma.error_rule.suppress is 'The number goes onto the suppression list.';
comment on column retoma.error_rule.charge is 'The attempt counts against campaign.max_attempts.';
comment on column retoma.error_rule.defer_s is 'Seconds until the next attempt; null is the default of the class.';

-- sql/20_tables/event.sql

create table if not exists retoma.event (
  id bigint generated always as identity primary key,
  at timestamptz not null default retoma.clock(),
  actor text not null default session_user,
  subject text not null check (subject in ('channel', 'campaign', 'batch', 'runner')),
  channel_id int,
  campaign_id int,
  batch_id bigint,
  runner_id uuid,
  from_state text,
  to_state text not null,
  why text
);

create index if not exists event_campaign_idx on retoma.event (campaign_id, id) where campaign_id is not null;
create index if not exists event_at_idx on retoma.event (at);

comment on table retoma.event is
'Audit: every change of state of channels, campaigns, batches and runners: when, by which role, from, to, why. Append-only.';

-- sql/20_tables/receipt_inbox.sql

-- A provider can report on a message before the runner has recorded its outcome. Such a receipt waits here.
create table if not exists retoma.receipt_inbox (
  id bigint generated always as identity primary key,
  channel_id int not null references retoma.channel (id) on delete cascade,
  message_id text,
  provider_id text,
  status text not null,
  code text,
  at timestamptz not null,
  received_at timestamptz not null default retoma.clock()
);

comment on table retoma.receipt_inbox is 'Receipts that came before the outcome of their message; tick() applies them.';

-- sql/20_tables/recipient_staging.sql

-- Unlogged: what is lost in a crash here has not been loaded, and whoever loads it knows.
create unlogged table if not exists retoma.recipient_staging (
  campaign text not null,
  line bigint,
  phone text,
  variables jsonb default '{}',
  zone text
);

comment on table retoma.recipient_staging is
'Bulk load: \copy retoma.recipient_staging (campaign, phone, variables) from file.csv csv, then select * from retoma.load_staged(''name'').';
comment on column retoma.recipient_staging.line is 'Line of the source, for the list of rejects; may be null.';

create table if not exists retoma.recipient_reject (
  id bigint generated always as identity primary key,
  campaign_id int not null references retoma.campaign (id) on delete cascade,
  line bigint,
  phone text,
  reason text not null,
  at timestamptz not null default retoma.clock()
);

create index if not exists recipient_reject_campaign_idx on retoma.recipient_reject (campaign_id);

comment on table retoma.recipient_reject is 'Recipients that add_recipients and load_staged refused, and why.';

-- sql/25_seed/transport.sql

-- Defaults by what the providers bear: WAHA drives one WhatsApp Web session, one message at a time as a person would.
insert into retoma.transport (
  name, required_settings, optional_settings, gap_min, gap_max, batch_gap_min, batch_gap_max, rate_per_s, max_in_flight, note
) values
(
  'waha', '{base_url,session}', '{api_key,engine,store,timeout_s,webhook_hmac_key}', '5 s', '15 s', '15 s', '30 s', null, 1,
  'WAHA, an HTTP gateway to WhatsApp Web'
),
('webhook', '{url}', '{secret,idempotent,look_up,timeout_s}', '0 s', '0 s', '0 s', '0 s', null, 32, 'Any HTTP receiver of JSON'),
('null', '{}', '{}', '0 s', '0 s', '0 s', '0 s', null, 300, 'Accepts everything inside the runner, for measurements')
on conflict (name) do nothing;

-- sql/25_seed/error_rule.sql

-- What the errors of the transports mean. An operator's own changes stay: a rule that is there is not touched.
insert into retoma.error_rule (transport, code, class, suppress, charge, defer_s, note) values
('*', 'connect_failed', 'transient', false, true, null, 'nothing was written: refused, name look-up, TLS or connect time-out'),
('*', 'connection_lost', 'ambiguous', false, true, null, 'the connection ended after the request may have been written'),
('*', 'timeout', 'ambiguous', false, true, null, 'no answer in time; the request may have been taken'),
('*', 'http_301', 'channel_down', false, true, null, 'a redirect is never followed: the address in the settings is wrong'),
('*', 'http_302', 'channel_down', false, true, null, 'a redirect is never followed: the address in the settings is wrong'),
('*', 'http_303', 'channel_down', false, true, null, 'a redirect is never followed: the address in the settings is wrong'),
('*', 'http_307', 'channel_down', false, true, null, 'a redirect is never followed: the address in the settings is wrong'),
('*', 'http_308', 'channel_down', false, true, null, 'a redirect is never followed: the address in the settings is wrong'),
('*', 'http_400', 'permanent_message', false, true, null, 'the provider does not understand the message'),
('*', 'http_401', 'auth', false, true, null, 'the key in the settings is missing or wrong'),
('*', 'http_403', 'auth', false, true, null, 'the key in the settings does not allow sending'),
('*', 'http_404', 'channel_down', false, true, null, 'nothing at this address, or no such session: the settings are wrong'),
('*', 'http_405', 'channel_down', false, true, null, 'the address in the settings takes no messages'),
('*', 'http_408', 'ambiguous', false, true, null, 'the server gave up waiting; it may have taken the message'),
('*', 'http_409', 'permanent_message', false, true, null, 'the receiver refuses this message for good'),
('*', 'http_410', 'channel_down', false, true, null, 'the address in the settings is gone'),
('*', 'http_413', 'permanent_message', false, true, null, 'the message is too long for the provider'),
('*', 'http_415', 'permanent_message', false, true, null, 'the provider does not take JSON'),
('*', 'http_422', 'permanent_message', false, true, null, 'the receiver refuses this message for good'),
('*', 'http_429', 'rate_limited_channel', false, true, null, 'held for Retry-After, else longer with each time'),
('*', 'http_500', 'ambiguous', false, true, null, 'the provider may have taken the message before it failed'),
('*', 'http_502', 'ambiguous', false, true, null, 'a proxy lost the provider; the message may have been taken'),
('*', 'http_503', 'ambiguous', false, true, null, 'without Retry-After the message may have been taken'),
('*', 'http_504', 'ambiguous', false, true, null, 'a proxy waited too long; the message may have been taken'),
('webhook', 'http_503_retry_after', 'rate_limited_channel', false, true, null, 'the receiver asks for a pause'),
('waha', 'session_STARTING', 'transient', false, true, 15, 'the session will work in a moment'),
('waha', 'session_STOPPED', 'channel_down', false, true, null, 'start the session in WAHA'),
('waha', 'session_SCAN_QR_CODE', 'channel_down', false, true, null, 'scan the QR code in WAHA'),
('waha', 'session_PASSKEY_REQUIRED', 'channel_down', false, true, null, 'confirm the passkey on the phone'),
('waha', 'session_PASSKEY_CONFIRMATION_REQUIRED', 'channel_down', false, true, null, 'confirm the passkey on the phone'),
('waha', 'session_FAILED', 'channel_down', false, true, null, 'restart the session in WAHA or pair the phone again'),
('waha', 'session_OTHER', 'channel_down', false, true, null, 'the session is in a status that this version does not know'),
('waha', 'server_463', 'channel_down', false, true, null, 'WhatsApp restricts the account: never retry in a loop'),
('waha', 'server_479', 'transient', false, true, 60, 'WhatsApp refused once; one retry is enough to know'),
('waha', 'server_error', 'transient', false, true, 300, 'WhatsApp refused with another number'),
('waha', 'ack_error', 'permanent_recipient', false, true, null, 'WhatsApp reported by receipt that the message was not sent'),
('*', 'not_attempted', 'transient', false, false, 0, 'the runner did not send it: it was stopping, or its lease was about to end'),
('*', 'render_failed', 'permanent_message', false, true, null, 'the text cannot be rendered for this recipient')
on conflict (transport, code) do nothing;

-- sql/30_channel/channel_state.sql

create or replace function retoma.channel_state(p_connected boolean, p_paused boolean) returns text
language sql immutable parallel safe
begin atomic
  select case when p_paused then 'paused' when p_connected then 'connected' else 'disconnected' end;
end;

comment on function retoma.channel_state(boolean, boolean) is 'connected, disconnected or paused, as people see it.';

-- sql/30_channel/ring_lock_class.sql

create or replace function retoma.ring_lock_class() returns int
language sql immutable parallel safe
begin atomic
  select 1380275026; -- the letters RETR
end;

comment on function retoma.ring_lock_class() is 'First key of the advisory locks under which channels are rung.';

-- sql/30_channel/ring.sql

-- The doorbell (decision 0004): one waiting job a channel, however often it is rung. "do nothing" would lose a ring when
-- the waiting job is fetched before we commit; the empty update waits for the fetch and then inserts.
-- Never waits for somebody else who is ringing the same channel (or one of its stripe) and has not committed yet: two transactions that
-- ring several channels at different moments would deadlock, and a psql session left open in a transaction would stop every tick.
-- What is passed over here is rung by the next tick. Stripes bound the number of advisory locks of a transaction that rings thousands.
create or replace function retoma.ring(p_channel_ids int[]) returns void
language sql volatile security definer
set search_path to pg_catalog, pg_temp
begin atomic
  insert into procrastinate.procrastinate_jobs (queue_name, task_name, queueing_lock, args)
  select 'retoma', 'retoma.drain_channel', 'retoma:' || c, jsonb_build_object('channel_id', c)
  from (select distinct u.c from unnest(p_channel_ids) as u (c) order by u.c) as rung
  where pg_try_advisory_xact_lock(retoma.ring_lock_class(), c % 256)
  on conflict (queueing_lock) where status = 'todo'
  do update set queueing_lock = excluded.queueing_lock;
end;

comment on function retoma.ring(int[]) is
'Wakes a waiting runner for each of these channels when this transaction commits, or within a tick if another transaction is ringing it.';

-- sql/30_channel/find_channel.sql

-- Turns the name that a person typed into the row. Takes no lock.
create or replace function retoma.find_channel(p_name text) returns retoma.channel
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_channel retoma.channel;
begin
  select c.* into v_channel from retoma.channel as c where c.name = p_name;
  if not found then
    raise exception using errcode = 'RT001',
      message = format('there is no channel %s', coalesce(quote_literal(p_name), 'null')),
      hint = coalesce(
        'Channels: ' || (select string_agg(c.name, ', ' order by c.name) from retoma.channel as c),
        'There are none yet: select retoma.create_channel(name, transport, settings)'
      );
  end if;
  return v_channel;
end;
$$;

comment on function retoma.find_channel(text) is 'The channel of this name. Error RT001 when there is none.';

-- sql/30_channel/lock_channel.sql

-- Who then changes the channel only if it is not yet as wanted sees what another has just made of it.
create or replace function retoma.lock_channel(p_name text) returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_id int := (retoma.find_channel(p_name)).id;
begin
  perform from retoma.channel as c where c.id = v_id for no key update;
  return v_id;
end;
$$;

comment on function retoma.lock_channel(text) is 'The id of the channel of this name, locked. Error RT001 when there is none.';

-- sql/30_channel/check_settings.sql

-- Refuses settings with which the transport could not send.
create or replace function retoma.check_settings(p_transport text, p_settings jsonb) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_missing text;
  v_unknown text;
  v_known text;
begin
  if jsonb_typeof(p_settings) is distinct from 'object' then
    raise exception using errcode = 'RT003',
      message = format('settings are a JSON object, not %s', coalesce(jsonb_typeof(p_settings), 'null')),
      hint = 'For example {"url": "http://127.0.0.1:8080/messages"}';
  end if;
  select string_agg(k, ', ' order by k) into v_missing
  from retoma.transport as t, unnest(t.required_settings) as k
  where t.name = p_transport and coalesce(p_settings ->> k, '') = '';
  if v_missing is not null then
    raise exception using errcode = 'RT003',
      message = format('transport %L needs these settings: %s', p_transport, v_missing),
      hint = 'Give them as text in the settings object; a value env:NAME is read from the runner''s environment';
  end if;
  select
    string_agg(k, ', ' order by k) filter (where k <> all(t.required_settings || t.optional_settings)),
    array_to_string(t.required_settings || t.optional_settings, ', ')
  into v_unknown, v_known
  from retoma.transport as t, jsonb_object_keys(p_settings) as k
  where t.name = p_transport
  group by t.name;
  if v_unknown is not null then
    raise exception using errcode = 'RT003',
      message = format('transport %L has no settings called %s', p_transport, v_unknown), hint = 'It knows: ' || v_known;
  end if;
  if exists (
    select from jsonb_each_text(p_settings) as s
    where s.key in ('url', 'base_url') and s.value !~ '^(https?://[^[:space:]]+|env:.+)$'
  ) then
    raise exception using errcode = 'RT003',
      message = 'the address in the settings is not a URL', hint = 'It begins with http:// or https://';
  end if;
end;
$$;

comment on function retoma.check_settings(text, jsonb) is 'Error RT003 when settings lack what the transport requires, or have what it does not know.';

-- sql/30_channel/setting_dedupes.sql

-- WAHA takes an id of the caller's on the engines NOWEB and GOWS only; a webhook receiver has to say that it is idempotent.
create or replace function retoma.setting_dedupes(p_transport text, p_settings jsonb) returns boolean
language sql immutable parallel safe
begin atomic
  select case p_transport
    when 'waha' then coalesce(upper(p_settings ->> 'engine') in ('NOWEB', 'GOWS'), false)
    else coalesce(p_settings -> 'idempotent' = 'true'::jsonb, false)
  end;
end;

comment on function retoma.setting_dedupes(text, jsonb) is
'Whether the provider behind these settings shows a repeated message id once.';

-- sql/30_channel/setting_looks_up.sql

-- WAHA needs its store, and an id of ours to look for, which only the engines that take one have.
create or replace function retoma.setting_looks_up(p_transport text, p_settings jsonb) returns boolean
language sql immutable parallel safe
begin atomic
  select case p_transport
    when 'waha' then coalesce(p_settings -> 'store' = 'true'::jsonb, false) and retoma.setting_dedupes(p_transport, p_settings)
    else coalesce(p_settings -> 'look_up' = 'true'::jsonb, false)
  end;
end;

comment on function retoma.setting_looks_up(text, jsonb) is
'Whether the provider behind these settings can say if it has a message of ours.';

-- sql/30_channel/create_channel.sql

-- Makes a channel; pacing that is not given comes from its transport. Takes no lock beyond the new rows.
create or replace function retoma.create_channel(
  p_name text,
  p_transport text,
  p_settings jsonb default '{}',
  p_gap_min_s double precision default null,
  p_gap_max_s double precision default null,
  p_batch_gap_min_s double precision default null,
  p_batch_gap_max_s double precision default null,
  p_rate_per_s double precision default null,
  p_burst int default null,
  p_max_in_flight int default null,
  p_daily_quota int default null
) returns int
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_defaults retoma.transport;
  v_id int;
begin
  select t.* into v_defaults from retoma.transport as t where t.name = p_transport;
  if not found then
    raise exception using errcode = 'RT001',
      message = format('there is no transport %s', coalesce(quote_literal(p_transport), 'null')),
      hint = 'Transports: ' || (
        select string_agg(t.name, ', ' order by t.name) from retoma.transport as t where t.name <> 'null'
      );
  end if;
  if p_name is null or p_name !~ '^[a-z0-9][a-z0-9_.-]{0,62}$' then
    raise exception using errcode = 'RT003',
      message = format('%s is not a channel name', coalesce(quote_literal(p_name), 'null')),
      hint = 'Use up to 63 lower-case letters, digits, dots, dashes and underscores, for example sales';
  end if;
  insert into retoma.channel (name, transport, max_in_flight)
  values (p_name, p_transport, v_defaults.max_in_flight)
  on conflict (name) do nothing
  returning id into v_id;
  if v_id is null then
    raise exception using errcode = 'RT004',
      message = format('there already is a channel %L', p_name),
      hint = 'Change it with retoma.configure_channel, or choose another name';
  end if;
  insert into retoma.channel_pacing (channel_id, gap_min, gap_max, batch_gap_min, batch_gap_max, rate_per_s)
  values (
    v_id, v_defaults.gap_min, v_defaults.gap_max, v_defaults.batch_gap_min, v_defaults.batch_gap_max,
    v_defaults.rate_per_s
  );
  perform retoma.configure_channel(
    p_name, coalesce(p_settings, '{}'), p_gap_min_s, p_gap_max_s, p_batch_gap_min_s, p_batch_gap_max_s,
    p_rate_per_s, coalesce(p_burst, ceil(p_rate_per_s)::int), p_max_in_flight, p_daily_quota
  );
  return v_id;
end;
$$;

comment on function retoma.create_channel(
  text, text, jsonb, double precision, double precision, double precision, double precision, double precision, int, int, int
) is
'Makes a sender account and returns its id. p_settings: address and credentials for the transport, e.g.
{"base_url": "http://127.0.0.1:3000", "session": "default", "api_key": "env:WAHA_API_KEY"} for waha, {"url": "https://…"} for
webhook. Gaps in seconds: random between min and max, between messages and between batches (waha: 5 to 15 and 15 to 30).
p_rate_per_s and p_burst: token bucket; without a burst it holds one second''s messages. p_max_in_flight: requests at once. p_daily_quota: messages a day.
Errors: RT001 unknown transport, RT003 bad value, RT004 name taken.';

-- sql/30_channel/check_dedupes.sql

-- A message that may have arrived waits to be sent again on the channel that shows it once; that has to stay true until then.
create or replace function retoma.check_dedupes(p_channel retoma.channel, p_settings jsonb) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
begin
  if p_channel.dedupes and not retoma.setting_dedupes(p_channel.transport, p_settings) and exists (
    select from retoma.batch as b where b.channel_id = p_channel.id and b.maybe_sent and b.status in ('ready', 'leased')
  ) then
    raise exception using errcode = 'RT002',
      message = format('channel %L is about to repeat messages that may have arrived, and people would see them twice', p_channel.name),
      hint = 'Let it send them first (campaign_batch_details shows its batches), or cancel their campaigns';
  end if;
end;
$$;

comment on function retoma.check_dedupes(retoma.channel, jsonb) is
'Error RT002 when the channel would stop to dedupe with these settings, and has messages to repeat.';

-- sql/30_channel/configure_channel.sql

-- Changes what is given and keeps the rest. Locks the channel and its pacing row; a lease in progress feels the new pacing
-- at its next step, and new settings at its next batch.
create or replace function retoma.configure_channel(
  p_name text,
  p_settings jsonb default null,
  p_gap_min_s double precision default null,
  p_gap_max_s double precision default null,
  p_batch_gap_min_s double precision default null,
  p_batch_gap_max_s double precision default null,
  p_rate_per_s double precision default null,
  p_burst int default null,
  p_max_in_flight int default null,
  p_daily_quota int default null,
  p_max_leases int default null,
  p_time_zone text default null
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_channel retoma.channel := retoma.find_channel(p_name);
  v_pacing retoma.channel_pacing;
  v_settings jsonb;
begin
  -- Two who configure one channel take turns here: what the first has set is read after it.
  select p.* into v_pacing from retoma.channel_pacing as p where p.channel_id = v_channel.id for update;
  select c.* into v_channel from retoma.channel as c where c.id = v_channel.id;
  v_settings := jsonb_strip_nulls(v_channel.settings || coalesce(p_settings, '{}'));
  perform retoma.check_settings(v_channel.transport, v_settings);
  perform retoma.check_time_zone(p_time_zone);
  perform retoma.check_dedupes(v_channel, v_settings);
  v_pacing.gap_min := coalesce(make_interval(secs => p_gap_min_s), least(v_pacing.gap_min, make_interval(secs => p_gap_max_s)));
  v_pacing.gap_max := coalesce(make_interval(secs => p_gap_max_s), greatest(v_pacing.gap_max, v_pacing.gap_min));
  v_pacing.batch_gap_min := coalesce(
    make_interval(secs => p_batch_gap_min_s), least(v_pacing.batch_gap_min, make_interval(secs => p_batch_gap_max_s))
  );
  v_pacing.batch_gap_max := coalesce(
    make_interval(secs => p_batch_gap_max_s), greatest(v_pacing.batch_gap_max, v_pacing.batch_gap_min)
  );
  v_pacing.rate_per_s := coalesce(p_rate_per_s, v_pacing.rate_per_s);
  if v_pacing.gap_max > '0 s' and greatest(p_max_in_flight, p_max_leases) > 1 then
    raise exception using errcode = 'RT003',
      message = format('channel %L has gaps between messages, so only one can be under way', p_name),
      hint = 'Leave max_in_flight and max_leases at 1, or set the gaps to 0 and give a rate';
  end if;
  update retoma.channel_pacing as p
  set
    gap_min = v_pacing.gap_min,
    gap_max = v_pacing.gap_max,
    batch_gap_min = v_pacing.batch_gap_min,
    batch_gap_max = v_pacing.batch_gap_max,
    rate_per_s = v_pacing.rate_per_s,
    burst = coalesce(p_burst, p.burst),
    daily_quota = coalesce(p_daily_quota, p.daily_quota)
  where p.channel_id = v_channel.id;
  update retoma.channel as c
  set
    settings = v_settings,
    dedupes = retoma.setting_dedupes(c.transport, v_settings),
    looks_up = retoma.setting_looks_up(c.transport, v_settings),
    max_in_flight = case when v_pacing.gap_max > '0 s' then 1 else coalesce(p_max_in_flight, c.max_in_flight) end,
    max_leases = case when v_pacing.gap_max > '0 s' then 1 else coalesce(p_max_leases, c.max_leases) end,
    time_zone = coalesce(p_time_zone, c.time_zone)
  where c.id = v_channel.id;
exception
  when check_violation or numeric_value_out_of_range or datetime_field_overflow then
    raise exception using errcode = 'RT003',
      message = format('these values do not fit channel %L: %s', p_name, sqlerrm),
      hint = 'Gaps are seconds, 0 <= min <= max <= 86400; rate, burst, in flight and quota are greater than 0';
end;
$$;

comment on function retoma.configure_channel(
  text, jsonb, double precision, double precision, double precision, double precision, double precision, int, int, int, int, text
) is
'Changes a channel: what is null stays as it is; so do settings that p_settings does not name, and a null in it removes one. Parameters as in create_channel; p_max_leases: batches leased at once (several
runners on one fast channel); p_time_zone: IANA zone in which the quota''s day begins. Errors: RT001, RT002 settings by which repeats would show twice, while some are to be sent, RT003.';

-- sql/30_channel/channel_settings.sql

create or replace function retoma.channel_settings(
  p_name text, out channel_id int, out transport text, out settings jsonb
)
language plpgsql stable security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_channel retoma.channel := retoma.find_channel(p_name);
begin
  channel_id := v_channel.id;
  transport := v_channel.transport;
  settings := v_channel.settings;
end;
$$;

comment on function retoma.channel_settings(text) is
'For runners and receivers of webhooks: how to reach the provider of a channel. Error RT001: unknown channel.';

-- sql/30_channel/channel_connected.sql

-- Locks the channel; its triggers resume the campaigns that its absence interrupted, and ring.
create or replace function retoma.channel_connected(p_name text) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_id int := retoma.lock_channel(p_name);
begin
  update retoma.channel as c
  set connected = true, state_reason = null
  where c.id = v_id and not c.connected;
end;
$$;

comment on function retoma.channel_connected(text) is
'The sender account is connected (again): campaigns that were interrupted by its absence go on. Harmless when it already was.
Error RT001: unknown channel.';

-- sql/30_channel/channel_disconnected.sql

-- Locks the channel; its triggers interrupt the running campaigns that have no other channel.
create or replace function retoma.channel_disconnected(p_name text, p_reason text default 'disconnected') returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_id int := retoma.lock_channel(p_name);
begin
  update retoma.channel as c
  set connected = false, state_reason = coalesce(p_reason, 'disconnected')
  where c.id = v_id and c.connected;
end;
$$;

comment on function retoma.channel_disconnected(text, text) is
'The sender account is not connected: nothing is reserved on it until channel_connected. Running campaigns without another
usable channel become interrupted. Harmless when it already was. Error RT001: unknown channel.';

-- sql/30_channel/pause_channel.sql

-- Locks the channel; its triggers interrupt the running campaigns that have no other channel.
create or replace function retoma.pause_channel(p_name text, p_reason text default 'paused by the operator') returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_id int := retoma.lock_channel(p_name);
begin
  update retoma.channel as c
  set paused = true, state_reason = coalesce(p_reason, 'paused by the operator')
  where c.id = v_id and not c.paused;
end;
$$;

comment on function retoma.pause_channel(text, text) is
'Sends nothing more on this channel until resume_channel; a reconnect does not undo it. Error RT001: unknown channel.';

-- sql/30_channel/resume_channel.sql

-- Locks the pacing row, then the channel; its triggers resume the campaigns that the pause interrupted.
create or replace function retoma.resume_channel(p_name text) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_id int := (retoma.find_channel(p_name)).id;
begin
  update retoma.channel_pacing as p
  set hold_until = '-infinity', hold_reason = null, hold_streak = 0
  where p.channel_id = v_id and p.hold_until > retoma.clock();
  perform retoma.lock_channel(p_name);
  update retoma.channel as c
  set paused = false, state_reason = case when c.connected then null else c.state_reason end
  where c.id = v_id and c.paused;
end;
$$;

comment on function retoma.resume_channel(text) is
'Ends pause_channel, and a hold that a rate limit put on the channel; that of a used-up quota only when the quota has been raised. Gaps
between messages still hold.
Error RT001: unknown channel.';

-- sql/30_channel/channel_guard.sql

-- BEFORE UPDATE: what a channel may not become.
create or replace function retoma.channel_guard() returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if (new.id, new.name, new.transport) is distinct from (old.id, old.name, old.transport) then
    raise exception using errcode = 'RT002',
      message = format('channel %L cannot change its id, name or transport', old.name),
      hint = 'Its audit and its message ids hang on them: make a new channel instead';
  end if;
  return new;
end;
$$;

comment on function retoma.channel_guard() is 'Trigger: refuses a new identity for a channel (RT002).';

create or replace trigger channel_guard before update on retoma.channel
for each row execute function retoma.channel_guard();

-- sql/30_channel/channel_changed.sql

-- AFTER INSERT OR UPDATE: writes the audit, and carries the state of the channel to its campaigns.
-- Campaigns are locked in the order of their ids, and judged after the lock: two channels of one campaign that go down at
-- the same moment cannot both believe in the other. One that comes back waits for its running campaigns too, as another channel
-- may be interrupting them at this moment.
create or replace function retoma.channel_changed() returns trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_was_usable boolean := tg_op = 'UPDATE' and old.connected and not old.paused;
  v_is_usable boolean := new.connected and not new.paused;
  v_campaign_ids int[];
begin
  insert into retoma.event (subject, channel_id, from_state, to_state, why)
  values (
    'channel', new.id,
    case when tg_op = 'UPDATE' then retoma.channel_state(old.connected, old.paused) end,
    retoma.channel_state(new.connected, new.paused),
    new.state_reason
  );
  if tg_op = 'INSERT' or v_was_usable = v_is_usable then
    return null;
  end if;
  v_campaign_ids := array(
    select c.id
    from retoma.campaign_channel as cc
    inner join retoma.campaign as c on cc.campaign_id = c.id
    where cc.channel_id = new.id
      and (c.status = 'running' or c.interrupt_cause = 'channel' and v_is_usable)
    order by c.id
    for no key update of c
  );
  perform retoma.match_channels(u.id) from unnest(v_campaign_ids) as u (id);
  if v_is_usable then
    perform retoma.ring(array[new.id]);
  end if;
  return null;
end;
$$;

comment on function retoma.channel_changed() is
'Trigger: writes the audit; interrupts the running campaigns of a channel that goes down, resumes them when it is back, rings.';

create or replace trigger channel_changed after insert or update of connected, paused on retoma.channel
for each row execute function retoma.channel_changed();

-- sql/40_campaign/find_campaign.sql

-- Turns the name that a person typed into the row, and locks it when the caller is about to change its state.
create or replace function retoma.find_campaign(p_name text, p_lock boolean default false) returns retoma.campaign
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma.campaign;
begin
  if p_lock then
    select c.* into v_campaign from retoma.campaign as c where c.name = p_name for no key update;
  else
    select c.* into v_campaign from retoma.campaign as c where c.name = p_name;
  end if;
  if v_campaign.id is null then
    raise exception using errcode = 'RT001',
      message = format('there is no campaign %s', coalesce(quote_literal(p_name), 'null')),
      hint = 'See them all: select campaign, status from retoma.v_campaign_summary';
  end if;
  return v_campaign;
end;
$$;

comment on function retoma.find_campaign(text, boolean) is 'The campaign of this name. Error RT001 when there is none.';

-- sql/40_campaign/refuse_transition.sql

-- One wording for every change of state that cannot be.
create or replace function retoma.refuse_transition(p_campaign retoma.campaign, p_action text, p_hint text) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'RT002',
    message = format('cannot %s campaign %L: it is %s', p_action, p_campaign.name, p_campaign.status),
    hint = p_hint;
end;
$$;

comment on function retoma.refuse_transition(retoma.campaign, text, text) is 'Raises RT002, in one wording.';

-- sql/40_campaign/check_time_zone.sql

create or replace function retoma.check_time_zone(p_zone text) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
begin
  if p_zone is not null and not exists (select from pg_timezone_names as z where z.name = p_zone) then
    raise exception using errcode = 'RT003',
      message = format('there is no time zone %L', p_zone),
      hint = 'Use an IANA name such as America/Sao_Paulo: select name from pg_timezone_names';
  end if;
end;
$$;

comment on function retoma.check_time_zone(text) is 'Error RT003 when this is not the name of a time zone. Null is accepted.';

-- sql/40_campaign/check_text.sql

-- Finds what SQL can find: an empty text, and Liquid braces that do not pair. The runner parses it fully before the first send.
create or replace function retoma.check_text(p_text text) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_rest text := regexp_replace(regexp_replace(p_text, '\{\{.*?\}\}', '', 'g'), '\{%.*?%\}', '', 'g');
begin
  if coalesce(trim(p_text), '') = '' then
    raise exception using errcode = 'RT003',
      message = 'the text of a campaign cannot be empty',
      hint = 'For example ''Olá {{ name }}''';
  end if;
  if v_rest ~ '\{\{|\}\}|\{%|%\}' then
    raise exception using errcode = 'RT003',
      message = 'the text has Liquid braces that do not pair',
      hint = 'Write {{ variable }} and {% tag %}, each with its closing braces';
  end if;
end;
$$;

comment on function retoma.check_text(text) is 'Error RT003 when a text is empty or its Liquid braces do not pair.';

-- sql/40_campaign/template_variables.sql

-- The variables that a Liquid text cannot do without: those of {{ … }} outputs at the top level, less those with a default
-- filter and those that the text itself sets (assign, capture, for, increment). What stands in {% if … %} is optional.
create or replace function retoma.template_variables(p_body text) returns text[]
language sql immutable
begin atomic
  select coalesce(array_agg(distinct v.name order by v.name), '{}')
  from (
    select o[1] as name
    from regexp_matches(
      regexp_replace(p_body, '\{%-?\s*(if|unless|case|comment|raw)\M.*?\{%-?\s*end\1\s*-?%\}', '', 'g'),
      '\{\{-?\s*([a-zA-Z_][\w]*)(?![^}]*\|\s*default\s*:)', 'g'
    ) as o
  ) as v
  where v.name not in ('true', 'false', 'nil', 'null', 'empty', 'blank', 'forloop', 'phone')
    and p_body !~ ('\{%-?\s*(assign|capture|for|increment|decrement)\s+' || v.name || '\y');
end;

comment on function retoma.template_variables(text) is
'Variables that every recipient must have for this Liquid text: {{ name }} counts, {{ name | default: "you" }} does not.';

-- sql/40_campaign/ensure_partition.sql

-- A partition holds the campaigns of one block of 100 ids: few enough tables for tens of thousands of small campaigns, and
-- retention can still drop one instead of deleting rows. Made apart and attached, which does not block readers or writers of
-- the other partitions (a plain "create table … partition of" would). An advisory lock makes two first campaigns of a block safe.
-- No statistics of campaign_id: they never know the newest campaign, and the planner then takes it for empty, and may look for one of
-- its messages through all of them. See also refresh_statistics and known_phones.
create or replace function retoma.ensure_partition(p_campaign_id int) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  c_block constant int := 100;
  v_from int := (p_campaign_id / c_block) * c_block;
  v_parent text;
begin
  if to_regclass(format('retoma.%I', 'delivery_p' || v_from)) is not null then
    return;
  end if;
  perform pg_advisory_xact_lock(hashtext('retoma.ensure_partition'));
  foreach v_parent in array array['message', 'delivery'] loop
    if to_regclass(format('retoma.%I', v_parent || '_p' || v_from)) is null then
      execute format(
        'create table retoma.%I (like retoma.%I including defaults including constraints)', v_parent || '_p' || v_from, v_parent
      );
      execute format(
        'alter table retoma.%I attach partition retoma.%I for values from (%L) to (%L)',
        v_parent, v_parent || '_p' || v_from, v_from, v_from + c_block
      );
      execute format('alter table retoma.%I alter column campaign_id set statistics 0', v_parent || '_p' || v_from);
    end if;
  end loop;
end;
$$;

comment on function retoma.ensure_partition(int) is 'Makes the partitions of message and delivery for this campaign, where they are missing.';

-- sql/40_campaign/create_campaign.sql

-- Makes a draft, and the partitions for its messages. The overload takes one channel.
create or replace function retoma.create_campaign(
  p_name text,
  p_channels text[],
  p_text text,
  p_batch_size int default 300,
  p_starts_at timestamptz default null,
  p_max_attempts int default 3,
  p_time_zone text default null
) returns int
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_channel_ids int[];
  v_id int;
begin
  if coalesce(cardinality(p_channels), 0) = 0 then
    raise exception using errcode = 'RT003',
      message = 'a campaign needs at least one channel',
      hint = 'Give a name, or several: array[''sales'', ''support'']';
  end if;
  v_channel_ids := (select array_agg(distinct (retoma.find_channel(u.name)).id) from unnest(p_channels) as u (name));
  perform retoma.check_text(p_text);
  perform retoma.check_time_zone(p_time_zone);
  insert into retoma.campaign (name, body, required_variables, batch_size, starts_at, max_attempts, time_zone)
  values (
    trim(p_name), p_text, retoma.template_variables(p_text), coalesce(p_batch_size, 300), p_starts_at,
    coalesce(p_max_attempts, 3), p_time_zone
  )
  on conflict (name) do nothing
  returning id into v_id;
  if v_id is null then
    raise exception using errcode = 'RT004',
      message = format('there already is a campaign %L', trim(p_name)),
      hint = 'Choose another name; finished campaigns keep theirs for the record';
  end if;
  insert into retoma.campaign_channel (campaign_id, channel_id) select v_id, u.id from unnest(v_channel_ids) as u (id);
  perform retoma.ensure_partition(v_id);
  return v_id;
exception
  when check_violation or not_null_violation or numeric_value_out_of_range then
    raise exception using errcode = 'RT003',
      message = format('these values do not make a campaign: %s', sqlerrm),
      hint = 'name: 1 to 200 characters; batch size: 1 to 10000; attempts: 1 to 20';
end;
$$;

comment on function retoma.create_campaign(text, text[], text, int, timestamptz, int, text) is
'Makes a draft and returns its id. p_channels: the sender accounts that share it. p_text: a Liquid text, for example
''Olá {{ name }}''. p_batch_size: messages a batch. p_starts_at: start_campaign will wait until then. p_max_attempts: tries a
message. p_time_zone: zone for recipients whose own is unknown, and of the day
of the daily cap. Next: add_recipients or load_staged, then start_campaign.
Errors: RT001 unknown channel, RT003 bad value, RT004 name taken.';

create or replace function retoma.create_campaign(
  p_name text,
  p_channel text,
  p_text text,
  p_batch_size int default 300,
  p_starts_at timestamptz default null,
  p_max_attempts int default 3,
  p_time_zone text default null
) returns int
language sql volatile security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select retoma.create_campaign(p_name, array[p_channel], p_text, p_batch_size, p_starts_at, p_max_attempts, p_time_zone);
end;

comment on function retoma.create_campaign(text, text, text, int, timestamptz, int, text) is
'As create_campaign with an array of channels, for one channel.';

-- sql/40_campaign/has_windows.sql

create or replace function retoma.has_windows(p_campaign_id int) returns boolean
language sql stable
begin atomic
  select exists(select from retoma.campaign_rule as r where r.campaign_id = p_campaign_id and r.kind = 'window');
end;

comment on function retoma.has_windows(int) is 'Whether the campaign may send at certain times of the day only.';

-- sql/40_campaign/window_is_open.sql

-- A recipient who may be in several zones is contacted only when all of them are inside a window.
create or replace function retoma.window_is_open(p_campaign_id int, p_zone text, p_at timestamptz) returns boolean
language sql stable
begin atomic
  select p_zone = '' or not exists (
    select from unnest(string_to_array(p_zone, ',')) as z (name)
    where not exists (
      select from retoma.campaign_rule as r
      where r.campaign_id = p_campaign_id and r.kind = 'window'
        and extract(isodow from p_at at time zone z.name)::smallint = any(r.days)
        and (p_at at time zone z.name)::time >= r.opens
        and (p_at at time zone z.name)::time < r.closes
    )
  );
end;

comment on function retoma.window_is_open(int, text, timestamptz) is
'Whether the campaign may send to this zone (IANA names joined by commas) at this time; an empty zone has no windows.';

-- sql/40_campaign/add_window.sql

-- Locks the campaign: windows decide how batches are cut, so they are fixed at the start.
create or replace function retoma.add_window(
  p_campaign text, p_opens time, p_closes time, p_days int[] default '{1,2,3,4,5,6,7}'
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma.campaign := retoma.find_campaign(p_campaign, p_lock => true);
begin
  if v_campaign.status <> 'draft' then
    perform retoma.refuse_transition(v_campaign, 'change the windows of', 'Windows are set before the start');
  end if;
  insert into retoma.campaign_rule (campaign_id, kind, days, opens, closes)
  values (v_campaign.id, 'window', p_days::smallint[], p_opens, p_closes);
exception
  when check_violation or not_null_violation or numeric_value_out_of_range then
    raise exception using errcode = 'RT003',
      message = format('%s to %s on days %s is not a window', p_opens, p_closes, p_days),
      hint = 'It opens before it closes, on ISO days 1 (Monday) to 7; for a window over midnight add two';
end;
$$;

comment on function retoma.add_window(text, time, time, int[]) is
'Sends only from p_opens until before p_closes on these ISO days, in each recipient''s own time zone. Several windows add up.
Errors: RT001, RT002 not a draft, RT003 not a window.';

-- sql/40_campaign/set_daily_cap.sql

-- Locks the campaign's cap, if it has one.
create or replace function retoma.set_daily_cap(p_campaign text, p_cap int) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_id int := (retoma.find_campaign(p_campaign)).id;
begin
  if p_cap <= 0 then
    raise exception using errcode = 'RT003',
      message = format('%s is not a number of messages a day', p_cap),
      hint = 'Give a number greater than 0, or null for no cap';
  end if;
  if p_cap is null then
    delete from retoma.campaign_rule as r where r.campaign_id = v_id and r.kind = 'daily_cap';
  else
    insert into retoma.campaign_rule (campaign_id, kind, cap) values (v_id, 'daily_cap', p_cap)
    on conflict (campaign_id) where kind = 'daily_cap' do update set cap = excluded.cap;
  end if;
end;
$$;

comment on function retoma.set_daily_cap(text, int) is
'At most this many messages of the campaign a day, over all of its channels; null for no cap. Errors: RT001, RT003.';

-- sql/40_campaign/reject_reason.sql

create or replace function retoma.reject_reason(p_phone text, p_variables jsonb, p_zone text, p_bad_zones text[]) returns text
language sql immutable parallel safe
begin atomic
  select case
    when coalesce(p_phone, '') = '' then 'no phone number'
    when not retoma.is_e164(p_phone) then 'not an E.164 number, such as +5511955501234'
    when jsonb_typeof(p_variables) <> 'object' then 'variables are not a JSON object'
    -- Nearly always there are none, and to cut every zone into its names takes longer than all the rest.
    when p_bad_zones <> '{}' and p_zone is not null and string_to_array(p_zone, ',') && p_bad_zones then 'unknown time zone'
  end;
end;

comment on function retoma.reject_reason(text, jsonb, text, text[]) is 'Why a recipient cannot be loaded; null when it can.';

-- sql/40_campaign/time_zone_names.sql

-- Called immutable so that a plan holds the list and a session reads it once: that takes 10 to 20 ms, as it reads 600 files, which
-- only an update of the server changes.
create or replace function retoma.time_zone_names() returns text[]
language sql immutable
begin atomic
  select array_agg(z.name) from pg_timezone_names as z;
end;

comment on function retoma.time_zone_names() is 'Names of time zones that the server knew when the session first asked.';

-- sql/40_campaign/unknown_zones.sql

-- The plan is kept, and with it the list of names.
create or replace function retoma.unknown_zones(p_zones text[]) returns text[]
language plpgsql stable
set search_path to pg_catalog, pg_temp
set plan_cache_mode to force_generic_plan
as $$
begin
  return array(
    select distinct name.name
    from (select distinct given.zones from unnest(p_zones) as given (zones) where given.zones <> '') as used
    cross join lateral unnest(string_to_array(used.zones, ',')) as name (name)
    where name.name <> all(retoma.time_zone_names())
  );
end;
$$;

comment on function retoma.unknown_zones(text[]) is
'Names that the server does not know, among zones that are joined by commas in each element.';

-- sql/40_campaign/lock_draft.sql

-- Locks the campaign, so that two loads of it take turns.
create or replace function retoma.lock_draft(p_campaign text) returns retoma.campaign
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma.campaign := retoma.find_campaign(p_campaign, p_lock => true);
begin
  if v_campaign.status <> 'draft' then
    perform retoma.refuse_transition(
      v_campaign, 'add recipients to', 'The audience is frozen at the start: make a new campaign for further recipients'
    );
  end if;
  -- A block of campaigns can be dropped while its last one is being created.
  perform retoma.ensure_partition(v_campaign.id);
  return v_campaign;
end;
$$;

comment on function retoma.lock_draft(text) is 'The draft of this name, locked. Errors: RT001 unknown campaign, RT002 it is not a draft.';

-- sql/40_campaign/known_phones.sql

-- While a long list is loaded, the planner knows nothing of it: an analyze in the middle sees no row, as none is committed, and from then on
-- the campaign counts as empty. Then any index will do, and one look-up reads all that was loaded. So each asks for an order (of the one
-- number that there can be) which only the index of numbers has without a sort; and by a subquery of its own, which cannot become a join
-- of the whole campaign.
create or replace function retoma.known_phones(p_campaign_id int, p_phones text[]) returns text[]
language plpgsql stable
set search_path to pg_catalog, pg_temp
set plan_cache_mode to force_custom_plan
set enable_seqscan to off
set enable_bitmapscan to off
set enable_sort to off
as $$
begin
  return array(
    select u.phone from unnest(p_phones) as u (phone)
    where (
      select m.phone from retoma.message as m
      where m.campaign_id = p_campaign_id and m.phone >= u.phone and m.phone <= u.phone
      order by m.phone
      limit 1
    ) is not null
  );
end;
$$;

comment on function retoma.known_phones(int, text[]) is 'Those of the numbers that the campaign has already.';

-- sql/40_campaign/add_recipients.sql

-- The one way into the audience; the others end here. One message a number, ordinals without gaps in the order of the list; what is
-- refused is kept in recipient_reject with its reason. Locks the campaign.
--
-- Plans are made anew for every call: one that is kept has never seen how long the arrays are, and joins them row by row with row.
create or replace function retoma.add_recipients(
  p_campaign text,
  p_lines bigint[],
  p_phones text[],
  p_variables jsonb[],
  p_zones text[],
  out accepted bigint,
  out duplicates bigint,
  out rejected bigint
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set plan_cache_mode to force_custom_plan
as $$
declare
  v_campaign retoma.campaign := retoma.lock_draft(p_campaign);
  v_bad_zones text[] := retoma.unknown_zones(p_zones);
  v_known text[] := retoma.known_phones(v_campaign.id, p_phones);
begin
  with given as materialized (
    select
      g.place, g.line, g.phone, g.variables, g.zone,
      retoma.reject_reason(g.phone, g.variables, g.zone, v_bad_zones) as reason
    from (
      select u.place, u.line, u.phone, coalesce(u.variables, '{}') as variables, nullif(u.zone, '') as zone
      from unnest(p_lines, p_phones, p_variables, p_zones) with ordinality as u (line, phone, variables, zone, place)
    ) as g
  ),
  refused as (
    insert into retoma.recipient_reject (campaign_id, line, phone, reason)
    select v_campaign.id, g.line, g.phone, g.reason from given as g where g.reason is not null
    returning 1
  ),
  single as (
    select min(g.place) as place from given as g where g.reason is null group by g.phone
  ),
  loaded as (
    insert into retoma.message (campaign_id, ordinal, phone, zone, variables)
    select v_campaign.id, v_campaign.total + row_number() over (order by g.place), g.phone, g.zone, g.variables
    from single as s
    inner join given as g on s.place = g.place
    where g.phone <> all(v_known)
    returning 1
  )
  select l.n, g.n - l.n - r.n, r.n into accepted, duplicates, rejected
  from
    (select count(*) as n from loaded) as l,
    (select count(*) as n from given) as g,
    (select count(*) as n from refused) as r;
  update retoma.campaign as c set total = c.total + accepted where c.id = v_campaign.id;
end;
$$;

comment on function retoma.add_recipients(text, bigint[], text[], jsonb[], text[]) is
'Adds recipients to a draft, of which the arrays hold: place in the source (for the list of rejects; may be null), phone, variables,
time zones joined by commas (may be null). For programs that load long lists: 5,000 at a time are fast.
Returns how many were accepted, merged as duplicates of a number that the campaign already has, and rejected.
Errors: RT001 unknown campaign, RT002 it is not a draft.';

create or replace function retoma.add_recipients(
  p_campaign text, p_recipients jsonb, out accepted bigint, out duplicates bigint, out rejected bigint
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  if jsonb_typeof(p_recipients) is distinct from 'array' then
    raise exception using errcode = 'RT003',
      message = 'recipients are a JSON array of objects',
      hint = 'For example [{"phone": "+5511955501234", "variables": {"name": "Ana"}}]';
  end if;
  select a.accepted, a.duplicates, a.rejected into accepted, duplicates, rejected
  from (
    select
      array_agg(r.line order by r.line) as lines,
      array_agg(r.item ->> 'phone' order by r.line) as phones,
      array_agg(r.item -> 'variables' order by r.line) as variables,
      array_agg(r.item ->> 'zone' order by r.line) as zones
    from jsonb_array_elements(p_recipients) with ordinality as r (item, line)
  ) as list
  cross join lateral retoma.add_recipients(p_campaign, list.lines, list.phones, list.variables, list.zones) as a;
end;
$$;

comment on function retoma.add_recipients(text, jsonb) is
'Adds recipients to a draft: [{"phone": "+5511955501234", "variables": {"name": "Ana"}, "zone": "America/Sao_Paulo"}, …].
Returns how many were accepted, merged as duplicates, and rejected. For large lists see retoma.recipient_staging.
Errors: RT001 unknown campaign, RT002 it is not a draft, RT003 not an array.';

-- sql/40_campaign/load_staged.sql

-- Passes the staged rows of a draft to add_recipients, in the order of their lines and in blocks of 10,000, which fit into work_mem.
-- Locks the campaign. Staged rows are consumed.
create or replace function retoma.load_staged(
  p_campaign text, out accepted bigint, out duplicates bigint, out rejected bigint
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_block record;
begin
  perform retoma.lock_draft(p_campaign);
  accepted := 0;
  duplicates := 0;
  rejected := 0;
  for v_block in
    with taken as (
      delete from retoma.recipient_staging as s where s.campaign = p_campaign
      returning s.line, s.ctid as place, s.phone, s.variables, s.zone
    ),
    numbered as (
      select t.*, row_number() over (order by t.line nulls last, t.place) as number from taken as t
    )
    select
      array_agg(n.line order by n.number) as lines,
      array_agg(n.phone order by n.number) as phones,
      array_agg(n.variables order by n.number) as variables,
      array_agg(n.zone order by n.number) as zones
    from numbered as n
    group by n.number / 10000
    order by n.number / 10000
  loop
    select load_staged.accepted + a.accepted, load_staged.duplicates + a.duplicates, load_staged.rejected + a.rejected
    into accepted, duplicates, rejected
    from retoma.add_recipients(p_campaign, v_block.lines, v_block.phones, v_block.variables, v_block.zones) as a;
  end loop;
end;
$$;

comment on function retoma.load_staged(text) is
'Loads what \copy put into retoma.recipient_staging for this draft. Returns how many recipients were accepted, merged as
duplicates of a number that the campaign already has, and rejected (see retoma.recipient_reject).
Errors: RT001 unknown campaign, RT002 it is not a draft.';

-- sql/40_campaign/check_audience.sql

-- What would only be found in the middle of a campaign is refused before it starts. Reads every message once.
create or replace function retoma.check_audience(p_campaign retoma.campaign) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_missing bigint;
  v_first int;
begin
  if p_campaign.total = 0 then
    raise exception using errcode = 'RT005',
      message = format('campaign %L has no recipients', p_campaign.name),
      hint = 'Load some: retoma.add_recipients, retoma.load_staged or "retoma import FILE.csv"';
  end if;
  if p_campaign.required_variables <> '{}' then
    select count(*), min(m.ordinal) into v_missing, v_first
    from retoma.message as m
    where m.campaign_id = p_campaign.id
      and exists (select from unnest(p_campaign.required_variables) as k where coalesce(m.variables ->> k, '') = '');
    if v_missing > 0 then
      raise exception using errcode = 'RT005',
        message = format(
          '%s recipients of campaign %L lack one of the variables %s (the first is number %s)',
          v_missing, p_campaign.name, array_to_string(p_campaign.required_variables, ', '), v_first
        ),
        hint = 'Import them with these columns, or give the text a default: {{ name | default: "" }}';
    end if;
  end if;
  if retoma.has_windows(p_campaign.id) and p_campaign.time_zone is null and exists (
    select from retoma.message as m where m.campaign_id = p_campaign.id and m.zone is null
  ) then
    raise exception using errcode = 'RT005',
      message = format('campaign %L has sending windows, but the time zone of some recipients is not known', p_campaign.name),
      hint = 'Give the campaign a zone for them: update retoma.campaign set time_zone = ''America/Sao_Paulo'' where …';
  end if;
end;
$$;

comment on function retoma.check_audience(retoma.campaign) is
'Error RT005 when the campaign has no recipients, when one lacks a variable, or when a window could not be applied to one.';

-- sql/40_campaign/queue_list.sql

-- Queues messages as new batches of at most the campaign's batch size.
create or replace function retoma.queue_list(
  p_campaign_id int,
  p_zone text,
  p_attempt smallint,
  p_charged smallint,
  p_ordinals int[],
  p_not_before timestamptz default '-infinity',
  p_channel_id int default null,
  p_maybe_sent boolean default false
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_size int := (select c.batch_size from retoma.campaign as c where c.id = p_campaign_id);
  v_slice int[];
  v_id bigint;
begin
  for v_from in 1 .. cardinality(p_ordinals) by v_size loop
    v_slice := p_ordinals[v_from : v_from + v_size - 1];
    insert into retoma.batch (campaign_id, zone, size, attempt, charged, not_before, channel_id, maybe_sent)
    values (
      p_campaign_id, p_zone, cardinality(v_slice), p_attempt, p_charged, p_not_before, p_channel_id, p_maybe_sent
    )
    returning id into v_id;
    insert into retoma.batch_list (batch_id, ordinals) values (v_id, v_slice);
  end loop;
end;
$$;

comment on function retoma.queue_list(int, text, smallint, smallint, int[], timestamptz, int, boolean) is
'Makes batches out of a list of ordinals.';

-- sql/40_campaign/queue_retry.sql

-- Queues messages for another attempt not before p_delay from now. They join a waiting batch that is due within twice the
-- delay, if it has room, so that single failures do not become single batches; a new one is due at one and a half times.
-- Locks that batch, and skips it when somebody leases it just now.
create or replace function retoma.queue_retry(
  p_batch retoma.batch, p_ordinals int[], p_charge int, p_delay interval, p_maybe_sent boolean, p_channel_id int
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := retoma.clock();
  v_room int := (select c.batch_size from retoma.campaign as c where c.id = p_batch.campaign_id);
  v_id bigint;
begin
  select b.id into v_id
  from retoma.batch as b
  where b.campaign_id = p_batch.campaign_id and b.zone = p_batch.zone and b.status = 'ready'
    and b.not_before between v_now + p_delay and v_now + 2 * p_delay
    and b.attempt = p_batch.attempt + 1 and b.charged = p_batch.charged + p_charge
    and b.maybe_sent = p_maybe_sent and b.channel_id is not distinct from p_channel_id
    and b.reserved = 0 and b.first_ordinal is null and b.size + cardinality(p_ordinals) <= v_room
  limit 1
  for update skip locked;
  if found then
    update retoma.batch_list as l set ordinals = l.ordinals || p_ordinals where l.batch_id = v_id;
    update retoma.batch as b set size = b.size + cardinality(p_ordinals) where b.id = v_id;
  else
    perform retoma.queue_list(
      p_batch.campaign_id, p_batch.zone, (p_batch.attempt + 1)::smallint, (p_batch.charged + p_charge)::smallint, p_ordinals,
      v_now + 1.5 * p_delay, p_channel_id, p_maybe_sent
    );
  end if;
end;
$$;

comment on function retoma.queue_retry(retoma.batch, int[], int, interval, boolean, int) is
'Queues messages of a batch for another attempt: p_charge 1 when this one counts; p_maybe_sent when it may have arrived.';

-- sql/40_campaign/cut_batches.sql

-- Without windows a batch is a range of ordinals. With windows all messages of one batch have the same zone, as a list, so that
-- a window holds a batch back and never a message inside it.
create or replace function retoma.cut_batches(p_campaign retoma.campaign) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  if not retoma.has_windows(p_campaign.id) then
    insert into retoma.campaign_zone (campaign_id, zone) values (p_campaign.id, '');
    insert into retoma.batch (campaign_id, first_ordinal, size)
    select p_campaign.id, f, least(p_campaign.batch_size, p_campaign.total - f + 1)
    from generate_series(1, p_campaign.total, p_campaign.batch_size) as f
    order by f;
    return;
  end if;
  insert into retoma.campaign_zone (campaign_id, zone)
  select distinct p_campaign.id, coalesce(m.zone, p_campaign.time_zone) from retoma.message as m where m.campaign_id = p_campaign.id;
  perform retoma.queue_list(p_campaign.id, z.zone, 1::smallint, 0::smallint, z.ordinals)
  from (
    select coalesce(m.zone, p_campaign.time_zone) as zone, array_agg(m.ordinal order by m.ordinal) as ordinals
    from retoma.message as m
    where m.campaign_id = p_campaign.id
    group by 1
  ) as z;
end;
$$;

comment on function retoma.cut_batches(retoma.campaign) is 'Cuts the messages of a campaign that starts into batches.';

-- sql/40_campaign/why_no_channel.sql

-- A snapshot of its own each time: volatile, so that it sees what was committed while its caller waited for a lock.
create or replace function retoma.why_no_channel(p_campaign_id int) returns text
language sql volatile
begin atomic
  select case
    when bool_or(c.connected and not c.paused) then null
    else string_agg(
      format('channel %s is %s', c.name, retoma.channel_state(c.connected, c.paused))
      || coalesce(': ' || nullif(c.state_reason, retoma.channel_state(c.connected, c.paused)), ''), '; ' order by c.name
    )
  end
  from retoma.campaign_channel as cc
  inner join retoma.channel as c on cc.channel_id = c.id
  where cc.campaign_id = p_campaign_id;
end;

comment on function retoma.why_no_channel(int) is 'Null when a channel of the campaign can send, otherwise the state of each.';

-- sql/40_campaign/match_channels.sql

-- Makes a campaign interrupted when none of its channels can send, and running again when one can.
-- The caller holds the campaign's row lock; what its channels are is read after it.
create or replace function retoma.match_channels(p_campaign_id int) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_reason text := retoma.why_no_channel(p_campaign_id);
begin
  if v_reason is null then
    update retoma.campaign as c
    set status = 'running', status_reason = null, interrupt_cause = null
    where c.id = p_campaign_id and c.interrupt_cause = 'channel';
  else
    update retoma.campaign as c
    set status = 'interrupted', status_reason = v_reason, interrupt_cause = 'channel'
    where c.id = p_campaign_id and c.status = 'running';
  end if;
end;
$$;

comment on function retoma.match_channels(int) is 'Interrupts or resumes a campaign by the state of its channels.';

-- sql/40_campaign/match_campaigns.sql

-- A channel that changes while one of its campaigns begins to run does not see it, and that campaign did not see the change: whoever commits
-- last leaves them apart. Here they are brought together. Locks the campaigns, passing over those that somebody is changing.
create or replace function retoma.match_campaigns() returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_ids int[] := array(
    select c.id from retoma.campaign as c
    where (c.status = 'running' or c.interrupt_cause = 'channel')
      and (c.status = 'running') <> exists(
        select from retoma.campaign_channel as cc
        inner join retoma.channel as h on cc.channel_id = h.id
        where cc.campaign_id = c.id and h.connected and not h.paused
      )
    order by c.id
    for no key update skip locked
  );
begin
  perform retoma.match_channels(u.id) from unnest(v_ids) as u (id);
end;
$$;

comment on function retoma.match_campaigns() is
'Interrupts the running campaigns that have no channel to send, and resumes those that were interrupted by a channel that can.';

-- sql/40_campaign/refresh_statistics.sql

-- A long list is loaded in one transaction, and an analyze in the middle of it sees no row: the planner then takes the partition for
-- empty, where any index will do, and each step would read the whole campaign until it is analysed again. Skips where somebody is at it.
create or replace function retoma.refresh_statistics(p_campaign retoma.campaign) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_partition regclass := (select m.tableoid from retoma.message as m where m.campaign_id = p_campaign.id limit 1);
begin
  -- Below 0: never analysed. Then the size of the table is what counts.
  if (select c.reltuples from pg_class as c where c.oid = v_partition) between 0 and p_campaign.total / 2 then
    execute format('analyze (skip_locked) %s', v_partition);
  end if;
end;
$$;

comment on function retoma.refresh_statistics(retoma.campaign) is
'Analyses the partition of a loaded campaign, where the planner believes that it holds less than half of that campaign.';

-- sql/40_campaign/start_campaign.sql

-- Freezes the audience, cuts it into batches and sets the campaign going (or scheduled). Locks the campaign; the trigger rings.
create or replace function retoma.start_campaign(p_campaign text, p_at timestamptz default null) returns text
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma.campaign := retoma.find_campaign(p_campaign, p_lock => true);
  v_at timestamptz := coalesce(p_at, case when v_campaign.status = 'draft' then v_campaign.starts_at end);
begin
  if v_campaign.status not in ('draft', 'scheduled') then
    perform retoma.refuse_transition(
      v_campaign, 'start',
      case v_campaign.status
        when 'paused' then 'Let it go on: select retoma.resume_campaign(name)'
        when 'interrupted' then 'It goes on by itself when its cause is gone; see retoma.v_interrupted_campaigns'
        when 'running' then 'It is under way; see retoma.v_campaign_summary'
        else 'A finished campaign stays finished: create a new one'
      end
    );
  end if;
  if v_campaign.status = 'draft' then
    perform retoma.check_audience(v_campaign);
    perform retoma.refresh_statistics(v_campaign);
    perform retoma.cut_batches(v_campaign);
  end if;
  update retoma.campaign as c
  set
    starts_at = v_at,
    status = case when v_at > retoma.clock() then 'scheduled' else 'running' end
  where c.id = v_campaign.id;
  perform retoma.match_channels(v_campaign.id);
  return (select c.status from retoma.campaign as c where c.id = v_campaign.id);
end;
$$;

comment on function retoma.start_campaign(text, timestamptz) is
'Starts a draft now, at p_at, or at the time given to create_campaign; starts a scheduled one at once. A waiting runner begins
within a second. Returns the new status: running, scheduled, or interrupted when no channel of it is connected.
Errors: RT001 unknown campaign, RT002 not a draft, RT005 no recipients, a variable missing, or a time zone missing.';

-- sql/40_campaign/pause_campaign.sql

-- Locks the campaign. Runners notice at their next step and give their batches back.
create or replace function retoma.pause_campaign(p_campaign text) returns text
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma.campaign := retoma.find_campaign(p_campaign, p_lock => true);
begin
  if v_campaign.status not in ('running', 'interrupted', 'scheduled') then
    perform retoma.refuse_transition(v_campaign, 'pause', 'Only a campaign that is scheduled, running or interrupted can be paused');
  end if;
  update retoma.campaign as c
  set status = 'paused', status_reason = 'paused by the operator', interrupt_cause = null
  where c.id = v_campaign.id;
  return 'paused';
end;
$$;

comment on function retoma.pause_campaign(text) is
'Sends nothing more after the messages already under way, until resume_campaign. Errors: RT001, RT002 not under way.';

-- sql/40_campaign/resume_campaign.sql

-- Locks the campaign; the trigger rings.
create or replace function retoma.resume_campaign(p_campaign text) returns text
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma.campaign := retoma.find_campaign(p_campaign, p_lock => true);
begin
  if v_campaign.status = 'interrupted' and v_campaign.interrupt_cause = 'channel' then
    perform retoma.refuse_transition(
      v_campaign, 'resume', v_campaign.status_reason || '. It goes on by itself after retoma.channel_connected or resume_channel'
    );
  elsif v_campaign.status not in ('paused', 'interrupted') then
    perform retoma.refuse_transition(v_campaign, 'resume', 'Only a campaign that is paused or interrupted can be resumed');
  end if;
  update retoma.campaign as c
  set
    status = case when c.starts_at > retoma.clock() then 'scheduled' else 'running' end,
    status_reason = null, interrupt_cause = null
  where c.id = v_campaign.id;
  perform retoma.match_channels(v_campaign.id);
  return (select c.status from retoma.campaign as c where c.id = v_campaign.id);
end;
$$;

comment on function retoma.resume_campaign(text) is
'Lets a paused campaign, or one that a breaker interrupted, go on from the message where it stopped. Returns the new status.
Errors: RT001 unknown campaign, RT002 not paused, or waiting for its channel.';

-- sql/40_campaign/cancel_campaign.sql

-- Locks the ready batches, then the campaign: batches always come first (see install.sql). A leased batch is ended by its
-- runner's next step; what it has not reserved by then is cancelled too.
create or replace function retoma.cancel_campaign(p_campaign text) returns text
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma.campaign := retoma.find_campaign(p_campaign);
begin
  if v_campaign.status in ('completed', 'cancelled') then
    perform retoma.refuse_transition(v_campaign, 'cancel', 'It is over');
  end if;
  update retoma.batch as b
  set status = 'cancelled', lease_epoch = b.lease_epoch + 1
  from (
    select r.id from retoma.batch as r where r.campaign_id = v_campaign.id and r.status = 'ready' order by r.id for update
  ) as locked
  where b.id = locked.id;
  update retoma.campaign as c
  set status = 'cancelled', status_reason = 'cancelled by the operator', interrupt_cause = null
  where c.id = v_campaign.id;
  return 'cancelled';
end;
$$;

comment on function retoma.cancel_campaign(text) is
'Ends a campaign for good: what has not been handed to the provider is cancelled. Errors: RT001, RT002 it is already over.';

-- sql/40_campaign/requeue.sql

-- Takes messages whose last attempt ended in p_outcome out of their batches ("moved") and queues them anew.
-- Locks the batches in the order of their ids before it looks at the
-- deliveries, as everything does; what ends so meanwhile in others is left.
create or replace function retoma.requeue(
  p_campaign_id int, p_outcome text, p_codes text[], p_ordinals int[], p_any_channel boolean, p_maybe_sent boolean
) returns bigint
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  -- Only those of the messages meant: who comes from record_look_ups holds these already, and would wait for others out of order.
  v_held bigint[] := array(
    select b.id from retoma.batch as b
    where b.campaign_id = p_campaign_id and b.failed + b.in_doubt > 0
      and (p_ordinals is null or b.id in (
        select d.batch_id from retoma.delivery as d
        where d.campaign_id = p_campaign_id and d.outcome = p_outcome and d.ordinal = any(p_ordinals)
      ))
    order by b.id
    for update
  );
  v_group record;
  v_count bigint := 0;
begin
  for v_group in
    with moved as (
      update retoma.delivery as d
      set outcome = 'moved'
      where d.campaign_id = p_campaign_id and d.outcome = p_outcome and d.batch_id = any(v_held)
        and (p_codes is null or d.code = any(p_codes))
        and (p_ordinals is null or d.ordinal = any(p_ordinals))
      returning d.batch_id, d.ordinal, d.attempt, d.channel_id
    ),
    counted as (
      update retoma.batch as b
      set
        moved = b.moved + m.n,
        failed = b.failed - case p_outcome when 'failed' then m.n else 0 end,
        in_doubt = b.in_doubt - case p_outcome when 'in_doubt' then m.n else 0 end
      from (select mm.batch_id, count(*)::int as n from moved as mm group by mm.batch_id) as m
      where b.id = m.batch_id
      returning b.id, b.zone
    )
    select
      c.zone, m.attempt, case when not p_any_channel then m.channel_id end as channel_id,
      array_agg(m.ordinal order by m.ordinal) as ordinals
    from moved as m
    inner join counted as c on m.batch_id = c.id
    group by 1, 2, 3
  loop
    perform retoma.queue_list(
      p_campaign_id, v_group.zone, (v_group.attempt + 1)::smallint, 0::smallint, v_group.ordinals, '-infinity',
      v_group.channel_id, p_maybe_sent
    );
    v_count := v_count + cardinality(v_group.ordinals);
  end loop;
  return v_count;
end;
$$;

comment on function retoma.requeue(int, text, text[], int[], boolean, boolean) is
'Queues messages that ended in p_outcome (failed or in_doubt) for another attempt; p_maybe_sent when an earlier one may have
arrived. Returns how many.';

-- sql/40_campaign/reopen_campaign.sql

-- Locks the campaign. Its batches must have been locked before.
create or replace function retoma.reopen_campaign(p_campaign_id int) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform from retoma.campaign as c where c.id = p_campaign_id for no key update;
  update retoma.campaign as c
  set status = 'running', finished_at = null, status_reason = null
  where c.id = p_campaign_id and c.status = 'completed'
    and exists (select from retoma.batch as b where b.campaign_id = p_campaign_id and b.status = 'ready');
  perform retoma.match_channels(p_campaign_id);
end;
$$;

comment on function retoma.reopen_campaign(int) is 'Sets a completed campaign running again when it has batches to send.';

-- sql/40_campaign/retry_failed.sql

-- Queues failed messages for another attempt and reopens the campaign. Locks their batches, then the campaign.
create or replace function retoma.retry_failed(p_campaign text, p_codes text[] default null) returns bigint
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma.campaign := retoma.find_campaign(p_campaign);
  v_count bigint;
begin
  if v_campaign.status in ('draft', 'scheduled', 'cancelled') then
    perform retoma.refuse_transition(v_campaign, 'retry messages of', 'It has not failed any, or it is cancelled');
  end if;
  v_count := retoma.requeue(v_campaign.id, 'failed', p_codes, null, true, false);
  perform retoma.reopen_campaign(v_campaign.id);
  return v_count;
end;
$$;

comment on function retoma.retry_failed(text, text[]) is
'Sends the failed messages of a campaign again, all or those with these error codes, with their attempts counted anew. Returns
how many. Numbers on the suppression list are skipped as always. Errors: RT001, RT002 not started or cancelled.';

-- sql/40_campaign/settle_in_doubt.sql

-- Locks the batches concerned, in the order of their ids, before their deliveries; what comes into doubt meanwhile in others is left.
create or replace function retoma.settle_in_doubt(p_campaign_id int, p_ordinals int[], p_outcome text, p_code text) returns bigint
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  -- Only those of the messages meant: who comes from record_look_ups holds these already, and would wait for others out of order.
  v_held bigint[] := array(
    select b.id from retoma.batch as b
    where b.campaign_id = p_campaign_id and b.in_doubt > 0
      and (p_ordinals is null or b.id in (
        select d.batch_id from retoma.delivery as d
        where d.campaign_id = p_campaign_id and d.outcome = 'in_doubt' and d.ordinal = any(p_ordinals)
      ))
    order by b.id
    for update
  );
  v_count bigint;
begin
  with settled as (
    update retoma.delivery as d
    set outcome = p_outcome, code = p_code
    where d.campaign_id = p_campaign_id and d.outcome = 'in_doubt' and d.batch_id = any(v_held)
      and (p_ordinals is null or d.ordinal = any(p_ordinals))
    returning d.batch_id
  ),
  counted as (
    update retoma.batch as b
    set
      in_doubt = b.in_doubt - s.n,
      sent = b.sent + case p_outcome when 'sent' then s.n else 0 end,
      failed = b.failed + case p_outcome when 'failed' then s.n else 0 end
    from (select ss.batch_id, count(*)::int as n from settled as ss group by ss.batch_id) as s
    where b.id = s.batch_id
    returning s.n
  )
  select coalesce(sum(c.n), 0) into v_count from counted as c;
  return v_count;
end;
$$;

comment on function retoma.settle_in_doubt(int, int[], text, text) is
'Makes messages in doubt sent or failed, with the reason p_code. Returns how many.';

-- sql/40_campaign/resolve_in_doubt.sql

-- An operator's word on messages whose outcome was never learnt. Locks their batches, then the campaign.
create or replace function retoma.resolve_in_doubt(p_campaign text, p_decision text, p_phones text[] default null) returns bigint
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma.campaign := retoma.find_campaign(p_campaign);
  v_ordinals int[];
  v_count bigint;
begin
  if p_phones is not null then
    v_ordinals := (
      select coalesce(array_agg(m.ordinal), '{}') from retoma.message as m
      where m.campaign_id = v_campaign.id and m.phone = any(p_phones)
    );
  end if;
  if p_decision = 'resend' then
    if v_campaign.status = 'cancelled' then
      perform retoma.refuse_transition(v_campaign, 'send again messages of', 'Decide sent or failed');
    end if;
    v_count := retoma.requeue(v_campaign.id, 'in_doubt', null, v_ordinals, false, true);
    perform retoma.reopen_campaign(v_campaign.id);
  elsif p_decision in ('sent', 'failed') then
    v_count := retoma.settle_in_doubt(v_campaign.id, v_ordinals, p_decision, 'operator');
  else
    raise exception using errcode = 'RT003',
      message = format('%s is not a decision', coalesce(quote_literal(p_decision), 'null')),
      hint = 'Decide sent (it has arrived), failed (leave it), or resend (it may arrive twice)';
  end if;
  return v_count;
end;
$$;

comment on function retoma.resolve_in_doubt(text, text, text[]) is
'Settles messages in doubt of a campaign, all or those of these numbers. p_decision: sent, failed, or resend, by which a
recipient can get the message twice. Returns how many. See retoma.v_in_doubt. Errors: RT001, RT002, RT003.';

-- sql/40_campaign/campaign_guard.sql

-- BEFORE UPDATE: the state machine of a campaign, and what is fixed once it has left draft. Keeps the times of its states.
create or replace function retoma.campaign_guard() returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if (new.id, new.token) is distinct from (old.id, old.token)
    or (old.status <> 'draft' and (new.body, new.total, new.batch_size) is distinct from (old.body, old.total, old.batch_size))
  then
    raise exception using errcode = 'RT002',
      message = format('campaign %L is %s: its identity, text, recipients and batch size are fixed', old.name, old.status),
      hint = 'Create a new campaign';
  end if;
  if new.status = old.status then
    return new;
  end if;
  if not (old.status || '>' || new.status) = any(array[
    'draft>scheduled', 'draft>running', 'draft>cancelled',
    'scheduled>running', 'scheduled>paused', 'scheduled>cancelled',
    'running>paused', 'running>interrupted', 'running>completed', 'running>cancelled',
    'paused>running', 'paused>scheduled', 'paused>completed', 'paused>cancelled',
    'interrupted>running', 'interrupted>paused', 'interrupted>completed', 'interrupted>cancelled',
    'completed>running'
  ]) then
    raise exception using errcode = 'RT002',
      message = format('campaign %L cannot go from %s to %s', old.name, old.status, new.status),
      hint = 'Use the functions: start_campaign, pause_campaign, resume_campaign, cancel_campaign, retry_failed';
  end if;
  if new.status = 'completed' and exists (
    select from retoma.batch as b where b.campaign_id = new.id and b.status in ('ready', 'leased')
  ) then
    raise exception using errcode = 'RT002',
      message = format('campaign %L cannot be completed: it has messages to send', old.name),
      hint = 'It completes by itself; to end it now: select retoma.cancel_campaign(name)';
  end if;
  if new.status = 'running' then
    new.started_at := coalesce(new.started_at, retoma.clock());
  elsif new.status in ('completed', 'cancelled') then
    new.finished_at := retoma.clock();
    new.interrupt_cause := null;
  end if;
  return new;
end;
$$;

comment on function retoma.campaign_guard() is 'Trigger: refuses illegal changes of a campaign (RT002).';

create or replace trigger campaign_guard before update on retoma.campaign
for each row execute function retoma.campaign_guard();

-- sql/40_campaign/campaign_changed.sql

-- AFTER INSERT OR UPDATE OF status: writes the audit, and rings the channels of a campaign that has begun to run.
create or replace function retoma.campaign_changed() returns trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  insert into retoma.event (subject, campaign_id, from_state, to_state, why)
  values ('campaign', new.id, case when tg_op = 'UPDATE' then old.status end, new.status, new.status_reason);
  if new.status = 'running' then
    perform retoma.ring((
      select array_agg(c.id)
      from retoma.campaign_channel as cc
      inner join retoma.channel as c on cc.channel_id = c.id
      where cc.campaign_id = new.id and c.connected and not c.paused
    ));
  end if;
  return null;
end;
$$;

comment on function retoma.campaign_changed() is 'Trigger: writes the audit, rings the channels of a campaign that runs.';

create or replace trigger campaign_changed after update on retoma.campaign
for each row when (old.status is distinct from new.status) execute function retoma.campaign_changed();

create or replace trigger campaign_created after insert on retoma.campaign
for each row execute function retoma.campaign_changed();

-- sql/40_campaign/batch_guard.sql

-- BEFORE UPDATE, only where the state, the epoch or the position goes the wrong way or changes: the ordinary step of a leased
-- batch does not come here.
create or replace function retoma.batch_guard() returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if new.reserved < old.reserved or new.lease_epoch < old.lease_epoch then
    raise exception using errcode = 'RT002',
      message = format('batch %s cannot go back: reserved %s to %s, epoch %s to %s',
        old.id, old.reserved, new.reserved, old.lease_epoch, new.lease_epoch),
      hint = 'A position or an epoch only grows; this is what keeps a message from being sent twice';
  end if;
  if new.status <> old.status and (
    not (old.status || '>' || new.status) = any(array[
      'ready>leased', 'ready>cancelled', 'ready>completed', 'leased>ready', 'leased>completed', 'leased>cancelled'
    ])
    or new.lease_epoch = old.lease_epoch
  ) then
    raise exception using errcode = 'RT002',
      message = format('batch %s cannot go from %s (epoch %s) to %s (epoch %s)',
        old.id, old.status, old.lease_epoch, new.status, new.lease_epoch),
      hint = 'Leases begin and end through lease_batch, advance_batch, release_batch and tick, with a new epoch each time';
  end if;
  return new;
end;
$$;

comment on function retoma.batch_guard() is
'Trigger: refuses illegal transitions of a batch, a change of state under the same epoch, and steps back (RT002).';

create or replace trigger batch_guard before update on retoma.batch
for each row when (
  old.status <> new.status or new.reserved < old.reserved or new.lease_epoch < old.lease_epoch
) execute function retoma.batch_guard();

-- sql/40_campaign/batch_changed.sql

-- AFTER UPDATE of the state of a batch: writes the audit and completes the campaign with its last batch. Two runners that
-- end the last two batches at once take turns at the campaign's lock, and the second sees the first one's batch.
create or replace function retoma.batch_changed() returns trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  insert into retoma.event (subject, campaign_id, batch_id, channel_id, runner_id, from_state, to_state)
  values (
    'batch', new.campaign_id, new.id, coalesce(new.lease_channel_id, old.lease_channel_id),
    coalesce(new.runner_id, old.runner_id), old.status, new.status
  );
  if new.status = 'completed' then
    perform from retoma.campaign as c where c.id = new.campaign_id for no key update;
    update retoma.campaign as c
    set status = 'completed', status_reason = null, interrupt_cause = null
    where c.id = new.campaign_id and c.status in ('running', 'paused', 'interrupted')
      and not exists (
        select from retoma.batch as b where b.campaign_id = new.campaign_id and b.status in ('ready', 'leased')
      );
  end if;
  return null;
end;
$$;

comment on function retoma.batch_changed() is 'Trigger: writes the audit; completes the campaign when this was its last batch.';

create or replace trigger batch_changed after update on retoma.batch
for each row when (old.status is distinct from new.status) execute function retoma.batch_changed();

-- sql/60_receipts/match_key.sql

-- Brazilian mobiles are known under nine digits and under the old eight; providers report either. They match on area code and the
-- last eight digits, under a prefix of their own so that they never meet a land line.
create or replace function retoma.match_key(p_phone text) returns text
language sql immutable parallel safe
begin atomic
  select case
    when p_phone ~ '^\+55[1-9][0-9](9[0-9]{8}|[6-9][0-9]{7})$' then 'br' || substr(p_phone, 4, 2) || right(p_phone, 8)
    else substr(p_phone, 2)
  end;
end;

comment on function retoma.match_key(text) is 'The key under which an E.164 number is suppressed.';

-- sql/60_receipts/check_phone.sql

create or replace function retoma.check_phone(p_phone text) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
begin
  if p_phone is null or p_phone !~ '^\+[1-9][0-9]{6,14}$' then
    raise exception using errcode = 'RT003',
      message = 'this is not an E.164 number',
      hint = 'Write it with + and country code, digits only, such as +5511955501234';
  end if;
end;
$$;

comment on function retoma.check_phone(text) is 'Error RT003 when this is not an E.164 number.';

-- sql/60_receipts/opt_out.sql

-- Takes effect at the next reservation of any runner. Takes no lock beyond its rows.
create or replace function retoma.opt_out(p_phone text, p_source text default 'operator', p_reason text default 'opt_out') returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  perform retoma.check_phone(p_phone);
  if p_reason is null or p_reason not in ('opt_out', 'complaint', 'invalid', 'imported') then
    raise exception using errcode = 'RT003',
      message = format('%s is not a reason for suppression', coalesce(quote_literal(p_reason), 'null')),
      hint = 'opt_out, complaint, invalid or imported';
  end if;
  insert into retoma.suppression (match_key, phone, reason, source)
  values (retoma.match_key(p_phone), p_phone, p_reason, p_source)
  on conflict do nothing;
  insert into retoma.consent (match_key, phone, given, source)
  values (retoma.match_key(p_phone), p_phone, false, coalesce(p_source, 'operator'));
end;
$$;

comment on function retoma.opt_out(text, text, text) is
'No campaign contacts this E.164 number from now on. p_source: where that was said, for the record. p_reason: opt_out,
complaint, invalid or imported. Error RT003: not a number, or another reason.';

-- sql/60_receipts/opt_in.sql

create or replace function retoma.opt_in(p_phone text, p_source text) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  perform retoma.check_phone(p_phone);
  if coalesce(p_source, '') = '' then
    raise exception using errcode = 'RT003',
      message = 'an opt-in needs its source',
      hint = 'Say where the person agreed, for example ''web form, 2026-01-31''';
  end if;
  delete from retoma.suppression as s where s.match_key = retoma.match_key(p_phone);
  insert into retoma.consent (match_key, phone, given, source) values (retoma.match_key(p_phone), p_phone, true, p_source);
end;
$$;

comment on function retoma.opt_in(text, text) is
'The person agreed (again) to be contacted: ends the suppression and keeps the proof. Error RT003: not a number, or no source.';

-- sql/50_runner/runner_lock_class.sql

create or replace function retoma.runner_lock_class() returns int
language sql immutable parallel safe
begin atomic
  select 1380275021; -- the letters RETM
end;

comment on function retoma.runner_lock_class() is 'First key of the advisory locks by which runners show that they live.';

-- sql/50_runner/locked_runner_keys.sql

create or replace function retoma.locked_runner_keys() returns setof int
language sql volatile security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select l.objid::bigint::int
  from pg_locks as l
  where l.locktype = 'advisory' and l.classid::bigint = retoma.runner_lock_class() and l.objsubid = 2 and l.granted
    and l.database = (select d.oid from pg_database as d where d.datname = current_database());
end;

comment on function retoma.locked_runner_keys() is 'Lock keys of the runners whose session is there.';

-- sql/50_runner/register_runner.sql

-- Takes a shared advisory lock in the session that calls: it ends with the session, so within milliseconds of the process.
-- Shared, because after a lost connection the old session may not have ended yet when the same runner registers again.
create or replace function retoma.register_runner(p_runner_id uuid, p_name text) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_key int;
begin
  if p_runner_id is null or coalesce(p_name, '') = '' then
    raise exception using errcode = 'RT003',
      message = 'a runner needs an id and a name',
      hint = 'select retoma.register_runner(gen_random_uuid(), ''runner-1'')';
  end if;
  insert into retoma.runner as r (id, name, server_started_at)
  values (p_runner_id, p_name, pg_postmaster_start_time())
  on conflict (id) do update
  set server_started_at = excluded.server_started_at, last_seen_at = retoma.clock(), stopped_at = null
  returning r.lock_key into v_key;
  perform pg_advisory_lock_shared(retoma.runner_lock_class(), v_key);
end;
$$;

comment on function retoma.register_runner(uuid, text) is
'Registers the runner that calls, or registers it again after it lost its connection. The session that calls is its sign of
life: keep it open, and directly (not through a transaction pooler). Error RT003.';

-- sql/50_runner/runner_changed.sql

create or replace function retoma.runner_changed() returns trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  insert into retoma.event (subject, runner_id, to_state, why)
  values ('runner', new.id, case when new.stopped_at is null then 'registered' else 'stopped' end, new.name);
  return null;
end;
$$;

comment on function retoma.runner_changed() is 'Trigger: writes the audit of runners.';

create or replace trigger runner_registered after insert on retoma.runner
for each row execute function retoma.runner_changed();

create or replace trigger runner_changed after update on retoma.runner
for each row when (
  old.stopped_at is distinct from new.stopped_at or old.server_started_at <> new.server_started_at
) execute function retoma.runner_changed();

-- sql/50_runner/current_throttle.sql

create or replace function retoma.current_throttle(p_pacing retoma.channel_pacing, p_now timestamptz) returns double precision
language sql immutable
begin atomic
  select case
    when (p_pacing).throttle = 1 then 1
    else least(1, (p_pacing).throttle * (1 + extract(epoch from p_now - (p_pacing).throttled_at) / 240))
  end;
end;

comment on function retoma.current_throttle(retoma.channel_pacing, timestamptz) is
'Share of the configured speed after a rate limit: grows by a quarter of what was left a minute, up to 1.';

-- sql/50_runner/current_tokens.sql

-- A channel that has never sent begins with a full bucket. A clock that went back earns nothing.
create or replace function retoma.current_tokens(p_pacing retoma.channel_pacing, p_now timestamptz) returns double precision
language sql immutable
begin atomic
  select case
    when (p_pacing).tokens_at = '-infinity' then (p_pacing).burst
    else least(
      (p_pacing).burst,
      (p_pacing).tokens + greatest(extract(epoch from p_now - (p_pacing).tokens_at), 0)
      * (p_pacing).rate_per_s::double precision * retoma.current_throttle(p_pacing, p_now)
    )
  end;
end;

comment on function retoma.current_tokens(retoma.channel_pacing, timestamptz) is 'Messages in the token bucket now.';

-- sql/50_runner/random_gap.sql

create or replace function retoma.random_gap(
  p_pacing retoma.channel_pacing, p_min interval, p_max interval, p_now timestamptz
) returns interval
language sql volatile
begin atomic
  select (p_min + (p_max - p_min) * random()) / retoma.current_throttle(p_pacing, p_now);
end;

comment on function retoma.random_gap(retoma.channel_pacing, interval, interval, timestamptz) is
'A random pause between p_min and p_max, longer while the channel is throttled.';

-- sql/50_runner/has_no_limits.sql

create or replace function retoma.has_no_limits(p_pacing retoma.channel_pacing, p_now timestamptz) returns boolean
language sql immutable
begin atomic
  select (p_pacing).gap_max = '0 s' and (p_pacing).batch_gap_max = '0 s' and (p_pacing).rate_per_s is null
    and (p_pacing).daily_quota is null and (p_pacing).hold_until <= p_now and (p_pacing).next_send_at <= p_now;
end;

comment on function retoma.has_no_limits(retoma.channel_pacing, timestamptz) is 'Whether a channel may send as fast as it can.';

-- sql/50_runner/check_quota.sql

-- What today's quota leaves. A used-up quota holds the channel until its next day begins. The caller holds the pacing row, but may have read
-- the clock before another that had it first: around midnight the day of the row can be ahead, and does not go back.
create or replace function retoma.check_quota(p_pacing retoma.channel_pacing, p_now timestamptz) returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_zone text := (select c.time_zone from retoma.channel as c where c.id = p_pacing.channel_id);
  v_today date := greatest((p_now at time zone v_zone)::date, p_pacing.quota_day);
  v_left int := p_pacing.daily_quota - case when p_pacing.quota_day = v_today then p_pacing.quota_used else 0 end;
begin
  if v_left <= 0 then
    update retoma.channel_pacing as p
    set hold_until = (v_today + 1)::timestamp at time zone v_zone, hold_reason = 'daily quota used up'
    where p.channel_id = p_pacing.channel_id;
  elsif p_pacing.quota_day <> v_today then
    update retoma.channel_pacing as p set quota_day = v_today, quota_used = 0 where p.channel_id = p_pacing.channel_id;
  end if;
  return greatest(v_left, 0);
end;
$$;

comment on function retoma.check_quota(retoma.channel_pacing, timestamptz) is 'Messages that the daily quota of a channel leaves.';

-- sql/50_runner/check_pacing.sql

-- How much a channel with limits may send now. Locks its pacing row, and judges what it reads under the lock. Nothing is owed from before: a gap is
-- counted from the last send and the bucket never holds more than the burst, so downtime is not caught up (invariant 6).
create or replace function retoma.check_pacing(
  p_channel_id int, p_want int, p_now timestamptz, out allowed int, out wait_s double precision
)
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_p retoma.channel_pacing;
  v_rate double precision;
  v_tokens double precision;
begin
  select p.* into v_p from retoma.channel_pacing as p where p.channel_id = p_channel_id for update;
  allowed := 0;
  if v_p.hold_until > p_now or v_p.next_send_at > p_now then
    wait_s := extract(epoch from greatest(v_p.hold_until, v_p.next_send_at) - p_now);
    return;
  end if;
  allowed := case when v_p.gap_max > '0 s' then least(p_want, 1) else p_want end;
  if v_p.rate_per_s is not null then
    v_rate := v_p.rate_per_s * retoma.current_throttle(v_p, p_now);
    v_tokens := retoma.current_tokens(v_p, p_now);
    allowed := least(allowed, floor(v_tokens)::int);
    wait_s := case when allowed = 0 then (1 - v_tokens) / v_rate end;
  end if;
  if v_p.daily_quota is not null then
    allowed := least(allowed, retoma.check_quota(v_p, p_now));
  end if;
end;
$$;

comment on function retoma.check_pacing(int, int, timestamptz) is
'How many of p_want messages a channel may send now, and, when none, in how many seconds to ask again.';

-- sql/50_runner/spend_pacing.sql

-- The caller has locked the row by check_pacing. The gap is counted from here until the outcome comes, and then anew.
create or replace function retoma.spend_pacing(p_channel_id int, p_count int, p_now timestamptz) returns void
language sql volatile
begin atomic
  update retoma.channel_pacing as p
  set
    next_send_at = case when p.gap_max > '0 s' then p_now + retoma.random_gap(p, p.gap_min, p.gap_max, p_now) else p.next_send_at end,
    tokens = case when p.rate_per_s is not null then retoma.current_tokens(p, p_now) - p_count else p.tokens end,
    -- Two leases of one channel take turns at the lock, not in the order in which they read the clock.
    tokens_at = case when p.rate_per_s is not null then greatest(p.tokens_at, p_now) else p.tokens_at end,
    quota_used = p.quota_used + case when p.daily_quota is not null then p_count else 0 end
  where p.channel_id = p_channel_id and not retoma.has_no_limits(p, p_now);
end;

comment on function retoma.spend_pacing(int, int, timestamptz) is 'Takes p_count messages from the pacing of a channel.';

-- sql/50_runner/take_gap.sql

-- After a send: the gap counts from when its outcome is recorded, never from when it was reserved, so that the provider sees no
-- shorter one however long a request took. Locks the pacing of a channel that has gaps or is recovering from a rate limit.
create or replace function retoma.take_gap(p_channel_id int, p_accepted boolean, p_now timestamptz) returns void
language sql volatile
begin atomic
  update retoma.channel_pacing as p
  set
    next_send_at = case
      when p.gap_max > '0 s' then p_now + retoma.random_gap(p, p.gap_min, p.gap_max, p_now)
      else p.next_send_at
    end,
    hold_streak = case when p_accepted and p.hold_until <= p_now then 0 else p.hold_streak end
  where p.channel_id = p_channel_id and (p.gap_max > '0 s' or (p.hold_streak > 0 and p_accepted));
end;

comment on function retoma.take_gap(int, boolean, timestamptz) is 'Starts the gap between messages of a channel.';

-- sql/50_runner/take_batch_gap.sql

create or replace function retoma.take_batch_gap(p_channel_id int, p_now timestamptz) returns void
language sql volatile
begin atomic
  update retoma.channel_pacing as p
  set next_send_at = greatest(p.next_send_at, p_now + retoma.random_gap(p, p.batch_gap_min, p.batch_gap_max, p_now))
  where p.channel_id = p_channel_id and p.batch_gap_max > '0 s';
end;

comment on function retoma.take_batch_gap(int, timestamptz) is 'Starts the gap between batches of a channel.';

-- sql/50_runner/cap_left.sql

create or replace function retoma.cap_left(p_campaign_id int, p_now timestamptz) returns int
language sql stable
begin atomic
  select greatest(r.cap - case when r.cap_day >= (p_now at time zone coalesce(c.time_zone, 'UTC'))::date then r.cap_used else 0 end, 0)
  from retoma.campaign_rule as r
  inner join retoma.campaign as c on r.campaign_id = c.id
  where r.campaign_id = p_campaign_id and r.kind = 'daily_cap';
end;

comment on function retoma.cap_left(int, timestamptz) is 'Messages that the daily cap of a campaign leaves for today; null without a cap.';

-- sql/50_runner/zones_that_may_send.sql

-- A set, and of one statement, so that it becomes part of the query that asks. What few campaigns have is only asked about those: a function
-- called for each of 1,000 campaigns took 100 ms of every tick.
create or replace function retoma.zones_that_may_send(p_now timestamptz) returns table (campaign_id int, zone text)
language sql stable
begin atomic
  select z.campaign_id, z.zone
  from retoma.campaign as c
  inner join retoma.campaign_zone as z on c.id = z.campaign_id
  where c.status = 'running' and (z.zone = '' or retoma.window_is_open(c.id, z.zone, p_now))
    and not exists (
      select from retoma.campaign_rule as r
      where r.campaign_id = c.id and r.kind = 'daily_cap' and retoma.cap_left(c.id, p_now) = 0
    );
end;

comment on function retoma.zones_that_may_send(timestamptz) is
'Zones of running campaigns that are inside a window now, and whose campaign has not used up its daily cap.';

-- sql/50_runner/spend_cap.sql

-- Takes up to p_want from the campaign's daily cap and returns what it got; a negative p_want gives back. Locks the cap until
-- the reservation commits.
create or replace function retoma.spend_cap(p_campaign_id int, p_want int, p_now timestamptz) returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_got int;
begin
  perform from retoma.campaign_rule as r where r.campaign_id = p_campaign_id and r.kind = 'daily_cap' for update;
  if not found then
    return p_want;
  end if;
  v_got := least(p_want, retoma.cap_left(p_campaign_id, p_now));
  update retoma.campaign_rule as r
  set
    -- Not back to yesterday by a step that read the clock before midnight and waited for this row.
    cap_day = greatest(r.cap_day, (p_now at time zone coalesce(c.time_zone, 'UTC'))::date),
    cap_used = r.cap - retoma.cap_left(p_campaign_id, p_now) + v_got
  from retoma.campaign as c
  where r.campaign_id = p_campaign_id and r.kind = 'daily_cap' and c.id = p_campaign_id;
  return v_got;
end;
$$;

comment on function retoma.spend_cap(int, int, timestamptz) is 'Takes up to p_want messages from the daily cap; returns how many.';

-- sql/50_runner/insist_on_durability.sql

-- Invariant 1 rests on commits that survive a crash, so that a role or database with synchronous_commit off or local must not
-- weaken them. Set for this transaction: a setting of the function itself would end before the commit.
create or replace function retoma.insist_on_durability() returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  if current_setting('synchronous_commit') in ('off', 'local') then
    perform set_config('synchronous_commit', 'on', true);
  end if;
end;
$$;

comment on function retoma.insist_on_durability() is 'Makes the commit of this transaction wait until it is durable.';

-- sql/50_runner/channels_that_can_lease.sql

-- A lease that could not reserve for longer than half of it would only have to be given back. A set, and of one statement, so
-- that it becomes part of the query that asks: called once for each of 5,000 channels, it took half of every tick.
create or replace function retoma.channels_that_can_lease(p_now timestamptz) returns setof int
language sql stable
begin atomic
  select c.id
  from retoma.channel as c
  inner join retoma.channel_pacing as p on c.id = p.channel_id
  where c.connected and not c.paused and p.hold_until <= p_now
    and p.next_send_at <= p_now + (select s.lease_duration / 2 from retoma.setting as s)
    and c.max_leases > (
      select count(*) from retoma.batch as b where b.status = 'leased' and b.lease_channel_id = c.id
    );
end;

comment on function retoma.channels_that_can_lease(timestamptz) is
'Channels that are connected, not held, due soon, and have a lease to spare.';

-- sql/50_runner/open_zones.sql

create or replace function retoma.open_zones(
  p_channel_id int, p_now timestamptz, out campaign_id int, out zone text
) returns setof record
language sql stable
begin atomic
  select z.campaign_id, z.zone
  from retoma.campaign_channel as cc
  inner join retoma.zones_that_may_send(p_now) as z on cc.campaign_id = z.campaign_id
  where cc.channel_id = p_channel_id
  order by cc.last_leased_at, z.campaign_id, z.zone;
end;

comment on function retoma.open_zones(int, timestamptz) is
'Running campaigns of a channel and their zones that may be sent to now, in the order in which they are served.';

-- sql/50_runner/pick_batch.sql

-- Locks the batch that it returns. Due retries come before fresh batches. The materialized query keeps the limit inside the
-- lock: a plain subquery lets the planner lock rows that it then does not return.
create or replace function retoma.pick_batch(p_channel_id int, p_now timestamptz) returns bigint
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_zone record;
  v_id bigint;
begin
  for v_zone in select o.campaign_id, o.zone from retoma.open_zones(p_channel_id, p_now) as o loop
    with picked as materialized (
      select b.id
      from retoma.batch as b
      where b.campaign_id = v_zone.campaign_id and b.zone = v_zone.zone and b.status = 'ready' and b.not_before <= p_now
        and (b.channel_id is null or b.channel_id = p_channel_id)
      order by b.not_before desc, b.id
      limit 1
      for update skip locked
    )
    select p.id into v_id from picked as p;
    exit when v_id is not null;
  end loop;
  return v_id;
end;
$$;

comment on function retoma.pick_batch(int, timestamptz) is 'Locks and returns the next batch for a channel; null when there is none.';

-- sql/50_runner/lease_batch.sql

-- Leases one batch of a channel. Locks the channel's pacing row (so that leases of one channel are counted in turn), then takes
-- a batch that nobody has locked. The zones of its campaigns are tried in turn, the campaign that waited longest first.
create or replace function retoma.lease_batch(
  p_runner_id uuid,
  p_channel_id int,
  p_holding bigint[] default '{}',
  out batch_id bigint,
  out lease_epoch int,
  out reserved int,
  out lease_s double precision,
  out campaign text,
  out body text,
  out channel text,
  out transport text,
  out settings jsonb,
  out max_in_flight int,
  out may_lease_more boolean
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set jit to off
as $$
declare
  v_now timestamptz := retoma.clock();
  v_lease interval := (select s.lease_duration from retoma.setting as s);
  v_campaign_id int;
begin
  perform retoma.insist_on_durability();
  perform from retoma.runner as r where r.id = p_runner_id and r.stopped_at is null;
  if not found then
    raise exception using errcode = 'RT001',
      message = format('runner %s is not registered', p_runner_id), hint = 'Call retoma.register_runner first';
  end if;
  perform from retoma.channel_pacing as p where p.channel_id = p_channel_id for update;
  -- A lease of this runner on this channel that it does not hold: the reply never came, so it ends here.
  perform retoma.end_lease(own.id, 'released')
  from (
    select b.id from retoma.batch as b
    where b.status = 'leased' and b.lease_channel_id = p_channel_id and b.runner_id = p_runner_id
      and b.id <> all(p_holding)
    for update skip locked
  ) as own;
  perform from retoma.channels_that_can_lease(v_now) as c (id) where c.id = p_channel_id;
  if not found then
    return;
  end if;
  batch_id := retoma.pick_batch(p_channel_id, v_now);
  if batch_id is null then
    return;
  end if;
  update retoma.batch as b
  set
    status = 'leased', lease_epoch = b.lease_epoch + 1, lease_expires_at = v_now + v_lease, leased_at = v_now,
    runner_id = p_runner_id, lease_channel_id = p_channel_id
  where b.id = lease_batch.batch_id
  returning b.lease_epoch, b.reserved, b.campaign_id into lease_epoch, reserved, v_campaign_id;
  update retoma.campaign_channel as cc set last_leased_at = v_now
  where cc.campaign_id = v_campaign_id and cc.channel_id = p_channel_id;
  lease_s := extract(epoch from v_lease);
  select c.name, c.body into campaign, body from retoma.campaign as c where c.id = v_campaign_id;
  select c.name, c.transport, c.settings, c.max_in_flight into channel, transport, settings, max_in_flight
  from retoma.channel as c where c.id = p_channel_id;
  may_lease_more := exists (select from retoma.channels_that_can_lease(v_now) as c (id) where c.id = p_channel_id);
end;
$$;

comment on function retoma.lease_batch(uuid, int, bigint[]) is
'For runners: leases a batch of the channel, with all that is needed to send it. batch_id is null when there is nothing to do now;
the doorbell rings when there is. p_holding: batches that this runner holds on the channel already; any
other lease of its own there is ended. lease_epoch goes with every further call; lease_s: seconds that the lease lasts without one.
may_lease_more: whether the channel allows another lease at once (channel.max_leases).
Error RT001: the runner is not registered.';

-- sql/50_runner/take_rings.sql

-- A runner that answers one ring answers those beside it too: fetched one by one through procrastinate, with three commits each,
-- the rings of 5,000 channels took a minute. What is taken and then lost with its runner, the next tick rings again.
-- Locks waiting jobs, and passes over those that somebody else is fetching.
create or replace function retoma.take_rings(p_limit int) returns setof int
language sql volatile security definer
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
begin atomic -- noqa: PRS
  with waiting as materialized (
    select j.id
    from procrastinate.procrastinate_jobs as j
    where j.status = 'todo' and j.task_name = 'retoma.drain_channel'
    order by j.priority desc, j.id asc
    limit p_limit
    for update skip locked
  )

  delete from procrastinate.procrastinate_jobs as j
  using waiting as w
  where j.id = w.id
  returning (j.args ->> 'channel_id')::int;
end;

comment on function retoma.take_rings(int) is
'For runners: takes up to p_limit waiting rings and returns their channels, which the caller then drains.';

-- sql/50_runner/hold_batch.sql

-- Fencing (invariant 2): locks the batch and refuses whoever does not hold its lease. An expired lease that nobody has taken back
-- still is one: expiry decides how fast recovery is, never who may write. The runner is named too, because a server that was promoted
-- without the last commits gives an epoch again that somebody else has had from the old one.
create or replace function retoma.hold_batch(p_batch_id bigint, p_lease_epoch int, p_seen int, p_runner uuid) returns retoma.batch
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma.batch;
begin
  select b.* into v_batch from retoma.batch as b where b.id = p_batch_id for no key update;
  if v_batch.status is distinct from 'leased' or v_batch.lease_epoch is distinct from p_lease_epoch
    or v_batch.runner_id <> p_runner
  then
    raise exception using errcode = 'RT010',
      message = format('the lease of batch %s under epoch %s is over', p_batch_id, p_lease_epoch),
      detail = format('The batch is %s under epoch %s', coalesce(v_batch.status, 'unknown'), v_batch.lease_epoch),
      hint = 'Drop the batch: send nothing more of it, record nothing; lease again';
  end if;
  if p_seen < 0 or p_seen > v_batch.reserved then
    raise exception using errcode = 'RT003',
      message = format('batch %s has reserved %s messages, it cannot have shown %s', p_batch_id, v_batch.reserved, p_seen),
      hint = 'p_seen is "reserved" of the last reply';
  end if;
  return v_batch;
end;
$$;

comment on function retoma.hold_batch(bigint, int, int, uuid) is
'Locks a batch for its holder; p_runner null: whoever knows the epoch. Error RT010: the epoch is not its live one, or another''s.';

-- sql/50_runner/batch_ordinals.sql

create or replace function retoma.batch_ordinals(p_batch retoma.batch, p_from int, p_to int) returns int[]
language sql stable
begin atomic
  select case
    when (p_batch).first_ordinal is null
      then (select l.ordinals[p_from:p_to] from retoma.batch_list as l where l.batch_id = (p_batch).id)
    else array(select generate_series((p_batch).first_ordinal + p_from - 1, (p_batch).first_ordinal + p_to - 1))
  end;
end;

comment on function retoma.batch_ordinals(retoma.batch, int, int) is 'The ordinals at positions p_from to p_to (from 1) of a batch.';

-- sql/50_runner/message_id.sql

-- 24 hex digits of the campaign's token and 8 of the ordinal: the same over all attempts, and a receipt that carries it leads
-- back to the message without an index on every delivery.
create or replace function retoma.message_id(p_token text, p_ordinal int) returns text
language sql immutable parallel safe
begin atomic
  select p_token || lpad(to_hex(p_ordinal), 8, '0');
end;

comment on function retoma.message_id(text, int) is 'The id of a message that providers see: 32 lower-case hex digits.';

-- sql/50_runner/in_flight.sql

create or replace function retoma.in_flight(p_batch retoma.batch) returns int
language sql immutable
begin atomic
  select (p_batch).reserved - (p_batch).sent - (p_batch).failed - (p_batch).skipped - (p_batch).in_doubt - (p_batch).moved;
end;

comment on function retoma.in_flight(retoma.batch) is 'Messages of a batch that are reserved and have no outcome yet.';

-- sql/50_runner/step_facts.sql

-- What a step has to know beside its batch, in one statement: it is most of what a step reads. No locks: campaign and channel are read
-- after the batch is locked, so what was committed before is seen. Inlined into its caller, as it is stable and pins nothing.
create or replace function retoma.step_facts(p_batch retoma.batch)
returns table (at timestamptz, lease interval, token text, why_not text, pacing retoma.channel_pacing, has_cap boolean)
language sql stable
begin atomic
  select
    t.at, s.lease_duration, c.token,
    case
      when c.status <> 'running' then 'campaign ' || c.status
      when not h.connected or h.paused then 'channel ' || retoma.channel_state(h.connected, h.paused)
      when (p_batch).zone <> '' and not retoma.window_is_open(c.id, (p_batch).zone, t.at) then 'window closed'
    end,
    p,
    exists(select from retoma.campaign_rule as r where r.campaign_id = c.id and r.kind = 'daily_cap')
  from retoma.setting as s
  cross join lateral (select retoma.clock() as at) as t
  inner join retoma.campaign as c on c.id = (p_batch).campaign_id
  inner join retoma.channel as h on h.id = (p_batch).lease_channel_id
  inner join retoma.channel_pacing as p on p.channel_id = h.id;
end;

comment on function retoma.step_facts(retoma.batch) is
'For a leased batch: the time, how long a lease lasts, the token of message ids, why it may not reserve now (null when it may; a closed
window or an operator ends the lease), the pacing of its channel as it was before it is locked, and whether its campaign has a daily cap.';

-- sql/50_runner/check_reserved.sql

create or replace function retoma.check_reserved(p_batch retoma.batch, p_ordinals int[]) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_bad int;
begin
  if p_batch.first_ordinal is null then
    v_bad := (
      select min(u.ordinal) from unnest(p_ordinals) as u (ordinal)
      where not exists (
        select from retoma.batch_list as l where l.batch_id = p_batch.id and u.ordinal = any(l.ordinals[:p_batch.reserved])
      )
    );
  else
    v_bad := (
      select min(u.ordinal) from unnest(p_ordinals) as u (ordinal)
      where u.ordinal not between p_batch.first_ordinal and p_batch.first_ordinal + p_batch.reserved - 1
    );
  end if;
  if v_bad is not null or array_position(p_ordinals, null) is not null then
    raise exception using errcode = 'RT003',
      message = format('batch %s cannot take the outcome of message %s', p_batch.id, coalesce(v_bad::text, 'null')),
      hint = 'Accepted messages are given by ordinals that this lease has reserved';
  end if;
end;
$$;

comment on function retoma.check_reserved(retoma.batch, int[]) is 'Error RT003 when one of these messages is not reserved in this batch.';

-- sql/50_runner/check_outcomes.sql

-- Runs over every outcome. Digits are tested without regular expressions, which were a tenth of a step of 300.
create or replace function retoma.check_outcomes(p_batch retoma.batch, p_outcomes jsonb) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_listed int[] := (select l.ordinals[:p_batch.reserved] from retoma.batch_list as l where l.batch_id = p_batch.id);
  v_bad jsonb;
begin
  if jsonb_typeof(p_outcomes) <> 'array' then
    raise exception using errcode = 'RT003',
      message = 'outcomes are a JSON array of objects',
      hint = '[{"ordinal": 7, "status": "accepted"}]';
  end if;
  select o.item into v_bad
  from jsonb_array_elements(p_outcomes) as o (item)
  where jsonb_typeof(o.item) <> 'object'
    or jsonb_typeof(o.item -> 'ordinal') is distinct from 'number'
    or length(o.item ->> 'ordinal') > 9 or ltrim(o.item ->> 'ordinal', '0123456789') <> ''
    or not case
      when v_listed is not null then (o.item ->> 'ordinal')::int = any(v_listed)
      else (o.item ->> 'ordinal')::int between p_batch.first_ordinal and p_batch.first_ordinal + p_batch.reserved - 1
    end
    or coalesce(o.item ->> 'status', '') not in ('accepted', 'held', 'error')
    or coalesce(jsonb_typeof(o.item -> 'written'), 'null') not in ('boolean', 'null')
    or coalesce(jsonb_typeof(o.item -> 'retry_after_s'), 'null') not in ('number', 'null')
    or length(o.item ->> 'http_status') <> 3 or ltrim(o.item ->> 'http_status', '0123456789') <> '' or o.item ->> 'http_status' < '100'
  limit 1;
  if v_bad is not null then
    raise exception using errcode = 'RT003',
      message = format('batch %s cannot take the outcome %s', p_batch.id, v_bad),
      hint = 'The ordinal is one that this lease has reserved, the status accepted, held or error, each fact of its type';
  end if;
end;
$$;

comment on function retoma.check_outcomes(retoma.batch, jsonb) is
'Error RT003 when an outcome is malformed or of a message that this batch has not reserved.';

-- sql/50_runner/classify.sql

-- The rule of the transport, else the rule for all, else by the one fact that matters: was anything written?
create or replace function retoma.classify(p_transport text, p_code text, p_written boolean) returns retoma.error_rule
language sql stable
begin atomic
  select r.rule
  from (
    select e as rule, (e.transport = '*')::int as preference
    from retoma.error_rule as e
    where e.transport in (p_transport, '*') and e.code = p_code
    union all
    select row(
      '*', p_code, case when coalesce(p_written, true) then 'ambiguous' else 'transient' end, false, true, null, null
    )::retoma.error_rule, 2
  ) as r
  order by r.preference
  limit 1;
end;

comment on function retoma.classify(text, text, boolean) is
'What an error means. Without a rule: ambiguous when the request may have been taken (p_written), else transient.';

-- sql/50_runner/retry_delay.sql

-- Exponential by 4 from 30 seconds up to an hour, for what counts as an attempt. The jitter is in queue_retry.
create or replace function retoma.retry_delay(
  p_rule retoma.error_rule, p_charged smallint, p_retry_after_s double precision
) returns interval
language sql immutable
begin atomic
  select make_interval(secs => case
    when (p_rule).defer_s is not null then greatest((p_rule).defer_s, p_retry_after_s)
    when (p_rule).class in ('rate_limited_channel', 'channel_down', 'auth') then 0
    else greatest(least(30 * 4 ^ p_charged, 3600), p_retry_after_s)
  end);
end;

comment on function retoma.retry_delay(retoma.error_rule, smallint, double precision) is
'How long a message waits before its next attempt: by its rule, else 30 s, 2 min, 8 min, … at most an hour.';

-- sql/50_runner/hold_channel.sql

-- A rate limit of the whole sender: hold it as long as the provider says, else 4, 16, 64 … seconds up to an hour, at half the
-- speed. Limits that arrive while it is held (of requests that were under way) count once. Locks the channel's pacing.
create or replace function retoma.hold_channel(
  p_channel_id int, p_rule retoma.error_rule, p_retry_after_s double precision, p_now timestamptz
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  update retoma.channel_pacing as p
  set
    hold_until = greatest(
      p.hold_until,
      p_now + make_interval(secs => coalesce(p_retry_after_s, p_rule.defer_s, least(4 ^ greatest(p.hold_streak + (p.hold_until <= p_now)::int, 1), 3600)))
    ),
    hold_reason = format('rate limit of the provider (%s)', p_rule.code),
    hold_streak = case when p.hold_until > p_now then p.hold_streak else least(p.hold_streak + 1, 6) end,
    throttle = case when p.hold_until > p_now then p.throttle else greatest(retoma.current_throttle(p, p_now) / 2, 0.05) end,
    throttled_at = p_now
  where p.channel_id = p_channel_id;
end;
$$;

comment on function retoma.hold_channel(int, retoma.error_rule, double precision, timestamptz) is
'Reserves nothing on a channel for a while and then at half the speed, after a rate limit.';

-- sql/50_runner/trip_breaker.sql

-- The text, not the recipients, is refused: stop before the whole list has failed. Locks the campaign.
create or replace function retoma.trip_breaker(p_batch retoma.batch, p_code text) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  update retoma.campaign as c
  set
    status = 'interrupted', interrupt_cause = 'breaker',
    status_reason = format('%s messages in a row were refused for their content (%s)', p_batch.failure_streak, p_code)
  where c.id = p_batch.campaign_id and c.status = 'running' and p_batch.failure_streak >= c.breaker_threshold;
end;
$$;

comment on function retoma.trip_breaker(retoma.batch, text) is 'Interrupts a campaign whose messages are refused one after the other.';

-- sql/50_runner/suppress_messages.sql

-- In the order of the numbers: who inserts one that another has just inserted waits for him.
create or replace function retoma.suppress_messages(p_campaign_id int, p_ordinals int[], p_reason text, p_source text) returns void
language sql volatile
begin atomic
  insert into retoma.suppression (match_key, phone, reason, source)
  select retoma.match_key(m.phone), m.phone, p_reason, p_source
  from retoma.message as m
  where m.campaign_id = p_campaign_id and m.ordinal = any(p_ordinals)
  order by 1
  on conflict do nothing;
end;

comment on function retoma.suppress_messages(int, int[], text, text) is 'Puts the numbers of these messages onto the suppression list.';

-- sql/50_runner/apply_error.sql

-- What one class of error does to its messages, their channel and their campaign. A message that a receipt has proved sent by an
-- earlier attempt is sent, whatever this one says.
create or replace function retoma.apply_error(
  p_batch retoma.batch,
  p_channel retoma.channel,
  p_rule retoma.error_rule,
  p_max_attempts int,
  p_ordinals int[],
  p_http_status smallint,
  p_retry_after_s double precision,
  p_now timestamptz
) returns retoma.batch
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma.batch := p_batch;
  v_ordinals int[] := p_ordinals;
  v_count int;
  v_charge int := (p_rule.charge and p_rule.class in ('transient', 'rate_limited_recipient', 'ambiguous'))::int;
  v_may_retry boolean := p_batch.charged + v_charge < p_max_attempts;
  v_maybe_sent boolean := p_batch.maybe_sent or p_rule.class = 'ambiguous';
  v_outcome text;
begin
  v_outcome := case
    when p_rule.class in ('rate_limited_channel', 'channel_down', 'auth') then 'moved'
    when p_rule.class = 'ambiguous' then case when p_channel.dedupes and v_may_retry then 'moved' else 'in_doubt' end
    when p_rule.class in ('transient', 'rate_limited_recipient') and v_may_retry then 'moved'
    -- A refusal of this attempt, even for good, says nothing of an earlier one: a receiver that has the message refuses the repeat.
    when p_batch.maybe_sent then 'in_doubt'
    else 'failed'
  end;
  if p_batch.maybe_sent and v_outcome <> 'moved' then
    v_ordinals := array(
      select u.ordinal from unnest(p_ordinals) as u (ordinal) where not retoma.has_arrived(v_batch.campaign_id, u.ordinal)
    );
    v_batch := retoma.settle_unsent(
      v_batch, array(select u.ordinal from unnest(p_ordinals) as u (ordinal) where u.ordinal <> all(v_ordinals)),
      'sent', 'receipt', p_now
    );
  end if;
  v_count := cardinality(v_ordinals);
  insert into retoma.delivery (
    at, batch_id, campaign_id, ordinal, channel_id, lease_epoch, attempt, outcome, code, http_status
  )
  select
    p_now, v_batch.id, v_batch.campaign_id, u.ordinal, p_channel.id, v_batch.lease_epoch, v_batch.attempt, v_outcome,
    p_rule.code, p_http_status
  from unnest(v_ordinals) as u (ordinal);
  if v_outcome = 'moved' then
    v_batch.moved := v_batch.moved + v_count;
    perform retoma.queue_retry(
      v_batch, v_ordinals, v_charge, retoma.retry_delay(p_rule, v_batch.charged, p_retry_after_s), v_maybe_sent,
      case when v_maybe_sent then p_channel.id end
    );
  elsif v_outcome = 'failed' then
    v_batch.failed := v_batch.failed + v_count;
  else
    v_batch.in_doubt := v_batch.in_doubt + v_count;
  end if;
  if p_rule.suppress then
    perform retoma.suppress_messages(v_batch.campaign_id, p_ordinals, 'invalid', p_channel.transport || ' ' || p_rule.code);
  end if;
  if p_rule.class = 'rate_limited_channel' then
    perform retoma.hold_channel(p_channel.id, p_rule, p_retry_after_s, p_now);
  elsif p_rule.class in ('channel_down', 'auth') then
    perform retoma.channel_disconnected(p_channel.name, format('%s: %s', p_rule.class, p_rule.code));
  elsif p_rule.class = 'permanent_message' then
    v_batch.failure_streak := v_batch.failure_streak + v_count;
    perform retoma.trip_breaker(v_batch, p_rule.code);
  end if;
  return v_batch;
end;
$$;

comment on function retoma.apply_error(
  retoma.batch, retoma.channel, retoma.error_rule, int, int[], smallint, double precision, timestamptz
) is 'Records one group of equal errors; returns the batch with its new counters, not yet written.';

-- sql/50_runner/record_errors.sql

-- Applies error_rule to the outcomes that are errors, one group of equal errors at a time. May lock the channel's pacing, the
-- channel, and campaigns: the groups come in the order of these locks (see install.sql).
create or replace function retoma.record_errors(p_batch retoma.batch, p_outcomes jsonb, p_now timestamptz) returns retoma.batch
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma.batch := p_batch;
  v_channel retoma.channel;
  v_max_attempts int;
  v_group record;
begin
  select c.* into v_channel from retoma.channel as c where c.id = v_batch.lease_channel_id;
  select c.max_attempts into v_max_attempts from retoma.campaign as c where c.id = v_batch.campaign_id;
  for v_group in
    select
      o.code, coalesce(o.written, true) as written, max(o.http_status)::smallint as http_status,
      case when max(o.retry_after_s) is not null then least(max(o.retry_after_s), 86400) end as retry_after_s, array_agg(o.ordinal order by o.ordinal) as ordinals,
      retoma.classify(v_channel.transport, o.code, o.written) as rule
    from (
      select distinct on (e.ordinal) e.*
      from jsonb_to_recordset(p_outcomes) as e (
        ordinal int, status text, code text, written boolean, http_status int, retry_after_s double precision
      )
      where e.status = 'error'
      order by e.ordinal, e.code
    ) as o
    where not exists (
      select from retoma.delivery as d
      where d.campaign_id = v_batch.campaign_id and d.ordinal = o.ordinal and d.attempt = v_batch.attempt
    )
    group by o.code, o.written
    order by array_position(
      array['rate_limited_channel', 'channel_down', 'auth'], (retoma.classify(v_channel.transport, o.code, o.written)).class
    )
  loop
    v_batch := retoma.apply_error(
      v_batch, v_channel, v_group.rule, v_max_attempts, v_group.ordinals, v_group.http_status, v_group.retry_after_s, p_now
    );
  end loop;
  return v_batch;
end;
$$;

comment on function retoma.record_errors(retoma.batch, jsonb, timestamptz) is
'Records errors of reserved messages by their class; returns the batch with its new counters, not yet written.';

-- sql/50_runner/record_accepted.sql

-- The usual outcome, and nearly all of them: an array and one insert, because reading each from JSON costs as much as its row.
-- An outcome that has been recorded already is passed over: the call that brought it lost its reply. Nobody else can record it now, as the
-- batch is locked; so that is asked once for all, where "on conflict do nothing" costs a third of each insert.
create or replace function retoma.record_accepted(
  p_batch retoma.batch, p_ordinals int[], p_pacing retoma.channel_pacing, p_now timestamptz
) returns retoma.batch
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma.batch := p_batch;
  v_accepted int;
  v_known int[];
begin
  perform retoma.check_reserved(p_batch, p_ordinals);
  if current_setting('server_version_num')::int >= 170000 then
    v_known := array(
      select d.ordinal from retoma.delivery as d
      where d.campaign_id = p_batch.campaign_id and d.ordinal = any(p_ordinals) and d.attempt = p_batch.attempt
    );
  else
    -- Here the planner may leave the array out of what it asks the index for, and read all deliveries of the campaign.
    v_known := array(
      select u.ordinal from unnest(p_ordinals) as u (ordinal)
      where (
        select d.ordinal from retoma.delivery as d
        where d.campaign_id = p_batch.campaign_id and d.ordinal = u.ordinal and d.attempt = p_batch.attempt
      ) is not null
    );
  end if;
  insert into retoma.delivery (at, batch_id, campaign_id, ordinal, channel_id, lease_epoch, attempt, outcome)
  select
    p_now, v_batch.id, v_batch.campaign_id, u.ordinal, v_batch.lease_channel_id, v_batch.lease_epoch, v_batch.attempt, 'sent'
  from (select distinct unnest(p_ordinals) as ordinal) as u
  where u.ordinal <> all(v_known);
  get diagnostics v_accepted = row_count;
  v_batch.sent := v_batch.sent + v_accepted;
  if v_accepted > 0 then
    v_batch.failure_streak := 0;
  end if;
  if p_pacing.gap_max > '0 s' or p_pacing.hold_streak > 0 then
    perform retoma.take_gap(v_batch.lease_channel_id, v_accepted > 0, p_now);
  end if;
  return v_batch;
end;
$$;

comment on function retoma.record_accepted(retoma.batch, int[], retoma.channel_pacing, timestamptz) is
'Records that these reserved messages were accepted; returns the batch with its new counters, not yet written.';

-- sql/50_runner/record_outcomes.sql

-- Writes the delivery rows of accepted messages in one statement and leaves errors to record_errors. An outcome that has been
-- recorded already is passed over: the call that brought it lost its reply.
create or replace function retoma.record_outcomes(
  p_batch retoma.batch, p_outcomes jsonb, p_pacing retoma.channel_pacing, p_now timestamptz
) returns retoma.batch
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma.batch := p_batch;
  v_accepted int;
begin
  perform retoma.check_outcomes(p_batch, p_outcomes);
  with fresh as (
    insert into retoma.delivery (
      at, batch_id, campaign_id, ordinal, channel_id, lease_epoch, attempt, outcome, code, provider_id
    )
    select
      p_now, v_batch.id, v_batch.campaign_id, o.ordinal, v_batch.lease_channel_id, v_batch.lease_epoch, v_batch.attempt,
      'sent', case o.status when 'held' then 'held' end, o.provider_id
    from jsonb_to_recordset(p_outcomes) as o (ordinal int, status text, provider_id text)
    where o.status in ('accepted', 'held')
    on conflict do nothing
    returning 1
  )
  select count(*) into v_accepted from fresh;
  v_batch.sent := v_batch.sent + v_accepted;
  if v_accepted > 0 then
    v_batch.failure_streak := 0;
  end if;
  if p_pacing.gap_max > '0 s' or p_pacing.hold_streak > 0 then
    perform retoma.take_gap(v_batch.lease_channel_id, v_accepted > 0, p_now);
  end if;
  if v_accepted < jsonb_array_length(p_outcomes) then
    v_batch := retoma.record_errors(v_batch, p_outcomes, p_now);
  end if;
  return v_batch;
end;
$$;

comment on function retoma.record_outcomes(retoma.batch, jsonb, retoma.channel_pacing, timestamptz) is
'Records what became of reserved messages; returns the batch with its new counters, not yet written.';

-- sql/50_runner/has_arrived.sql

create or replace function retoma.has_arrived(p_campaign_id int, p_ordinal int) returns boolean
language sql stable
begin atomic
  select exists(
    select from retoma.delivery as d
    where d.campaign_id = p_campaign_id and d.ordinal = p_ordinal and d.receipt in ('server', 'delivered', 'read')
  );
end;

comment on function retoma.has_arrived(int, int) is 'Whether a receipt has proved that an attempt at this message was accepted.';

-- sql/50_runner/settle_unsent.sql

-- Messages that are passed over when their turn comes get their row at once: skipped, in doubt, or sent by an earlier attempt.
create or replace function retoma.settle_unsent(
  p_batch retoma.batch, p_ordinals int[], p_outcome text, p_code text, p_now timestamptz
) returns retoma.batch
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma.batch := p_batch;
  v_count int := cardinality(p_ordinals);
begin
  insert into retoma.delivery (at, batch_id, campaign_id, ordinal, channel_id, lease_epoch, attempt, outcome, code)
  select
    p_now, v_batch.id, v_batch.campaign_id, u.ordinal, v_batch.lease_channel_id, v_batch.lease_epoch, v_batch.attempt,
    p_outcome, p_code
  from unnest(p_ordinals) as u (ordinal);
  v_batch.skipped := v_batch.skipped + case when p_outcome = 'skipped' then v_count else 0 end;
  v_batch.in_doubt := v_batch.in_doubt + case when p_outcome = 'in_doubt' then v_count else 0 end;
  v_batch.sent := v_batch.sent + case when p_outcome = 'sent' then v_count else 0 end;
  return v_batch;
end;
$$;

comment on function retoma.settle_unsent(retoma.batch, int[], text, text, timestamptz) is
'Settles messages that are not handed out; returns the batch with its new counters, not yet written.';

-- sql/50_runner/reserve_slice.sql

-- The next positions of a batch: suppressed numbers are recorded as skipped (in doubt, where an earlier attempt may have
-- arrived), messages that a receipt has proved sent as sent, and the rest is handed out. Its plan is for any campaign and kept:
-- it locks every partition of message, which with 100 of them (10,000 campaigns) costs 56 us a call, where a plan of its own for each call
-- costs 187. Always nested loops: a plan that was made while the suppression list was short must be right when it is long.
create or replace function retoma.reserve_slice(
  p_batch retoma.batch,
  p_ordinals int[],
  p_token text,
  p_now timestamptz,
  out batch retoma.batch,
  out got int,
  out messages json
)
language plpgsql volatile
set search_path to pg_catalog, pg_temp
set enable_hashjoin to off
set enable_mergejoin to off
as $$
declare
  v_arrived int[] := array[]::int[];
  v_suppressed int[];
begin
  batch := p_batch;
  batch.reserved := batch.reserved + cardinality(p_ordinals);
  if batch.maybe_sent then
    -- A receipt that is just being applied to an earlier attempt is waited for.
    perform from unnest(p_ordinals) as u (ordinal)
    inner join retoma.delivery as d on d.campaign_id = p_batch.campaign_id and u.ordinal = d.ordinal
    for share of d;
    v_arrived := array(
      select u.ordinal from unnest(p_ordinals) as u (ordinal) where retoma.has_arrived(p_batch.campaign_id, u.ordinal)
    );
    batch := retoma.settle_unsent(batch, v_arrived, 'sent', 'receipt', p_now);
  end if;
  select
    json_agg(json_build_array(m.ordinal, retoma.message_id(p_token, m.ordinal), m.phone, m.variables) order by m.ordinal)
      filter (where s.match_key is null),
    count(*) filter (where s.match_key is null),
    array_agg(m.ordinal) filter (where s.match_key is not null)
  into messages, got, v_suppressed
  from retoma.message as m
  left join retoma.suppression as s on s.match_key = retoma.match_key(m.phone)
  where m.campaign_id = p_batch.campaign_id and m.ordinal = any(p_ordinals) and m.ordinal <> all(v_arrived);
  if v_suppressed is not null then
    batch := retoma.settle_unsent(
      batch, v_suppressed, case when batch.maybe_sent then 'in_doubt' else 'skipped' end, 'suppressed', p_now
    );
  end if;
end;
$$;

comment on function retoma.reserve_slice(retoma.batch, int[], text, timestamptz) is
'Moves the high-water mark over these positions, the next of the batch; messages is null when none of them is to be sent.';

-- sql/50_runner/reserve_messages.sql

-- Takes pacing and cap, then walks the batch until it has that many messages to send: suppressed numbers are skipped on the way
-- and cost no gap. Locks the pacing of the channel (not of one without limits) and the cap.
create or replace function retoma.reserve_messages(
  p_batch retoma.batch,
  p_want int,
  p_token text,
  p_pacing retoma.channel_pacing,
  p_has_cap boolean,
  p_now timestamptz,
  out batch retoma.batch,
  out messages json,
  out wait_s double precision
)
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_has_limits boolean := not retoma.has_no_limits(p_pacing, p_now);
  v_allowed int := least(p_want, p_batch.size - p_batch.reserved);
  v_got int := 0;
  v_count int;
  v_step record;
begin
  batch := p_batch;
  if v_has_limits then
    select t.allowed, t.wait_s into v_allowed, wait_s
    from retoma.check_pacing(batch.lease_channel_id, v_allowed, p_now) as t;
  end if;
  if p_has_cap and v_allowed > 0 then
    v_allowed := retoma.spend_cap(batch.campaign_id, v_allowed, p_now);
  end if;
  while v_got < v_allowed and batch.reserved < batch.size loop
    v_count := least(v_allowed - v_got, batch.size - batch.reserved);
    v_step := retoma.reserve_slice(
      batch, retoma.batch_ordinals(batch, batch.reserved + 1, batch.reserved + v_count), p_token, p_now
    );
    batch := v_step.batch;
    v_got := v_got + v_step.got;
    -- A slice of nothing but suppressed numbers has no messages, and takes none of those before it away.
    if messages is null then
      messages := v_step.messages;
    elsif v_step.got > 0 then
      messages := messages::jsonb || v_step.messages::jsonb;
    end if;
  end loop;
  if p_has_cap and v_got < v_allowed then
    perform retoma.spend_cap(batch.campaign_id, v_got - v_allowed, p_now);
  end if;
  if v_has_limits and v_got > 0 then
    perform retoma.spend_pacing(batch.lease_channel_id, v_got, p_now);
  end if;
end;
$$;

comment on function retoma.reserve_messages(retoma.batch, int, text, retoma.channel_pacing, boolean, timestamptz) is
'Reserves up to p_want messages as far as pacing and caps allow; messages is null when none, with wait_s until the next.';

-- sql/50_runner/reserved_messages.sql

-- Messages reserved under this lease after position p_seen that have no outcome yet. What has been forbidden since (a suppressed
-- number, or all when p_withhold) is marked, and the runner reports it as not attempted. It is not written down here: an earlier
-- call whose connection was cut can run late, when the message is already being sent.
create or replace function retoma.reserved_messages(p_batch retoma.batch, p_seen int, p_withhold boolean) returns json
language sql stable
begin atomic
  select json_agg(
    json_build_array(
      m.ordinal, retoma.message_id(c.token, m.ordinal), m.phone, m.variables,
      p_withhold or exists (select from retoma.suppression as s where s.match_key = retoma.match_key(m.phone))
    ) order by m.ordinal
  )
  from retoma.message as m
  inner join retoma.campaign as c on m.campaign_id = c.id
  where m.campaign_id = (p_batch).campaign_id
    and m.ordinal = any(retoma.batch_ordinals(p_batch, p_seen + 1, (p_batch).reserved))
    and not exists (
      select from retoma.delivery as d
      where d.campaign_id = m.campaign_id and d.ordinal = m.ordinal and d.attempt = (p_batch).attempt
    );
end;

comment on function retoma.reserved_messages(retoma.batch, int, boolean) is 'The messages of a lost reply, as advance_batch returns them.';

-- sql/50_runner/next_action.sql

-- What a step that tried to reserve tells its runner. A wait of more than half a lease gives the batch back: the doorbell rings in time.
create or replace function retoma.next_action(
  p_batch retoma.batch, p_has_messages boolean, p_wait_s double precision, p_lease interval
) returns text
language sql immutable
begin atomic
  select case
    when p_has_messages then 'send'
    when retoma.in_flight(p_batch) > 0 then 'wait'
    when (p_batch).reserved = (p_batch).size then 'completed'
    when p_wait_s is null or p_wait_s > extract(epoch from p_lease) / 2 then 'released'
    else 'wait'
  end;
end;

comment on function retoma.next_action(retoma.batch, boolean, double precision, interval) is 'The action of a step that tried to reserve.';

-- sql/50_runner/write_batch.sql

-- The one update of a step: position, counters, and the lease renewed or ended.
create or replace function retoma.write_batch(
  p_batch retoma.batch, p_action text, p_now timestamptz, p_lease interval, p_why_not text
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_over boolean := p_action in ('completed', 'released');
begin
  update retoma.batch as b
  set
    reserved = p_batch.reserved,
    sent = p_batch.sent,
    failed = p_batch.failed,
    skipped = p_batch.skipped,
    in_doubt = p_batch.in_doubt,
    moved = p_batch.moved,
    failure_streak = p_batch.failure_streak,
    status = case
      when not v_over then 'leased'
      when p_action = 'completed' then 'completed'
      when p_why_not = 'campaign cancelled' then 'cancelled'
      else 'ready'
    end,
    lease_epoch = b.lease_epoch + v_over::int,
    lease_expires_at = case when not v_over then p_now + p_lease end,
    runner_id = case when not v_over then b.runner_id end,
    lease_channel_id = case when not v_over then b.lease_channel_id end,
    completed_at = case when p_action = 'completed' then p_now end
  where b.id = p_batch.id;
end;
$$;

comment on function retoma.write_batch(retoma.batch, text, timestamptz, interval, text) is 'Writes what a step has changed in its batch.';

-- sql/50_runner/advance_batch.sql

-- The heart: one step of a leased batch in one transaction, and one commit. Locks the batch, then what it needs of: the channel's
-- pacing, the campaign's cap; errors may lock the channel and its campaigns.
-- A step is many small statements, and each costs more to start than to run: so facts are read once, by step_facts, and what a
-- channel or campaign does not have (gaps, caps, windows) is not asked about. Plans are made
-- once a session. Without sequential scans, a plan that was made while a table was empty is right when it is full (and before
-- PostgreSQL 18 costs so much that it would be compiled: hence no JIT).
create or replace function retoma.advance_batch(
  p_batch_id bigint,
  p_lease_epoch int,
  p_outcomes jsonb default '[]',
  p_want int default 0,
  p_seen int default null,
  p_accepted int[] default '{}',
  p_runner uuid default null,
  out action text,
  out wait_s double precision,
  out reserved int,
  out messages json
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set jit to off
as $$
declare
  v_batch retoma.batch;
  v_facts record;
  v_now timestamptz;
  v_taken record;
  v_open int;
begin
  perform retoma.insist_on_durability();
  v_batch := retoma.hold_batch(p_batch_id, p_lease_epoch, p_seen, p_runner);
  select f.* into v_facts from retoma.step_facts(v_batch) as f;
  v_now := v_facts.at;
  if p_accepted <> '{}' then
    v_batch := retoma.record_accepted(v_batch, p_accepted, v_facts.pacing, v_now);
  end if;
  if p_outcomes <> '[]' then
    v_batch := retoma.record_outcomes(v_batch, p_outcomes, v_facts.pacing, v_now);
    -- An error may have stopped the channel or the campaign. The time stays that of the step.
    select f.* into v_facts from retoma.step_facts(v_batch) as f;
  end if;
  v_open := retoma.in_flight(v_batch);
  if p_seen < v_batch.reserved then
    -- The reply to the last call was lost. Nobody else can hold this epoch, so nobody has sent these.
    messages := retoma.reserved_messages(v_batch, p_seen, v_facts.why_not is not null);
  end if;
  if messages is not null then
    action := 'send';
  elsif v_open = 0 and v_batch.reserved = v_batch.size then
    action := 'completed';
  elsif v_facts.why_not is not null then
    action := case when v_open = 0 then 'released' else 'drain' end;
  elsif p_want > 0 and v_batch.reserved < v_batch.size then
    v_taken := retoma.reserve_messages(v_batch, p_want, v_facts.token, v_facts.pacing, v_facts.has_cap, v_now);
    v_batch := v_taken.batch;
    messages := v_taken.messages;
    wait_s := v_taken.wait_s;
    action := retoma.next_action(v_batch, messages is not null, wait_s, v_facts.lease);
  else
    action := 'wait';
    wait_s := 0;
  end if;
  if action = 'completed' and (v_facts.pacing).batch_gap_max > '0 s' then
    perform retoma.take_batch_gap(v_batch.lease_channel_id, v_now);
  end if;
  perform retoma.write_batch(v_batch, action, v_now, v_facts.lease, v_facts.why_not);
  reserved := v_batch.reserved;
end;
$$;

comment on function retoma.advance_batch(bigint, int, jsonb, int, int, int[], uuid) is
'For runners: records outcomes, reserves the next messages and renews the lease, in one transaction.
p_outcomes: [{"ordinal": 7, "status": "accepted", "provider_id": "x"}, {"ordinal": 8, "status": "error", "code": "timeout",
"http_status": null, "retry_after_s": null, "written": true}]; held: accepted, and the provider says that it waits; the same outcome twice
is harmless. p_want: how many messages the
runner would send now. p_seen: the high-water mark of the last reply that the runner got; when a reply was lost, its messages
are given again. p_accepted: ordinals that were accepted, where there is nothing more to say. p_runner: who calls.
Returns action: send (messages: [[ordinal, id, phone, variables], …], where a fifth element true says: do not send this, report it as
not_attempted), wait (call again in wait_s seconds), drain (only outcomes are taken now), released or completed (the lease is over),
and the new high-water mark reserved.
Errors: RT010 the epoch is not that of a live lease (of p_runner): drop the batch; RT003 bad arguments.';

-- sql/50_runner/end_lease.sql

-- Ends a lease from outside of a step: reserved messages without an outcome become in doubt (invariant 4), or are queued for the
-- same channel where it dedupes. The next send of the channel keeps its gap from now, as a request may have gone out just now.
-- Takes the lock of the batch, or passes over a batch that somebody else is changing; then that of the channel's pacing. It never
-- completes a batch, as that would lock the campaign too, and its caller may go on to other batches.
create or replace function retoma.end_lease(p_batch_id bigint, p_code text) returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := retoma.clock();
  v_batch retoma.batch;
  v_lost int[];
begin
  select b.* into v_batch from retoma.batch as b where b.id = p_batch_id and b.status = 'leased' for update skip locked;
  if not found then
    return false;
  end if;
  v_lost := array(
    select u.ordinal from unnest(retoma.batch_ordinals(v_batch, 1, v_batch.reserved)) as u (ordinal)
    where not exists (
      select from retoma.delivery as d
      where d.campaign_id = v_batch.campaign_id and d.ordinal = u.ordinal and d.attempt = v_batch.attempt
    )
    order by u.ordinal
  );
  if v_lost <> '{}' then
    select e.* into v_batch
    from
      retoma.channel as h,
      retoma.campaign as c,
      retoma.apply_error(
        v_batch, h, row('*', p_code, 'ambiguous', false, true, 0, null)::retoma.error_rule, c.max_attempts, v_lost,
        null, null, v_now
      ) as e
    where h.id = v_batch.lease_channel_id and c.id = v_batch.campaign_id;
    perform retoma.take_gap(v_batch.lease_channel_id, false, v_now);
  end if;
  if v_batch.reserved = v_batch.size then
    perform retoma.take_batch_gap(v_batch.lease_channel_id, v_now);
  end if;
  insert into retoma.event (subject, campaign_id, batch_id, channel_id, runner_id, from_state, to_state, why)
  values (
    'batch', v_batch.campaign_id, v_batch.id, v_batch.lease_channel_id, v_batch.runner_id, 'leased', 'taken back',
    format('%s; %s messages without an outcome', p_code, cardinality(v_lost))
  );
  perform retoma.write_batch(
    v_batch, 'released', v_now, null, (select 'campaign ' || c.status from retoma.campaign as c where c.id = v_batch.campaign_id)
  );
  return true;
end;
$$;

comment on function retoma.end_lease(bigint, text) is
'Ends the lease of a batch; its holder is fenced off. p_code says what is known of the holder, and becomes the code of messages in
doubt: runner_gone, released, or lease_expired (it may only be frozen, and send yet: no look-up can prove that it has not).
False when the batch is locked or not leased.';

-- sql/50_runner/end_leases.sql

-- Ends many leases from outside. Those with nothing under way, which is nearly all where gaps are slept, are ended by one statement;
-- the others one by one, see end_lease. Takes the locks of the batches in the order of their ids, passing over those that
-- somebody else is changing; then those of their channels' pacing, in the order of the channels.
create or replace function retoma.end_leases(p_ids bigint[], p_codes text[]) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
as $$
declare
  v_ids bigint[] := array(
    select b.id from retoma.batch as b where b.id = any(p_ids) and b.status = 'leased' order by b.id for update skip locked
  );
begin
  with quiet as materialized (
    select b.id, b.campaign_id, b.lease_channel_id, b.runner_id, u.code
    from unnest(p_ids, p_codes) as u (id, code)
    inner join retoma.batch as b on u.id = b.id
    where b.id = any(v_ids) and b.reserved < b.size
      and b.reserved = b.sent + b.failed + b.skipped + b.in_doubt + b.moved
  ),
  noted as (
    insert into retoma.event (subject, campaign_id, batch_id, channel_id, runner_id, from_state, to_state, why)
    select
      'batch', q.campaign_id, q.id, q.lease_channel_id, q.runner_id, 'leased', 'taken back',
      q.code || '; 0 messages without an outcome'
    from quiet as q
    order by q.id
  )
  update retoma.batch as b
  set
    status = case when c.status = 'cancelled' then 'cancelled' else 'ready' end,
    lease_epoch = b.lease_epoch + 1, lease_expires_at = null, runner_id = null, lease_channel_id = null
  from quiet as q
  inner join retoma.campaign as c on q.campaign_id = c.id
  where b.id = q.id;
  perform retoma.end_lease(l.id, l.code)
  from (
    select b.id, u.code
    from unnest(p_ids, p_codes) as u (id, code)
    inner join retoma.batch as b on u.id = b.id
    where b.id = any(v_ids) and b.status = 'leased'
    order by b.lease_channel_id, b.id
  ) as l;
end;
$$;

comment on function retoma.end_leases(bigint[], text[]) is 'Ends the leases of these batches; each has its code, as for end_lease.';

-- sql/50_runner/complete_batches.sql

-- Completes those of these batches that have nothing left: their leases were ended from outside. Locks their campaigns, in the order of
-- their ids, as the trigger of each batch would do in the order of the batches.
create or replace function retoma.complete_batches(p_ids bigint[]) returns void
language sql volatile
begin atomic
  select from retoma.campaign as c
  where c.id in (select b.campaign_id from retoma.batch as b where b.id = any(p_ids) and b.status = 'ready' and b.reserved = b.size)
  order by c.id
  for no key update;
  update retoma.batch as b
  set status = 'completed', lease_epoch = b.lease_epoch + 1, completed_at = retoma.clock()
  where b.id = any(p_ids) and b.status = 'ready' and b.reserved = b.size;
end;

comment on function retoma.complete_batches(bigint[]) is 'Completes ready batches whose messages are all settled.';

-- sql/50_runner/release_batch.sql

-- Locks the batch and, when something is still under way, its channel's pacing.
create or replace function retoma.release_batch(p_batch_id bigint, p_lease_epoch int, p_runner uuid default null) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma.batch := retoma.hold_batch(p_batch_id, p_lease_epoch, null, p_runner);
begin
  perform retoma.insist_on_durability();
  perform retoma.end_lease(v_batch.id, 'released');
  perform retoma.complete_batches(array[v_batch.id]);
  perform retoma.ring(array[v_batch.lease_channel_id]);
end;
$$;

comment on function retoma.release_batch(bigint, int, uuid) is
'For runners: gives a batch back before its end. Record outcomes first: what is reserved without one becomes in doubt (or is sent
again, on a channel that dedupes). p_runner: who calls. Error RT010: the epoch is not that of a live lease (of p_runner).';

-- sql/50_runner/unregister_runner.sql

-- Gives back all leases of the runner at once: one by one over a few connections takes seconds when it has hundreds of channels.
-- Locks its batches in the order of their ids, then the pacing of their channels, then campaigns. It rings nobody, as 5,000 rings
-- take longer than a runner may need to stop: the tick of the next runner does.
create or replace function retoma.unregister_runner(p_runner_id uuid) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_ids bigint[];
begin
  perform retoma.insist_on_durability();
  update retoma.runner as r set stopped_at = retoma.clock() where r.id = p_runner_id;
  v_ids := array(
    select b.id from retoma.batch as b where b.status = 'leased' and b.runner_id = p_runner_id order by b.id for update skip locked
  );
  perform retoma.end_leases(v_ids, array_fill('released'::text, array[cardinality(v_ids)]));
  perform retoma.complete_batches(v_ids);
end;
$$;

comment on function retoma.unregister_runner(uuid) is
'The runner stops and gives back all that it has leased. Record outcomes first: what is reserved without one becomes in doubt (or is
sent again, on a channel that dedupes).';

-- sql/50_runner/refuse_content.sql

-- A text that the runner cannot render is found before its first message is reserved: nobody has failed by it.
create or replace function retoma.refuse_content(
  p_batch_id bigint, p_lease_epoch int, p_reason text, p_runner uuid default null
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma.batch := retoma.hold_batch(p_batch_id, p_lease_epoch, null, p_runner);
begin
  perform retoma.insist_on_durability();
  perform retoma.end_lease(v_batch.id, 'released');
  update retoma.campaign as c
  set status = 'interrupted', interrupt_cause = 'breaker', status_reason = left(p_reason, 500)
  where c.id = v_batch.campaign_id and c.status = 'running';
end;
$$;

comment on function retoma.refuse_content(bigint, int, text, uuid) is
'For runners: gives the batch back and interrupts its campaign, whose text cannot be rendered. p_runner: who calls.
Error RT010: not its live epoch.';

-- sql/60_receipts/receipt_rank.sql

-- A failure reported late says nothing against a delivery that has been reported.
create or replace function retoma.receipt_rank(p_status text) returns int
language sql immutable parallel safe
begin atomic
  select case p_status when 'read' then 4 when 'delivered' then 3 when 'failed' then 2 when 'server' then 1 else 0 end;
end;

comment on function retoma.receipt_rank(text) is 'Order in which a receipt replaces another.';

-- sql/60_receipts/outcome_by_receipt.sql

create or replace function retoma.outcome_by_receipt(p_outcome text, p_receipt text) returns text
language sql immutable parallel safe
begin atomic
  select case
    when p_outcome = 'moved' then 'moved'
    when p_receipt = 'failed' then 'failed'
    when p_receipt = 'server' and p_outcome = 'failed' then 'failed'
    else 'sent'
  end;
end;

comment on function retoma.outcome_by_receipt(text, text) is
'What a delivery becomes by a receipt that outranks its last one. A message that goes on in a later batch is settled there.';

-- sql/60_receipts/receipt_targets.sql

-- The delivery that each receipt is about: the attempt of our message id that has a good one already (so that a message is delivered once),
-- else the latest; or the latest with the provider's id. Subqueries with a limit cannot become joins: what the planner believes of the tables cannot make it read one of them from end to end.
create or replace function retoma.receipt_targets(
  p_receipts retoma.receipt_inbox[],
  out place bigint,
  out campaign_id int,
  out ordinal int,
  out attempt smallint,
  out batch_id bigint,
  out status text,
  out code text,
  out at timestamptz
) returns setof record
language sql stable
begin atomic
  select r.place, d.campaign_id, d.ordinal, d.attempt, d.batch_id, r.status, r.code, r.at
  from unnest(p_receipts) with ordinality
    as r (id, channel_id, message_id, provider_id, status, code, at, received_at, place)
  cross join lateral (
    select c.id from retoma.campaign as c where c.token = left(r.message_id, 24) and r.message_id ~ '^[0-9a-f]{32}$' limit 1
  ) as c
  cross join lateral (
    select dd.* from retoma.delivery as dd
    where dd.campaign_id = c.id and dd.ordinal = ('x' || right(r.message_id, 8))::bit(32)::int
      and dd.channel_id = r.channel_id and dd.outcome <> 'skipped'
    order by r.status <> 'failed' and dd.receipt in ('server', 'delivered', 'read') desc nulls last, dd.attempt desc
    limit 1
  ) as d
  union all
  select r.place, d.campaign_id, d.ordinal, d.attempt, d.batch_id, r.status, r.code, r.at
  from unnest(p_receipts) with ordinality
    as r (id, channel_id, message_id, provider_id, status, code, at, received_at, place)
  cross join lateral (
    select dd.* from retoma.delivery as dd
    where dd.provider_id = r.provider_id and dd.channel_id = r.channel_id
    order by dd.at desc
    limit 1
  ) as d
  where r.message_id is null;
end;

comment on function retoma.receipt_targets(retoma.receipt_inbox[]) is
'What these receipts are about, as far as it is there; place: in the array, from 1.';

-- sql/60_receipts/apply_receipts.sql

-- Locks the batches concerned, in the order of their ids, before it touches deliveries. A message whose outcome is recorded while we wait for
-- these locks is left for later: nobody but the holder of its batch may judge it, or two could count one receipt.
-- Its plan is kept, since receipts often come one by one, and consists of nested loops over indexes.
create or replace function retoma.apply_receipts(p_receipts retoma.receipt_inbox[]) returns bigint[]
language plpgsql volatile
set search_path to pg_catalog, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_hashjoin to off
set enable_mergejoin to off
set jit to off
as $$
declare
  v_held bigint[] := array(
    select b.id from retoma.batch as b
    where b.id in (select t.batch_id from retoma.receipt_targets(p_receipts) as t)
    order by b.id
    for update
  );
  v_applied bigint[];
begin
  with target as materialized (
    select t.* from retoma.receipt_targets(p_receipts) as t where t.batch_id = any(v_held)
  ),
  best as (
    select distinct on (t.campaign_id, t.ordinal, t.attempt) t.*
    from target as t
    order by t.campaign_id, t.ordinal, t.attempt, retoma.receipt_rank(t.status) desc, t.at
  ),
  judged as (
    select
      d.batch_id, d.campaign_id, d.ordinal, d.attempt, d.outcome as was, d.receipt as had, b.status, b.at, b.code,
      retoma.outcome_by_receipt(d.outcome, b.status) as outcome
    from best as b
    cross join lateral (
      select dd.* from retoma.delivery as dd
      where dd.campaign_id = b.campaign_id and dd.ordinal = b.ordinal and dd.attempt = b.attempt
      limit 1
    ) as d
    where retoma.receipt_rank(b.status) > retoma.receipt_rank(d.receipt)
  ),
  written as (
    update retoma.delivery as d
    set receipt = j.status, receipt_at = j.at, outcome = j.outcome, code = case when j.status = 'failed' then j.code else d.code end
    from judged as j
    where d.campaign_id = j.campaign_id and d.ordinal = j.ordinal and d.attempt = j.attempt
    returning j.*
  ),
  counted as (
    update retoma.batch as b
    set
      sent = b.sent + w.sent, failed = b.failed + w.failed, in_doubt = b.in_doubt + w.in_doubt,
      delivered = b.delivered + w.delivered, read = b.read + w.read
    from (
      select
        ww.batch_id,
        sum((ww.outcome = 'sent')::int - (ww.was = 'sent')::int)::int as sent,
        sum((ww.outcome = 'failed')::int - (ww.was = 'failed')::int)::int as failed,
        sum((ww.outcome = 'in_doubt')::int - (ww.was = 'in_doubt')::int)::int as in_doubt,
        sum((ww.status in ('delivered', 'read') and coalesce(ww.had, '') <> 'delivered')::int)::int as delivered,
        sum((ww.status = 'read')::int)::int as read
      from written as ww
      group by ww.batch_id
    ) as w
    where b.id = w.batch_id
  )
  select coalesce(array_agg(t.place), '{}') into v_applied from target as t;
  return v_applied;
end;
$$;

comment on function retoma.apply_receipts(retoma.receipt_inbox[]) is
'Applies the receipts whose message is there. Returns their places in the array, from 1.';

-- sql/60_receipts/apply_waiting_receipts.sql

create or replace function retoma.apply_waiting_receipts() returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_waiting retoma.receipt_inbox[] := array(select i from retoma.receipt_inbox as i order by i.id);
  v_applied bigint[];
begin
  if v_waiting = '{}' then
    return 0;
  end if;
  v_applied := retoma.apply_receipts(v_waiting);
  delete from retoma.receipt_inbox as i where i.id = any(array(select v_waiting[u.place].id from unnest(v_applied) as u (place)));
  return cardinality(v_applied);
end;
$$;

comment on function retoma.apply_waiting_receipts() is 'Applies the waiting receipts whose message is there by now. Returns how many.';

-- sql/60_receipts/record_receipts.sql

-- A receipt that comes before the outcome of its message goes into the inbox, until tick applies it.
create or replace function retoma.record_receipts(p_channel text, p_receipts jsonb) returns int
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_channel_id int := (retoma.find_channel(p_channel)).id;
  v_receipts retoma.receipt_inbox[];
  v_applied bigint[];
begin
  if jsonb_typeof(p_receipts) is distinct from 'array' or exists (
    select from jsonb_array_elements(p_receipts) as r (item)
    where coalesce(r.item ->> 'status', '') not in ('server', 'delivered', 'read', 'played', 'failed')
      or coalesce(r.item ->> 'message_id', r.item ->> 'provider_id') is null
  ) then
    raise exception using errcode = 'RT003',
      message = 'receipts are a JSON array of objects with message_id or provider_id, and a status',
      hint = '[{"message_id": "…", "status": "delivered"}]; status: server, delivered, read, played or failed';
  end if;
  v_receipts := array(
    select
      row(
        null, v_channel_id, lower(r.message_id), r.provider_id, case r.status when 'played' then 'read' else r.status end, r.code,
        coalesce(r.at, retoma.clock()), null
      )::retoma.receipt_inbox
    from jsonb_to_recordset(p_receipts) as r (message_id text, provider_id text, status text, code text, at timestamptz)
  );
  v_applied := retoma.apply_receipts(v_receipts);
  if cardinality(v_applied) < cardinality(v_receipts) then
    insert into retoma.receipt_inbox (channel_id, message_id, provider_id, status, code, at)
    select r.channel_id, r.message_id, r.provider_id, r.status, r.code, r.at
    from unnest(v_receipts) with ordinality as r (id, channel_id, message_id, provider_id, status, code, at, received_at, place)
    where r.place <> all(v_applied);
  end if;
  return cardinality(v_applied);
exception
  when invalid_datetime_format or datetime_field_overflow then
    raise exception using errcode = 'RT003',
      message = format('a receipt has a time that is none: %s', sqlerrm),
      hint = 'Write "at" as 2026-01-01T12:00:00Z, or leave it out';
end;
$$;

comment on function retoma.record_receipts(text, jsonb) is
'Records reports of the provider on messages of a channel: [{"message_id": ours, "provider_id": theirs, "status": "delivered",
"code": null, "at": "2026-01-01T12:00:00Z"}]. Repeats and any order are harmless; a late report never moves a message back.
Settles messages in doubt. Returns how many were applied now; a report that is ahead of its message waits. Errors: RT001, RT003.';

-- sql/60_receipts/claim_look_ups.sql

-- Messages in doubt that are old enough that their request cannot be under way any more (setting.look_up_after), and were not asked
-- about within that time. Takes no lock: asking twice is harmless, as an answer counts for the attempt that was asked about.
create or replace function retoma.claim_look_ups(
  p_channel_id int,
  p_limit int default 100,
  out message_id text,
  out attempt smallint,
  out phone text,
  out channel text,
  out transport text,
  out settings jsonb
) returns setof record
language sql volatile security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select retoma.message_id(c.token, d.ordinal), d.attempt, m.phone, h.name, h.transport, h.settings
  from retoma.delivery as d
  inner join retoma.campaign as c on d.campaign_id = c.id
  inner join retoma.message as m on d.campaign_id = m.campaign_id and d.ordinal = m.ordinal
  inner join retoma.channel as h on d.channel_id = h.id
  where d.channel_id = p_channel_id and d.outcome = 'in_doubt' and h.looks_up and h.connected
    and coalesce(d.receipt_at, d.at) < retoma.clock() - (select s.look_up_after from retoma.setting as s)
  order by d.at
  limit p_limit;
end;

comment on function retoma.claim_look_ups(int, int) is
'For runners: messages in doubt of a channel about which the provider can be asked now, and how to reach it.';

-- sql/60_receipts/look_up_targets.sql

create or replace function retoma.look_up_targets(
  p_channel_id int, p_results jsonb, out campaign_id int, out ordinal int, out batch_id bigint, out result text, out proves boolean
) returns setof record
language sql stable
begin atomic
  select d.campaign_id, d.ordinal, d.batch_id, r.result, coalesce(d.code, '') <> 'lease_expired' and c.status <> 'cancelled'
  from jsonb_to_recordset(p_results) as r (message_id text, attempt smallint, result text)
  inner join retoma.campaign as c on c.token = left(r.message_id, 24) and r.message_id ~ '^[0-9a-f]{32}$'
  inner join retoma.delivery as d
    on d.campaign_id = c.id and d.ordinal = ('x' || right(r.message_id, 8))::bit(32)::int and d.attempt = r.attempt
  where d.channel_id = p_channel_id and d.outcome = 'in_doubt';
end;

comment on function retoma.look_up_targets(int, jsonb) is
'Deliveries in doubt that these look-ups are about. proves: that the message is sent again when it was not found; not where its runner may
only be frozen, nor in a campaign that was cancelled.';

-- sql/60_receipts/record_look_ups.sql

-- Locks the batches of the messages, in the order of their ids, then the campaigns that have messages to send again.
create or replace function retoma.record_look_ups(p_channel_id int, p_results jsonb) returns int
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_group record;
  v_count int := 0;
  v_reopen int[] := array[]::int[];
  v_held bigint[];
begin
  if jsonb_typeof(p_results) is distinct from 'array' then
    raise exception using errcode = 'RT003',
      message = 'results are a JSON array of objects', hint = '[{"message_id": "…", "attempt": 1, "result": "found"}]';
  end if;
  v_held := array(
    select b.id from retoma.batch as b
    where b.id in (select d.batch_id from retoma.look_up_targets(p_channel_id, p_results) as d)
    order by b.id
    for update
  );
  for v_group in
    select t.campaign_id, t.result, t.proves, array_agg(t.ordinal) as ordinals
    from retoma.look_up_targets(p_channel_id, p_results) as t
    where t.batch_id = any(v_held)
    group by t.campaign_id, t.result, t.proves
    order by t.campaign_id
  loop
    if v_group.result = 'found' then
      perform retoma.settle_in_doubt(v_group.campaign_id, v_group.ordinals, 'sent', 'look_up');
    elsif v_group.result = 'absent' and v_group.proves then
      -- Proved: none of its attempts has arrived. So a number that is suppressed by now is skipped, not in doubt once more.
      perform retoma.requeue(v_group.campaign_id, 'in_doubt', null, v_group.ordinals, false, false);
      v_reopen := v_reopen || v_group.campaign_id;
    else
      update retoma.delivery as d set receipt_at = retoma.clock()
      where d.campaign_id = v_group.campaign_id and d.ordinal = any(v_group.ordinals) and d.outcome = 'in_doubt';
    end if;
    v_count := v_count + cardinality(v_group.ordinals);
  end loop;
  perform retoma.reopen_campaign(u.id) from unnest(v_reopen) as u (id);
  return v_count;
end;
$$;

comment on function retoma.record_look_ups(int, jsonb) is
'For runners: what the provider said of messages in doubt: [{"message_id": "…", "attempt": 1, "result": "found"}], with the attempt
that was asked about: an answer says nothing of a later one. found: sent; absent: it was never taken, and is sent again, unless its
runner may only be frozen and send it yet, or its campaign was cancelled; unknown: stays in doubt, and is asked about again later. Returns how many. Error RT003: not an array.';

-- sql/60_receipts/channels_that_can_ask.sql

-- Starts from the messages in doubt, which are few: asking for each channel of thousands took seconds in every tick.
create or replace function retoma.channels_that_can_ask() returns setof int
language sql stable
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
begin atomic
  select distinct d.channel_id
  from retoma.delivery as d
  inner join retoma.channel as h on d.channel_id = h.id
  where d.outcome = 'in_doubt' and h.looks_up and h.connected
    and coalesce(d.receipt_at, d.at) < retoma.clock() - (select s.look_up_after from retoma.setting as s);
end;

comment on function retoma.channels_that_can_ask() is 'Channels for which claim_look_ups has messages now.';

-- sql/50_runner/reap_leases.sql

-- Takes back the leases that expired, and at once those of a runner that stopped or whose session is gone, unless the server has
-- restarted since it registered: then the session says nothing of the process (invariant 10: this decides only how fast).
-- Locks those batches, passing over any that is being changed (a lease that was renewed meanwhile is judged anew under the lock);
-- then the pacing of their channels; then campaigns.
create or replace function retoma.reap_leases() returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := retoma.clock();
  v_gone uuid[] := array(
    select r.id from retoma.runner as r
    where r.stopped_at is not null or (
      r.server_started_at = pg_postmaster_start_time()
      and not r.lock_key = any(array(select k from retoma.locked_runner_keys() as k))
    )
  );
  v_ids bigint[];
  v_codes text[];
begin
  select
    coalesce(array_agg(l.id), '{}'),
    coalesce(array_agg(case when l.is_gone then 'runner_gone' else 'lease_expired' end), '{}')
  into v_ids, v_codes
  from (
    select b.id, b.runner_id = any(v_gone) as is_gone
    from retoma.batch as b
    where b.status = 'leased' and (b.lease_expires_at < v_now or b.runner_id = any(v_gone))
    order by b.id
    for update skip locked
  ) as l;
  if v_ids = '{}' then
    return 0;
  end if;
  perform retoma.end_leases(v_ids, v_codes);
  perform retoma.complete_batches(v_ids);
  return cardinality(v_ids);
end;
$$;

comment on function retoma.reap_leases() is 'Takes back the leases of dead runners. Returns how many.';

-- sql/50_runner/start_due_campaigns.sql

-- Locks the due campaigns in the order of their ids before it changes any.
create or replace function retoma.start_due_campaigns() returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_ids int[];
begin
  v_ids := array(
    select c.id from retoma.campaign as c
    where c.status = 'scheduled' and c.starts_at <= retoma.clock()
    order by c.id
    for no key update skip locked
  );
  update retoma.campaign as c set status = 'running' where c.id = any(v_ids);
  perform retoma.match_channels(u.id) from unnest(v_ids) as u (id);
  return cardinality(v_ids);
end;
$$;

comment on function retoma.start_due_campaigns() is 'Starts scheduled campaigns whose time has come. Returns how many.';

-- sql/50_runner/sweep_jobs.sql

-- procrastinate never ends a job whose worker was killed, and removes a stalled worker only when another one starts. A job of ours
-- holds nothing (the batch is the truth), so it is deleted: the next ring makes a new one.
create or replace function retoma.sweep_jobs() returns void
language sql volatile
begin atomic -- noqa: PRS
  delete from procrastinate.procrastinate_workers as w where w.last_heartbeat < now() - interval '60 s';
  delete from procrastinate.procrastinate_jobs as j
  where j.status = 'doing' and j.worker_id is null and j.task_name = 'retoma.drain_channel';
end;

comment on function retoma.sweep_jobs() is 'Removes doorbell jobs whose worker is gone.';

-- sql/50_runner/ring_waiting_channels.sql

-- The safety net under the doorbell: whatever made a channel ready (a retry that is due, a window that opens, a hold that ends,
-- a lease taken back), it is rung within a tick. Starts from the running campaigns, so idle channels cost nothing.
create or replace function retoma.ring_waiting_channels() returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
set plan_cache_mode to force_custom_plan
as $$
declare
  v_now timestamptz := retoma.clock();
  v_ids int[];
begin
  v_ids := array(
    with due as materialized (
      select z.campaign_id, z.zone
      from retoma.zones_that_may_send(v_now) as z
      where exists (
        select from retoma.batch as b
        where b.campaign_id = z.campaign_id and b.zone = z.zone and b.status = 'ready' and b.not_before <= v_now
      )
    )
    select cc.channel_id
    from due as d
    inner join retoma.campaign_channel as cc on d.campaign_id = cc.campaign_id
    inner join retoma.channels_that_can_lease(v_now) as h (id) on cc.channel_id = h.id
    where exists (
      select from retoma.batch as b
      where b.campaign_id = d.campaign_id and b.zone = d.zone and b.status = 'ready' and b.not_before <= v_now
        and (b.channel_id is null or b.channel_id = cc.channel_id)
    )
    union
    select a.id
    from retoma.channels_that_can_ask() as a (id)
  );
  -- Whoever fetches a job that waits now will see all that is seen here: no need to write it again, twice a second.
  v_ids := array(
    select u.id from unnest(v_ids) as u (id)
    where not exists (
      select from procrastinate.procrastinate_jobs as j where j.status = 'todo' and j.queueing_lock = 'retoma:' || u.id
    )
  );
  if v_ids <> '{}' then
    perform retoma.ring(v_ids);
  end if;
  return cardinality(v_ids);
end;
$$;

comment on function retoma.ring_waiting_channels() is 'Rings the channels that could lease a batch, or ask about messages in doubt, now. Returns how many.';

-- sql/50_runner/tick.sql

-- What any one live runner does every half second, so that recovery needs nobody (invariant 9). One at a time, by a lock that
-- nobody waits for. The order of the steps is the order of locks of install.sql.
create or replace function retoma.tick(
  p_runner_id uuid default null, out settled int, out reaped int, out started int, out rung int
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  perform retoma.insist_on_durability();
  update retoma.runner as r set last_seen_at = retoma.clock() where r.id = p_runner_id;
  if not pg_try_advisory_xact_lock(retoma.runner_lock_class(), 0) then
    return;
  end if;
  settled := retoma.apply_waiting_receipts();
  reaped := retoma.reap_leases();
  started := retoma.start_due_campaigns();
  perform retoma.match_campaigns();
  perform retoma.sweep_jobs();
  rung := retoma.ring_waiting_channels();
end;
$$;

comment on function retoma.tick(uuid) is
'For runners, every half second or so: applies early receipts, takes back the leases of dead runners, starts due campaigns, interrupts
and resumes campaigns by the state of their channels, removes jobs of dead workers, and rings channels that have work. Returns how many of each; nulls when another runner is at it just now.';

-- sql/70_maintenance/append_only.sql

-- The audit cannot be rewritten: no update at all, and no delete of what is younger than the retention.
create or replace function retoma.append_only() returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if tg_op = 'DELETE' then
    if old.at < retoma.clock() - (select s.retention from retoma.setting as s) then
      return old;
    end if;
  end if;
  raise exception using errcode = 'RT011',
    message = format('%s.%s is append-only', tg_table_schema, tg_table_name),
    hint = 'Write another row instead; retoma.cleanup() removes events that are older than setting.retention';
end;
$$;

comment on function retoma.append_only() is 'Trigger: refuses to change the audit (RT011).';

create or replace trigger append_only before update or delete on retoma.event
for each row execute function retoma.append_only();

create or replace trigger append_only before update or delete on retoma.consent
for each row execute function retoma.append_only();

-- sql/70_maintenance/immutable.sql

create or replace function retoma.immutable() returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'RT011',
    message = format('%s.%s is immutable', tg_table_schema, tg_table_name),
    hint = 'What happens to a message is in retoma.delivery';
end;
$$;

comment on function retoma.immutable() is 'Trigger: refuses to change a message (RT011).';

create or replace trigger immutable before update on retoma.message
for each statement execute function retoma.immutable();

-- sql/70_maintenance/messages_per_hour.sql

create or replace function retoma.messages_per_hour(p_pacing retoma.channel_pacing, p_batch_size int) returns numeric
language sql immutable
begin atomic
  select case
    when (p_pacing).gap_max > '0 s' or (p_pacing).batch_gap_max > '0 s' then round(least(
      3600 * p_batch_size / nullif(
        extract(epoch from (p_pacing).gap_min + (p_pacing).gap_max) / 2 * (p_batch_size - 1)
        + extract(
          epoch from greatest((p_pacing).gap_min, (p_pacing).batch_gap_min) + greatest((p_pacing).gap_max, (p_pacing).batch_gap_max)
        ) / 2,
        0
      ),
      3600 * (p_pacing).rate_per_s
    ), 1)
    else 3600 * (p_pacing).rate_per_s
  end;
end;

comment on function retoma.messages_per_hour(retoma.channel_pacing, int) is
'What the pacing of a channel allows on average; null without any limit.';

-- sql/70_maintenance/forecast.sql

create or replace function retoma.forecast(
  p_campaign text, out messages_left bigint, out messages_per_hour numeric, out finishes_at timestamptz, out note text
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma.campaign := retoma.find_campaign(p_campaign);
  v_unlimited boolean;
begin
  messages_left := case when v_campaign.status = 'draft' then v_campaign.total else (
    select coalesce(sum(b.size - b.sent - b.failed - b.skipped - b.in_doubt - b.moved), 0)
    from retoma.batch as b where b.campaign_id = v_campaign.id and b.status in ('ready', 'leased')
  ) end;
  select
    sum(retoma.messages_per_hour(p, v_campaign.batch_size)), bool_or(retoma.messages_per_hour(p, v_campaign.batch_size) is null)
  into messages_per_hour, v_unlimited
  from retoma.campaign_channel as cc
  inner join retoma.channel as c on cc.channel_id = c.id
  inner join retoma.channel_pacing as p on c.id = p.channel_id
  where cc.campaign_id = v_campaign.id and c.connected and not c.paused;
  if v_unlimited then
    messages_per_hour := null;
    note := 'a channel has no limit: it sends as fast as its provider answers';
  elsif messages_per_hour is null then
    note := retoma.why_no_channel(v_campaign.id);
  else
    finishes_at := greatest(retoma.clock(), v_campaign.starts_at) + make_interval(hours => 1) * (messages_left / messages_per_hour);
    note := 'by pacing alone: windows, quotas, retries and other campaigns of the same channels are not counted';
  end if;
end;
$$;

comment on function retoma.forecast(text) is
'How many messages a campaign has left, how fast its connected channels may send, and when it would be done. Error RT001.';

-- sql/70_maintenance/erase_campaigns.sql

create or replace function retoma.erase_campaigns(p_before timestamptz) returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_ids int[];
begin
  v_ids := array(
    select c.id from retoma.campaign as c
    where c.status in ('completed', 'cancelled') and c.erased_at is null and c.finished_at < p_before
      and not exists (select from retoma.batch as b where b.campaign_id = c.id and b.status = 'leased')
    order by c.id
    for no key update skip locked
  );
  delete from retoma.message as m where m.campaign_id = any(v_ids);
  delete from retoma.delivery as d where d.campaign_id = any(v_ids);
  delete from retoma.recipient_reject as r where r.campaign_id = any(v_ids);
  delete from retoma.batch_list as l using retoma.batch as b where l.batch_id = b.id and b.campaign_id = any(v_ids);
  update retoma.campaign as c set erased_at = retoma.clock() where c.id = any(v_ids);
  return cardinality(v_ids);
end;
$$;

comment on function retoma.erase_campaigns(timestamptz) is 'Erases personal data of campaigns that ended before. Returns how many.';

-- sql/70_maintenance/drop_partitions.sql

-- Drops the partitions of blocks in which every campaign has been erased and no campaign can be born any more.
create or replace function retoma.drop_partitions() returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
set lock_timeout to '200ms'
as $$
declare
  v_partition record;
  v_count int := 0;
begin
  for v_partition in
    select p.relname as name
    from pg_inherits as i
    inner join pg_class as p on i.inhrelid = p.oid
    cross join lateral (select substring(p.relname from '\d+$')::int as block) as b
    where i.inhparent in ('retoma.message'::regclass, 'retoma.delivery'::regclass)
      and b.block + 100 <= (select max(c.id) from retoma.campaign as c)
      and not exists (
        select from retoma.campaign as c where c.id >= b.block and c.id < b.block + 100 and c.erased_at is null
      )
  loop
    begin
      execute format('drop table retoma.%I', v_partition.name);
      v_count := v_count + 1;
    exception
      when lock_not_available then null; -- somebody reads it: the next call tries again
    end;
  end loop;
  return v_count;
end;
$$;

comment on function retoma.drop_partitions() is 'Drops partitions whose campaigns have all been erased. Returns how many.';

-- sql/70_maintenance/cleanup.sql

-- Locks the campaigns that it erases, and for a moment a whole partition when it can drop one; it gives up on that (and comes
-- back) rather than queue readers behind it.
create or replace function retoma.cleanup(
  p_retention interval default null, out campaigns int, out partitions int, out events bigint, out runners int
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := retoma.clock();
  v_retention interval := coalesce(p_retention, (select s.retention from retoma.setting as s));
begin
  if v_retention < '1 day' then
    raise exception using errcode = 'RT003',
      message = format('a retention of %s is too short', v_retention),
      hint = 'Receipts arrive for days: keep at least ''1 day''';
  end if;
  campaigns := retoma.erase_campaigns(v_now - v_retention);
  delete from retoma.event as e where e.at < v_now - greatest(v_retention, (select s.retention from retoma.setting as s));
  get diagnostics events = row_count;
  delete from retoma.receipt_inbox as i where i.received_at < v_now - interval '1 day';
  delete from retoma.runner as r
  where r.last_seen_at < v_now - interval '1 day' and not exists (select from retoma.batch as b where b.runner_id = r.id);
  get diagnostics runners = row_count;
  -- Last, because from here to the commit every step waits.
  partitions := retoma.drop_partitions();
end;
$$;

comment on function retoma.cleanup(interval) is
'Erases the recipients and deliveries of campaigns that ended longer ago than p_retention (default setting.retention, 90 days; their
totals stay), old audit events, and traces of dead runners. Runners call it every hour. Returns how many of each. Error RT003.';

-- sql/80_views/mask_phone.sql

create or replace function retoma.mask_phone(p_phone text) returns text
language sql immutable parallel safe
begin atomic
  select left(p_phone, 3) || repeat('*', greatest(length(p_phone) - 6, 0)) || right(p_phone, 3);
end;

comment on function retoma.mask_phone(text) is 'A number with all but its first and last digits hidden.';

-- sql/80_views/live_runners.sql

-- A runner lives while its session holds its lock and it has been heard within a lease (a frozen process keeps its session).
create or replace function retoma.live_runners() returns setof uuid
language sql volatile security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select r.id
  from retoma.runner as r
  where r.stopped_at is null and r.lock_key = any(array(select k from retoma.locked_runner_keys() as k))
    and r.last_seen_at > retoma.clock() - (select s.lease_duration from retoma.setting as s);
end;

comment on function retoma.live_runners() is 'Ids of the runners that live.';

-- sql/80_views/detect_interruptions.sql

-- A campaign that is interrupted by its channels or a breaker says so itself; that no runner lives cannot be written down by
-- anybody, so it is found when somebody looks.
create or replace function retoma.detect_interruptions(
  out campaign_id int, out cause text, out reason text, out since timestamptz
) returns setof record
language sql volatile security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select
    c.id,
    coalesce(c.interrupt_cause, 'no_runner'),
    coalesce(c.status_reason, 'no runner is alive: start one with "retoma worker"'),
    case
      when c.status = 'interrupted' then (
        select max(e.at) from retoma.event as e where e.campaign_id = c.id and e.subject = 'campaign' and e.to_state = 'interrupted'
      )
      else (select greatest(max(r.last_seen_at), c.started_at) from retoma.runner as r)
    end
  from retoma.campaign as c
  where c.status = 'interrupted'
    or (c.status = 'running' and not exists (select from retoma.live_runners()));
end;

comment on function retoma.detect_interruptions() is
'Campaigns that should be running but cannot, with the cause (channel, breaker, no_runner), the reason, and since when.';

-- sql/80_views/campaign_books.sql

-- The books of every campaign (invariant 5), from the counters of its batches: total = pending + sending + sent + failed + skipped
-- + in_doubt + cancelled. What moved on into a later batch is counted there. Reads a row a batch, not a row a message.
create or replace view retoma.campaign_books as
select
  c.id as campaign_id,
  c.total,
  case
    when c.status = 'cancelled' then 0
    when b.campaign_id is null then c.total
    else b.rest
  end as pending,
  coalesce(b.sending, 0) as sending,
  coalesce(b.sent, 0) as sent,
  coalesce(b.failed, 0) as failed,
  coalesce(b.skipped, 0) as skipped,
  coalesce(b.in_doubt, 0) + case when c.status = 'cancelled' then coalesce(b.maybe_rest, 0) else 0 end as in_doubt,
  case
    when c.status <> 'cancelled' then 0
    when b.campaign_id is null then c.total
    else b.rest - b.maybe_rest
  end as cancelled,
  coalesce(b.delivered, 0) as delivered,
  coalesce(b.read, 0) as read,
  coalesce(b.batches, 0) as batches,
  coalesce(b.batches_done, 0) as batches_done
from retoma.campaign as c
left join (
  select
    bb.campaign_id,
    sum(bb.size - bb.reserved) as rest,
    sum(case when bb.maybe_sent then bb.size - bb.reserved else 0 end) as maybe_rest,
    sum(bb.reserved - bb.sent - bb.failed - bb.skipped - bb.in_doubt - bb.moved) as sending,
    sum(bb.sent) as sent,
    sum(bb.failed) as failed,
    sum(bb.skipped) as skipped,
    sum(bb.in_doubt) as in_doubt,
    sum(bb.delivered) as delivered,
    sum(bb.read) as read,
    count(*) as batches,
    count(*) filter (where bb.status = 'completed') as batches_done
  from retoma.batch as bb
  group by bb.campaign_id
) as b on c.id = b.campaign_id;

comment on view retoma.campaign_books is
'Totals of every campaign: total = pending + sending + sent + failed + skipped + in_doubt + cancelled, at every moment.';

-- sql/80_views/v_campaign_summary.sql

create or replace view retoma.v_campaign_summary as
select
  c.name as campaign,
  coalesce(case when i.campaign_id is not null then 'interrupted' end, c.status) as status,
  coalesce(i.reason, c.status_reason) as reason,
  (
    select string_agg(h.name, ', ' order by h.name)
    from retoma.campaign_channel as cc
    inner join retoma.channel as h on cc.channel_id = h.id
    where cc.campaign_id = c.id
  ) as channels,
  b.total,
  b.pending,
  b.sending,
  b.sent,
  b.failed,
  b.skipped,
  b.in_doubt,
  b.cancelled,
  b.delivered,
  b.read,
  round(100.0 * (b.total - b.pending - b.sending) / nullif(b.total, 0), 1) as progress_percent,
  b.batches,
  b.batches_done,
  c.created_at,
  c.starts_at,
  c.started_at,
  c.finished_at
from retoma.campaign as c
inner join retoma.campaign_books as b on c.id = b.campaign_id
left join retoma.detect_interruptions() as i on c.id = i.campaign_id;

comment on view retoma.v_campaign_summary is
'One row a campaign: status (draft, scheduled, running, paused, interrupted, completed, cancelled), why, and its books.';

-- sql/80_views/v_interrupted_campaigns.sql

create or replace view retoma.v_interrupted_campaigns as
select
  s.campaign,
  i.cause,
  i.reason,
  i.since,
  s.channels,
  s.pending,
  s.sending,
  s.sent,
  s.in_doubt,
  case i.cause
    when 'channel' then (
      select string_agg(
        format(
          case when h.paused then 'select retoma.resume_channel(%L)' else 'reconnect %1$s, then: select retoma.channel_connected(%1$L)' end,
          h.name
        ), '; or ' order by h.name
      )
      from retoma.campaign_channel as cc
      inner join retoma.channel as h on cc.channel_id = h.id
      where cc.campaign_id = c.id
    )
    when 'breaker' then format('Correct what the reason says, then: select retoma.resume_campaign(%L)', c.name)
    else 'Start a runner: retoma worker; the campaign goes on by itself'
  end as what_to_do
from retoma.detect_interruptions() as i
inner join retoma.campaign as c on i.campaign_id = c.id
inner join retoma.v_campaign_summary as s on c.name = s.campaign;

comment on view retoma.v_interrupted_campaigns is 'Campaigns that should be running but cannot: why, since when, and what to do.';

-- sql/80_views/campaign_batch_details.sql

create or replace view retoma.campaign_batch_details as
select
  c.name as campaign,
  row_number() over (partition by b.campaign_id order by b.id) as number,
  b.id as batch_id,
  b.status,
  b.size,
  b.reserved,
  b.sent,
  b.failed,
  b.skipped,
  b.in_doubt,
  b.moved,
  b.delivered,
  b.read,
  b.attempt,
  b.zone,
  nullif(b.not_before, '-infinity') as not_before,
  h.name as channel,
  r.name as runner,
  b.lease_epoch,
  b.lease_expires_at,
  b.leased_at,
  b.completed_at
from retoma.batch as b
inner join retoma.campaign as c on b.campaign_id = c.id
left join retoma.channel as h on b.lease_channel_id = h.id
left join retoma.runner as r on b.runner_id = r.id;

comment on view retoma.campaign_batch_details is
'One row a batch: state, position (reserved of size), counters, who holds it. moved: messages that go on in a later batch.';

-- sql/80_views/campaign_batch_state.sql

create or replace view retoma.campaign_batch_state as
select
  s.campaign,
  s.status,
  s.batches as total_batches,
  s.batches_done as completed_batches,
  current.number as current_batch,
  current.reserved as current_position,
  current.channel,
  current.runner,
  s.total as total_messages,
  s.sent,
  s.failed,
  s.in_doubt,
  s.pending,
  current.leased_at
from retoma.v_campaign_summary as s
left join lateral (
  select d.number, d.reserved, d.channel, d.runner, d.leased_at
  from retoma.campaign_batch_details as d
  where d.campaign = s.campaign and d.status = 'leased'
  order by d.leased_at desc
  limit 1
) as current on true;

comment on view retoma.campaign_batch_state is 'One row a campaign: how many batches are done, and where the latest leased one stands.';

-- sql/80_views/v_channel.sql

create or replace view retoma.v_channel as
select
  c.name as channel,
  c.transport,
  retoma.channel_state(c.connected, c.paused) as state,
  c.state_reason as reason,
  nullif(greatest(p.next_send_at, p.hold_until), '-infinity') as next_send_at,
  case when p.hold_until > retoma.clock() then p.hold_reason end as held_because,
  extract(epoch from p.gap_min) as gap_min_s,
  extract(epoch from p.gap_max) as gap_max_s,
  extract(epoch from p.batch_gap_min) as batch_gap_min_s,
  extract(epoch from p.batch_gap_max) as batch_gap_max_s,
  p.rate_per_s,
  p.burst,
  retoma.current_throttle(p, retoma.clock()) as throttle,
  p.daily_quota,
  p.quota_used,
  c.max_in_flight,
  c.max_leases,
  c.dedupes,
  c.looks_up,
  (select count(*) from retoma.batch as b where b.status = 'leased' and b.lease_channel_id = c.id) as leases
from retoma.channel as c
inner join retoma.channel_pacing as p on c.id = p.channel_id;

comment on view retoma.v_channel is 'Sender accounts: state, pacing and when each may send next. Settings (credentials) are not shown.';

-- sql/80_views/message_state.sql

-- Not for monitoring in bulk: reads the latest delivery of each message that is asked for.
create or replace view retoma.message_state as
select
  c.name as campaign,
  m.campaign_id,
  m.ordinal,
  m.phone,
  m.variables,
  case
    when d.outcome is not null and d.outcome <> 'moved' then d.outcome
    when w.reserved then 'sending'
    when c.status = 'cancelled' and w.maybe_sent then 'in_doubt'
    when c.status = 'cancelled' then 'cancelled'
    else 'pending'
  end as state,
  d.attempt,
  d.code,
  -- A receipt stays with the attempt that got it, also when a later one was made.
  case
    when d.receipt is null and d.attempt > 1 then (
      select dd.receipt from retoma.delivery as dd
      where dd.campaign_id = m.campaign_id and dd.ordinal = m.ordinal and dd.receipt is not null
      order by retoma.receipt_rank(dd.receipt) desc
      limit 1
    )
    else d.receipt
  end as receipt,
  d.at,
  d.channel_id,
  retoma.message_id(c.token, m.ordinal) as message_id
from retoma.message as m
inner join retoma.campaign as c on m.campaign_id = c.id
left join lateral (
  select dd.* from retoma.delivery as dd
  where dd.campaign_id = m.campaign_id and dd.ordinal = m.ordinal
  order by dd.attempt desc
  limit 1
) as d on true
left join lateral (
  select
    b.maybe_sent,
    b.status = 'leased' and case
      when b.first_ordinal is null then m.ordinal = any(l.ordinals[1:b.reserved])
      else m.ordinal < b.first_ordinal + b.reserved
    end as reserved
  from retoma.batch as b
  left join retoma.batch_list as l on b.id = l.batch_id
  where b.campaign_id = m.campaign_id and b.attempt = coalesce(d.attempt, 0) + 1
    and (d.outcome is null or d.outcome = 'moved')
    and case
      when b.first_ordinal is null then m.ordinal = any(l.ordinals)
      else m.ordinal between b.first_ordinal and b.first_ordinal + b.size - 1
    end
  limit 1
) as w on true;

comment on view retoma.message_state is
'Operators: every message with its number, its state (pending, sending, sent, failed, skipped, in_doubt, cancelled) and why.';

-- sql/80_views/v_message.sql

create or replace view retoma.v_message as
select
  s.campaign,
  s.ordinal,
  retoma.mask_phone(s.phone) as phone,
  s.state,
  s.attempt,
  s.code,
  s.receipt,
  s.at,
  h.name as channel,
  s.message_id
from retoma.message_state as s
left join retoma.channel as h on s.channel_id = h.id;

comment on view retoma.v_message is 'Every message with its state, the number masked. Filter by campaign and ordinal or message_id.';

-- sql/80_views/v_in_doubt.sql

create or replace view retoma.v_in_doubt as
select
  c.name as campaign,
  d.ordinal,
  retoma.mask_phone(m.phone) as phone,
  h.name as channel,
  d.code,
  d.at as since,
  retoma.message_id(c.token, d.ordinal) as message_id
from retoma.delivery as d
inner join retoma.campaign as c on d.campaign_id = c.id
inner join retoma.message as m on d.campaign_id = m.campaign_id and d.ordinal = m.ordinal
inner join retoma.channel as h on d.channel_id = h.id
where d.outcome = 'in_doubt';

comment on view retoma.v_in_doubt is
'Messages that were handed to a runner and whose outcome was never learnt. A receipt or a look-up settles them, or you do: select
retoma.resolve_in_doubt(campaign, ''sent'' | ''failed'' | ''resend'').';

-- sql/80_views/v_runner.sql

create or replace view retoma.v_runner as
select
  r.name as runner,
  r.id,
  case
    when r.id = any(array(select l from retoma.live_runners() as l)) then 'alive'
    when r.stopped_at is not null then 'stopped'
    else 'gone'
  end as state,
  r.registered_at,
  r.last_seen_at,
  (select count(*) from retoma.batch as b where b.status = 'leased' and b.runner_id = r.id) as leases
from retoma.runner as r;

comment on view retoma.v_runner is 'Runner processes: alive, stopped (by itself) or gone (killed, cut off), and the leases that they hold.';

-- sql/80_views/v_event.sql

create or replace view retoma.v_event as
select
  e.id,
  e.at,
  e.actor,
  e.subject,
  coalesce(h.name, '') as channel,
  coalesce(c.name, '') as campaign,
  e.batch_id,
  r.name as runner,
  e.from_state,
  e.to_state,
  e.why
from retoma.event as e
left join retoma.channel as h on e.channel_id = h.id
left join retoma.campaign as c on e.campaign_id = c.id
left join retoma.runner as r on e.runner_id = r.id;

comment on view retoma.v_event is 'The audit with names: who changed what, when, from which state to which, and why.';

-- sql/90_security/pin_procrastinate.sql

-- procrastinate's functions name their tables without a schema. Pinned, they work from any session, also inside ring().
do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid::regprocedure from pg_proc as p
    where p.pronamespace = 'procrastinate'::regnamespace and p.prokind = 'f'
  loop
    execute format('alter function %s set search_path to procrastinate, pg_temp', v_function);
  end loop;
end
$$;

-- sql/90_security/grants.sql

-- Three siblings: operators run campaigns, runners send, monitors look. None of them owns anything; every function runs as its
-- owner (security definer) or is of no use to them.
revoke all on schema retoma from public;
revoke all on all functions in schema retoma from public;
revoke all on all tables in schema retoma from retoma_operator, retoma_runner, retoma_monitor;

grant usage on schema retoma to retoma_operator, retoma_runner, retoma_monitor;

grant execute on function
  retoma.register_runner(uuid, text),
  retoma.unregister_runner(uuid),
  retoma.take_rings(int),
  retoma.lease_batch(uuid, int, bigint[]),
  retoma.advance_batch(bigint, int, jsonb, int, int, int[], uuid),
  retoma.release_batch(bigint, int, uuid),
  retoma.refuse_content(bigint, int, text, uuid),
  retoma.tick(uuid),
  retoma.ring(int[]),
  retoma.channel_connected(text),
  retoma.channel_disconnected(text, text),
  retoma.claim_look_ups(int, int),
  retoma.record_look_ups(int, jsonb),
  retoma.record_receipts(text, jsonb),
  retoma.channel_settings(text),
  retoma.opt_out(text, text, text),
  retoma.cleanup(interval)
to retoma_runner;

-- Runners are procrastinate workers too.
grant usage on schema procrastinate to retoma_runner;
grant select, insert, update, delete on all tables in schema procrastinate to retoma_runner;
grant usage on all sequences in schema procrastinate to retoma_runner;
grant execute on all functions in schema procrastinate to retoma_runner;

grant execute on function
  retoma.create_channel(
    text, text, jsonb, double precision, double precision, double precision, double precision, double precision, int, int, int
  ),
  retoma.configure_channel(
    text, jsonb, double precision, double precision, double precision, double precision, double precision, int, int, int, int, text
  ),
  retoma.pause_channel(text, text),
  retoma.resume_channel(text),
  retoma.channel_connected(text),
  retoma.channel_disconnected(text, text),
  retoma.create_campaign(text, text[], text, int, timestamptz, int, text),
  retoma.create_campaign(text, text, text, int, timestamptz, int, text),
  retoma.add_window(text, time, time, int[]),
  retoma.set_daily_cap(text, int),
  retoma.add_recipients(text, jsonb),
  retoma.add_recipients(text, bigint[], text[], jsonb[], text[]),
  retoma.load_staged(text),
  retoma.start_campaign(text, timestamptz),
  retoma.pause_campaign(text),
  retoma.resume_campaign(text),
  retoma.cancel_campaign(text),
  retoma.retry_failed(text, text[]),
  retoma.resolve_in_doubt(text, text, text[]),
  retoma.record_receipts(text, jsonb),
  retoma.opt_out(text, text, text),
  retoma.opt_in(text, text),
  retoma.forecast(text),
  retoma.cleanup(interval)
to retoma_operator;

grant select on all tables in schema retoma to retoma_operator;
revoke select on retoma.channel from retoma_operator; -- credentials may be in its settings: v_channel shows the rest
grant insert, select, delete on retoma.recipient_staging to retoma_operator;
grant insert, update, delete on retoma.error_rule to retoma_operator;
grant update on retoma.setting to retoma_operator;
grant update (time_zone, max_attempts, breaker_threshold) on retoma.campaign to retoma_operator;

-- What views call is called as the one who looks.
grant execute on function
  retoma.clock(),
  retoma.live_runners(),
  retoma.detect_interruptions(),
  retoma.channel_state(boolean, boolean),
  retoma.mask_phone(text),
  retoma.receipt_rank(text),
  retoma.message_id(text, int),
  retoma.match_key(text),
  retoma.current_throttle(retoma.channel_pacing, timestamptz)
to retoma_operator, retoma_monitor;

grant select on
  retoma.setting,
  retoma.v_campaign_summary,
  retoma.v_interrupted_campaigns,
  retoma.campaign_batch_state,
  retoma.campaign_batch_details,
  retoma.campaign_books,
  retoma.v_channel,
  retoma.v_message,
  retoma.v_in_doubt,
  retoma.v_runner,
  retoma.v_event
to retoma_monitor;

-- sql/90_security/search_path.sql

-- So that "select * from v_campaign_summary" works as typed in a fresh psql of this database.
do $$
declare
  v_path text := (
    select split_part(c, '=', 2)
    from pg_db_role_setting as s, unnest(s.setconfig) as c
    where s.setdatabase = (select d.oid from pg_database as d where d.datname = current_database())
      and s.setrole = 0 and c like 'search_path=%'
  );
begin
  if v_path ~ '\yretoma\y' then
    return;
  end if;
  execute format('alter database %I set search_path to %s, retoma', current_database(), coalesce(v_path, '"$user", public'));
exception
  when insufficient_privilege then
    raise warning using
      message = format('the search_path of database %s stays as it is: you do not own it', current_database()),
      hint = 'Write retoma.v_campaign_summary, or: alter role … set search_path to "$user", public, retoma';
end
$$;
