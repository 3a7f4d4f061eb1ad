-- Those that were asked about without an answer come last.
create or replace function retoma_internal.unknown_numbers(p_batch_id bigint) returns setof text
language sql stable
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_hashjoin to off
set enable_mergejoin to off
begin atomic
  select m.phone
  from retoma_internal.batch as b
  cross join lateral unnest(retoma_internal.batch_ordinals(b, 1, b.size)) as u (ordinal)
  inner join retoma_internal.message as m on b.campaign_id = m.campaign_id and u.ordinal = m.ordinal
  left join retoma_internal.number_check as n on m.phone = n.phone
  where b.id = p_batch_id and (n.phone is null or not retoma_internal.number_is_known(n))
  order by coalesce(n.tries, 0), m.ordinal;
end;

comment on function retoma_internal.unknown_numbers(bigint) is
'The numbers of a batch that a provider has to be asked about, in the order in which to ask.';
