create table if not exists retoma_internal.suppression (
  suppression_key text primary key,
  phone text not null,
  reason text not null check (reason in ('opt_out', 'complaint', 'invalid', 'imported')),
  source text,
  at timestamptz not null default retoma.clock()
);

comment on table retoma_internal.suppression is
'Numbers that no campaign may contact. Checked when a message is reserved. Written by opt_out, by opt_in, and by error
rules with suppress.';
comment on column retoma_internal.suppression.suppression_key is
'suppression_key(phone). Both forms of a Brazilian mobile number have the same key.';
