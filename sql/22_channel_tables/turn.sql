-- Some work is done by one transaction at a time. It takes its turn by the lock of a row of this table, which ends with
-- the transaction. An advisory lock would not do: any role that can connect may take any advisory lock and keep it. No
-- role has rights on this table.
create table if not exists retoma_internal.turn (
  work text not null check (work in ('tick', 'late_tick', 'partition', 'ring')),
  number int not null default 0,
  primary key (work, number)
);

insert into retoma_internal.turn (work, number)
select w.work, n.number
from (values ('tick', 0), ('late_tick', 0), ('partition', 0), ('ring', 255)) as w (work, last)
cross join lateral generate_series(0, w.last) as n (number)
on conflict do nothing;

comment on table retoma_internal.turn is
'Rows that are only locked: the holder of the lock does this work. See take_turn, ensure_partition and ring.';
comment on column retoma_internal.turn.number is
'For ring: the channels are spread over 256 rows, by their id modulo 256. Otherwise 0.';
