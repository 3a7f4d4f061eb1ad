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
