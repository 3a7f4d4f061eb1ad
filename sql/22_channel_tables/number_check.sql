-- An address is of the person, whatever channel asks for it. So the answer counts for all channels.
create table if not exists retoma_internal.number_check (
  phone text primary key check (retoma_internal.is_e164(phone)),
  found boolean,
  address text check (length(address) between 1 and 200),
  checked_at timestamptz not null default '-infinity',
  asked_at timestamptz not null,
  tries smallint not null default 0,
  check (address is null or found)
);

create index if not exists number_check_asked_idx on retoma_internal.number_check (asked_at);

comment on table retoma_internal.number_check is
'What providers said about numbers: whether they are on WhatsApp, and under which address.';
comment on column retoma_internal.number_check.found is
'Whether the number is on WhatsApp; null: no provider has said yet.';
comment on column retoma_internal.number_check.address is
'Where it differs from the number: another number (E.164), or an address that hides it (123@lid); null: the number.';
comment on column retoma_internal.number_check.checked_at is
'When a provider last said it. After setting.addresses_kept it is asked again.';
comment on column retoma_internal.number_check.asked_at is 'When a provider was last asked.';
comment on column retoma_internal.number_check.tries is
'Questions without an answer, since the last answer or since a batch was opened without one. After 3, nobody waits for
an answer.';
