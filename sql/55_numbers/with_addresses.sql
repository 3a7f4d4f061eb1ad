-- Called only for campaigns whose addresses are asked for. So the others pay nothing. Nested loops:
-- another plan would read all addresses of the campaign in every step.
create or replace function retoma_internal.with_addresses(p_messages json, p_campaign_id int) returns json
language sql stable
set search_path to pg_catalog, pg_temp
set enable_hashjoin to off
set enable_mergejoin to off
begin atomic
  select case
    when count(a.address) = 0 then p_messages
    else json_agg(
      json_build_array(
        m.item -> 0, m.item -> 1, m.item -> 2, m.item -> 3, coalesce(m.item -> 4, 'false'),
        coalesce(m.item -> 5, 'null'), a.address
      )
      order by m.n
    )
  end
  from json_array_elements(p_messages) with ordinality as m (item, n)
  left join retoma_internal.message_address as a
    on a.campaign_id = p_campaign_id and a.ordinal = (m.item ->> 0)::int;
end;

comment on function retoma_internal.with_addresses(json, int) is
'Messages as in advance_batch, each with its address as a seventh element; unchanged when all go to their numbers.';
