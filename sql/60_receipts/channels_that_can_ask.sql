-- Starts from the messages in doubt, which are few: asking for each channel of thousands took seconds in every tick.
create or replace function retoma.channels_that_can_ask() returns setof int
language sql stable
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
begin atomic
  select distinct d.channel_id
  from retoma.delivery as d
  inner join retoma.channel as h on d.channel_id = h.id
  where d.outcome = 'in_doubt' and h.looks_up and h.connected
    and coalesce(d.receipt_at, d.at) < retoma.clock() - (select s.look_up_after from retoma.setting as s);
end;

comment on function retoma.channels_that_can_ask() is 'Channels for which claim_look_ups has messages now.';
