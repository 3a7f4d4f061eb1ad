-- One row per rule and slot. Every step under a limit rewrites it; half-empty pages keep this a heap-only update.
create table if not exists retoma_internal.limit_use (
  limit_id int not null references retoma_internal.limit_rule (id) on delete cascade,
  person text not null default '',
  slot timestamptz not null,
  used int not null check (used >= 0),
  primary key (limit_id, person, slot)
) with (fillfactor = 50);

comment on table retoma_internal.limit_use is
'How much of each limit was used, and when. cleanup() deletes rows that no longer count.';
comment on column retoma_internal.limit_use.person is
'Suppression key of the person, for rules that count people or hold for each person; otherwise empty.';
comment on column retoma_internal.limit_use.slot is
'Start of the period of a calendar rule, or of one of the parts in which a rolling period is counted (see limit_slot).';
