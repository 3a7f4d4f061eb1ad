-- Locks the replies in the order of their ids. The caller holds the rows of the addresses.
create or replace function retoma_internal.name_waiting_replies(p_space text, p_addresses text[]) returns bigint[]
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_ids bigint[];
begin
  v_ids := array(
    select r.id
    from retoma_internal.reply as r
    inner join retoma_internal.channel as h on r.channel_id = h.id
    where r.state = 'waiting' and r.phone is null and r.address = any(p_addresses)
      and retoma_internal.address_space(h) = p_space
    order by r.id
    for no key update of r
  );
  update retoma_internal.reply as r
  set phone = k.phone, campaign_id = retoma_internal.answered_campaign(r.channel_id, k.phone, r.at),
    state = case r.code when 'no_number' then 'opted_out' else r.state end,
    settled_at = case r.code when 'no_number' then retoma.clock() end,
    settled_by = case r.code when 'no_number' then 'number learnt' end
  from retoma_internal.alias as k
  where r.id = any(v_ids) and k.space = p_space and k.address = r.address;
  return v_ids;
end;
$$;

comment on function retoma_internal.name_waiting_replies(text, text[]) is
'Gives the replies that wait under these addresses the numbers that are known now, and sets those that are opt-outs to
opted_out, for take_opt_outs. Returns their ids.';
