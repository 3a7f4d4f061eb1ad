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
