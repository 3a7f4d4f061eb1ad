create table if not exists retoma_internal.tick_failure (
  part text not null,
  subject_id bigint not null default 0,
  since timestamptz not null,
  at timestamptz not null,
  times int not null default 1,
  sqlstate text not null,
  cause text not null,
  blocked_by text,
  recovered_at timestamptz,
  primary key (part, subject_id)
);

comment on table retoma_internal.tick_failure is
'Parts of the tick that failed during the last hour. The other parts went on. See v_tick_failure.';
comment on column retoma_internal.tick_failure.subject_id is
'The id of the batch or campaign for which the part failed, see run_each; 0: the whole part failed.';
comment on column retoma_internal.tick_failure.times is 'How often it has failed since then, up to a billion.';
comment on column retoma_internal.tick_failure.blocked_by is
'When it waited too long for a lock: the session that most likely holds it, in words.';
comment on column retoma_internal.tick_failure.recovered_at is
'When the part first succeeded again; null: it still fails.';
