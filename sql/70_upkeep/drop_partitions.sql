-- A partition is dropped when every campaign of its block has been erased and the block can get no new campaign. Locks
-- the whole partition; gives up after 200 ms.
create or replace function retoma_internal.drop_partitions() returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
set lock_timeout to '200ms'
as $$
declare
  v_partition record;
  v_count int := 0;
begin
  for v_partition in
    select p.relname as name
    from pg_inherits as i
    inner join pg_class as p on i.inhrelid = p.oid
    cross join lateral (select substring(p.relname from '[0-9]+$')::int as block) as b
    where i.inhparent in ('retoma_internal.message'::regclass, 'retoma_internal.delivery'::regclass)
      and b.block + 100 <= (select max(c.id) from retoma_internal.campaign as c)
      and not exists (
        select from retoma_internal.campaign as c where c.id >= b.block and c.id < b.block + 100 and c.erased_at is null
      )
  loop
    begin
      execute format('drop table retoma_internal.%I', v_partition.name);
      v_count := v_count + 1;
    exception
      when lock_not_available then null; -- another session reads it: the next call tries again
    end;
  end loop;
  return v_count;
end;
$$;

comment on function retoma_internal.drop_partitions() is
'Drops partitions whose campaigns have all been erased. Returns how many.';
