-- One narrow row per channel. Every step of a paced channel rewrites it. It is not a part of channel, so that this
-- stays a heap-only update in half-empty pages.
create table if not exists retoma_internal.channel_pacing (
  channel_id int primary key references retoma_internal.channel (id) on delete cascade,
  gap_min interval not null default '0 s' check (gap_min >= '0 s'),
  gap_max interval not null default '0 s' check (gap_max between gap_min and '1 day'),
  batch_gap_min interval not null default '0 s' check (batch_gap_min >= '0 s'),
  batch_gap_max interval not null default '0 s' check (batch_gap_max between batch_gap_min and '1 day'),
  rate_per_s numeric check (rate_per_s > 0),
  burst int not null default 1 check (burst >= 1),
  next_send_at timestamptz not null default '-infinity',
  tokens double precision not null default 0,
  tokens_at timestamptz not null default '-infinity',
  hold_until timestamptz not null default '-infinity',
  hold_reason text,
  hold_streak int not null default 0,
  throttle double precision not null default 1 check (throttle between 0.05 and 1),
  throttled_at timestamptz not null default '-infinity',
  failures jsonb not null default '{}',
  failures_from timestamptz not null default '-infinity',
  turn_kept_until timestamptz not null default '-infinity'
) with (fillfactor = 50);

comment on table retoma_internal.channel_pacing is
'Pacing of a channel: its rules, and the state that makes them hold over all runners and restarts.';
comment on column retoma_internal.channel_pacing.gap_min is
'Shortest gap between the end of a send and the next send. The gap is random, from gap_min to gap_max.';
comment on column retoma_internal.channel_pacing.rate_per_s is
'Messages per second that fill the token bucket; null: no limit.';
comment on column retoma_internal.channel_pacing.burst is
'Size of the token bucket: how many messages may be sent at once after a silence.';
comment on column retoma_internal.channel_pacing.hold_until is
'Nothing is reserved before this time, because the provider reported a rate limit, or because
breaker says so.';
comment on column retoma_internal.channel_pacing.failures is
'How many messages failed since the last one that was accepted, by class of error_rule; see breaker.';
comment on column retoma_internal.channel_pacing.failures_from is
'When the channel was last resumed or reconnected. A receipt about a message that was sent before does not stop it
again.';
comment on column retoma_internal.channel_pacing.turn_kept_until is
'Until then, steps leave the turn of the channel to a confirmation of an opt-out. Without this, a campaign would always
take the turn first. It is never more than a minute ahead.';
comment on column retoma_internal.channel_pacing.throttle is
'Share of the configured speed in use, from 0.05 to 1. A rate limit halves it; see current_throttle.';
