-- Locks the rows of the addresses whose row is new or changes, and those without a number, in the order of the
-- addresses; then the replies that waited for a number, in the order of their ids. A link that is known is neither
-- written nor locked; once a week its time is, for cleanup().
--
-- Providers repeat calls for days: what is older than what is known changes nothing.
create or replace function retoma_internal.learn_aliases(p_channel retoma_internal.channel, p_aliases jsonb)
returns bigint[]
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_space text := retoma_internal.address_space(p_channel);
  v_now timestamptz := retoma.clock();
  v_addresses text[];
begin
  with item as (
    select
      a.address, a.phone, lower(a.message_id) as message_id, a.previous,
      -- As event_time, which is called only to refuse.
      case when isfinite(a.at) is false then retoma_internal.event_time(a.at) else least(a.at, v_now) end as at
    from jsonb_to_recordset(p_aliases)
      as a (address text, phone text, message_id text, previous text, at timestamptz)
  ),
  named as (
    select i.address, coalesce(i.phone, p.phone, s.phone) as phone, i.at
    from item as i
    left join retoma_internal.alias as k on k.space = v_space and k.address = i.address
    left join retoma_internal.alias as p on p.space = v_space and p.address = i.previous
    left join lateral (
      select m.phone
      from retoma_internal.campaign as c
      inner join retoma_internal.campaign_channel as cc on c.id = cc.campaign_id
      inner join retoma_internal.message as m on c.id = m.campaign_id
      where i.phone is null and k.phone is null and i.message_id ~ '^[0-9a-f]{32}$'
        and c.token = left(i.message_id, 24) and cc.channel_id = (p_channel).id
        and m.ordinal = case when i.message_id ~ '^[0-9a-f]{32}$' then ('x' || right(i.message_id, 8))::bit(32)::int end
      limit 1
    ) as s on true
    where coalesce(i.phone, p.phone, s.phone) is not null or (i.message_id is null and i.previous is null)
    union all
    select i.previous, i.phone, i.at
    from item as i
    where i.previous is not null and i.phone is not null
  ),
  given as (
    select distinct on (n.address) n.address, n.phone, n.at
    from named as n
    order by n.address, n.phone is null, n.at desc
  ),
  kept as (
    insert into retoma_internal.alias as k (space, address, phone, learnt_at, seen_at)
    select v_space, g.address, g.phone, g.at, g.at
    from given as g
    left join retoma_internal.alias as a on a.space = v_space and a.address = g.address
    where a.address is null or a.seen_at < g.at - interval '7 days' or case
      when g.phone is null then a.phone is null
      else a.phone is distinct from g.phone
        and retoma_internal.suppression_key(a.phone) is distinct from retoma_internal.suppression_key(g.phone)
    end
    order by g.address
    on conflict (space, address) do update
    set
      phone = coalesce(excluded.phone, k.phone),
      learnt_at = case when excluded.phone is null then k.learnt_at else excluded.learnt_at end,
      seen_at = greatest(k.seen_at, excluded.seen_at)
    where k.phone is null or k.learnt_at <= excluded.learnt_at
    returning k.address, k.phone
  )
  select array_agg(k.address) into v_addresses from kept as k where k.phone is not null;
  if v_addresses is null then
    return array[]::bigint[];
  end if;
  return retoma_internal.name_waiting_replies(v_space, v_addresses);
end;
$$;

comment on function retoma_internal.learn_aliases(retoma_internal.channel, jsonb) is
'Keeps these links between addresses and numbers, checked, as in record_aliases; one with neither phone, message_id nor
previous only holds the row of its address. Returns the replies that waited for a number and have it now; those that are
opt-outs are set to opted_out, for take_opt_outs.';
