-- Takes no lock: asking twice is harmless, because an answer counts only for the attempt that was asked about.
create or replace function retoma.due_lookups(
  p_channel_id int,
  p_limit int default 100,
  out message_id text,
  out attempt smallint,
  out phone text,
  out address text,
  out channel text,
  out transport text,
  out settings jsonb
) returns setof record
language sql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
begin atomic
  select retoma_internal.message_id(c.token, d.ordinal), d.attempt, m.phone, a.address, h.name, h.transport,
    h.settings
  from retoma_internal.delivery as d
  inner join retoma_internal.campaign as c on d.campaign_id = c.id
  inner join retoma_internal.message as m on d.campaign_id = m.campaign_id and d.ordinal = m.ordinal
  inner join retoma_internal.channel as h on d.channel_id = h.id
  left join retoma_internal.message_address as a on d.campaign_id = a.campaign_id and d.ordinal = a.ordinal
  where d.channel_id = p_channel_id and d.outcome = 'in_doubt' and h.looks_up and h.connected
    and coalesce(d.receipt_at, d.at) < retoma.clock() - (select s.lookup_after from retoma.setting as s)
  order by d.at
  limit retoma_internal.portion(p_limit);
end;

comment on function retoma.due_lookups(int, int) is
'For runners: up to p_limit messages in doubt of a connected channel about which the provider can be asked now, oldest
first, with the transport and settings of the channel. address: to which the message was sent; null: to phone. Each is
older than setting.lookup_after, and was not asked about within that time. Answer with record_lookups. Error RT003:
p_limit is not from 1 to 10000.';
