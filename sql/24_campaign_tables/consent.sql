create table if not exists retoma_internal.consent (
  id bigint generated always as identity primary key,
  suppression_key text not null,
  phone text not null,
  given boolean not null,
  source text not null,
  at timestamptz not null default retoma.clock()
);

create index if not exists consent_suppression_key_idx on retoma_internal.consent (suppression_key, at);

comment on table retoma_internal.consent is
'Proof of each opt-in (given) and opt-out: which number, where and when. Append-only.';
