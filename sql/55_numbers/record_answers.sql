-- Locks the rows of these numbers, without waiting. A number whose row another transaction has locked is asked about
-- again later.
create or replace function retoma_internal.record_answers(p_answers jsonb, p_tries int) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_phones text[] := array(select l.item ->> 'phone' from retoma_internal.json_list(p_answers) as l);
  v_held text[] := array(
    select n.phone from retoma_internal.number_check as n
    where n.phone = any(v_phones)
    order by n.phone
    for no key update skip locked
  );
begin
  insert into retoma_internal.number_check as n (phone, found, address, checked_at, asked_at, tries)
  select distinct on (a.phone)
    a.phone, a.found, case when a.found then nullif(a.address, a.phone) end,
    case when a.found is null then '-infinity' else retoma.clock() end, retoma.clock(),
    case when a.found is null then p_tries else 0 end
  from (
    select l.item ->> 'phone' as phone, (l.item ->> 'exists')::boolean as found, l.item ->> 'address' as address
    from retoma_internal.json_list(p_answers) as l
  ) as a
  where a.phone = any(v_held)
    or not exists (select from retoma_internal.number_check as k where k.phone = a.phone)
  order by a.phone
  on conflict (phone) do update
  set
    found = coalesce(excluded.found, n.found),
    address = case when excluded.found is null then n.address else excluded.address end,
    checked_at = greatest(excluded.checked_at, n.checked_at), asked_at = excluded.asked_at,
    tries = case when excluded.found is null then least(n.tries + p_tries, 3) else 0 end;
end;
$$;

comment on function retoma_internal.record_answers(jsonb, int) is
'Keeps answers about numbers, as record_numbers takes them. p_tries: as how many questions one without an answer counts.
The last answer stays where there is none now.';
