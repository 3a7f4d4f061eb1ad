-- One answer to a person who opted out by reply. A row is handed out once, whatever happens afterwards: the person
-- asked for silence, so no answer is better than two.
create table if not exists retoma_internal.confirmation (
  id bigint generated always as identity primary key,
  message_id text not null default replace(gen_random_uuid()::text, '-', ''),
  channel_id int not null references retoma_internal.channel (id) on delete cascade,
  reply_id bigint references retoma_internal.reply (id) on delete set null,
  phone text not null,
  requested_at timestamptz not null,
  state text not null default 'pending' check (
    state in ('pending', 'sending', 'sent', 'failed', 'in_doubt', 'expired')
  ),
  why text check (length(why) <= 200),
  claimed_at timestamptz,
  settled_at timestamptz,
  provider_id text,
  check ((state in ('pending', 'expired')) = (claimed_at is null)),
  check ((state in ('pending', 'sending')) = (settled_at is null))
);

create unique index if not exists confirmation_message_id_idx on retoma_internal.confirmation (message_id);
create index if not exists confirmation_provider_id_idx
on retoma_internal.confirmation (provider_id, channel_id) where provider_id is not null;
create index if not exists confirmation_reply_id_idx on retoma_internal.confirmation (reply_id);
create index if not exists confirmation_requested_idx on retoma_internal.confirmation (requested_at);
create index if not exists confirmation_open_idx
on retoma_internal.confirmation (channel_id, requested_at) where state in ('pending', 'sending');

comment on table retoma_internal.confirmation is
'Answers to people who opted out by reply, on channels with the setting opt_out_confirmation. cleanup() erases them.';
comment on column retoma_internal.confirmation.message_id is
'32 lower-case hexadecimal digits, as that of a message of a campaign; but no campaign has it.';
comment on column retoma_internal.confirmation.reply_id is
'The reply that is answered; null after it was erased.';
comment on column retoma_internal.confirmation.requested_at is
'When the person wrote the reply, by the clock of the provider; or when somebody decided that it is an opt-out.';
comment on column retoma_internal.confirmation.state is
'pending: waits for its turn; sending: a runner has it; sent, failed, in_doubt: what came of it; expired: not sent, see
why.';
comment on column retoma_internal.confirmation.why is
'expired: too_old (after an hour), opted_in (again) or no_text (the setting was removed). failed, in_doubt: the code of
error_rule, or no_outcome when the runner has not said what came of it.';
comment on column retoma_internal.confirmation.claimed_at is 'When a runner got it.';
comment on column retoma_internal.confirmation.provider_id is
'Under which id the provider knows it, where it is not ours.';
