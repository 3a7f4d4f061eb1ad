-- What people answer. Inserted once per message of the provider; only "state" changes afterwards.
create table if not exists retoma_internal.reply (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  received_at timestamptz not null default retoma.clock(),
  channel_id int not null references retoma_internal.channel (id) on delete cascade,
  campaign_id int references retoma_internal.campaign (id) on delete set null,
  provider_id text,
  phone text,
  address text,
  text text not null,
  button text,
  state text not null check (state in ('no_action', 'opted_out', 'outdated', 'waiting', 'settled')),
  code text check (code in ('near_miss', 'no_number')),
  settled_at timestamptz,
  settled_by text,
  check (coalesce(phone, address) is not null),
  check ((state = 'waiting') <= (code is not null)),
  check ((settled_at is null) = (settled_by is null))
);

create unique index if not exists reply_provider_id_idx on retoma_internal.reply (channel_id, provider_id);
create index if not exists reply_received_idx on retoma_internal.reply (received_at);
create index if not exists reply_waiting_idx on retoma_internal.reply (at) where state = 'waiting';
create index if not exists reply_hidden_idx on retoma_internal.reply (address)
where state = 'waiting' and phone is null;

comment on table retoma_internal.reply is
'Messages from people. cleanup() erases them after the retention, those that wait for a person never before
setting.retention.';
comment on column retoma_internal.reply.at is 'When the person wrote it, by the clock of the provider.';
comment on column retoma_internal.reply.campaign_id is
'The campaign whose message this channel had sent to the person last; null when there is none.';
comment on column retoma_internal.reply.phone is
'E.164 with +; null when the provider hides it and no alias was known, see the table alias.';
comment on column retoma_internal.reply.address is 'The address of the person at the provider, to find the chat.';
comment on column retoma_internal.reply.text is 'At most 4,096 characters of it, by which it is understood.';
comment on column retoma_internal.reply.button is 'The value of the button or list entry that the person chose.';
comment on column retoma_internal.reply.state is
'no_action: nothing to do; opted_out: no campaign contacts the number any more; outdated: an opt-out that is older than
an opt-in; waiting: a person has to decide, see resolve_reply; settled: somebody decided that it is no opt-out.';
comment on column retoma_internal.reply.code is
'Why it waits, or waited. near_miss: it may be an opt-out; no_number: an opt-out without a number.';
comment on column retoma_internal.reply.settled_by is
'Who decided; "number learnt" when the provider named the number of an opt-out later.';
