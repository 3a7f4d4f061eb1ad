-- A person can have several addresses at a provider besides the number. A row without a number is an address from which
-- somebody wrote before its number was known. Its lock makes two transactions follow each other, of which one learns
-- the number and the other one records a reply from the address: one of them sees the work of the other.
create table if not exists retoma_internal.alias (
  space text not null,
  address text not null check (length(address) between 1 and 200),
  phone text,
  learnt_at timestamptz not null default retoma.clock(),
  seen_at timestamptz not null default retoma.clock(),
  primary key (space, address)
);

create index if not exists alias_seen_idx on retoma_internal.alias using brin (seen_at);

comment on table retoma_internal.alias is
'Whose number stands behind an address of a provider that hides it. cleanup() erases what was not seen for
setting.retention.';
comment on column retoma_internal.alias.space is 'Where the address means this person, see address_space.';
comment on column retoma_internal.alias.address is 'As the provider writes it: 123@lid, BR.abc.';
comment on column retoma_internal.alias.phone is 'E.164 with +; null when it is not known.';
comment on column retoma_internal.alias.learnt_at is
'When the provider last named both, by its own clock, up to a week late: a known link is not written each time. A link
that it names earlier does not replace this one.';
comment on column retoma_internal.alias.seen_at is
'When it last named the address, with the number or without, up to a week late.';
