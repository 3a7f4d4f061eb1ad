-- Starts from the messages in doubt, which are few. One query for each of thousands of channels took seconds in every
-- tick.
create or replace function retoma_internal.channels_with_lookups_due() returns setof int
language sql stable
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
begin atomic
  select distinct d.channel_id
  from retoma_internal.delivery as d
  inner join retoma_internal.channel as h on d.channel_id = h.id
  where d.outcome = 'in_doubt' and h.looks_up and h.connected
    and coalesce(d.receipt_at, d.at) < retoma.clock() - (select s.lookup_after from retoma.setting as s);
end;

comment on function retoma_internal.channels_with_lookups_due() is
'Ids of the channels for which due_lookups returns messages now.';
