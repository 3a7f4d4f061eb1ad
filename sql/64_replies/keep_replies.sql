-- In the order of the ids of the provider. A transaction waits for another one that has just inserted the same id. With
-- the same order everywhere, two transactions cannot deadlock.
create or replace function retoma_internal.keep_replies(p_channel_id int, p_replies jsonb) returns bigint[]
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_ids bigint[];
begin
  with given as (
    select
      r.phone, r.address, r.provider_id, left(coalesce(r.text, ''), 4096) as text, left(r.button, 500) as button,
      retoma_internal.event_time(r.at) as at, r.at as given_at, m.opts_out, m.near, i.place
    from jsonb_array_elements(p_replies) with ordinality as i (item, place)
    cross join lateral jsonb_to_record(i.item)
      as r (
        phone text, address text, provider_id text, text text, button text, opts_out boolean, at timestamptz
      )
    cross join lateral (
      select
        coalesce(r.opts_out, false) or bool_or(t.meaning = 'opt_out') as opts_out,
        bool_or(t.meaning = 'near_miss') as near
      from (
        select retoma_internal.reply_meaning(left(u.said, 4096)) as meaning
        from unnest(array[r.text, r.button]) as u (said)
      ) as t
    ) as m
  ),
  kept as (
    insert into retoma_internal.reply (
      at, channel_id, campaign_id, provider_id, phone, address, text, button, state, code
    )
    select
      g.at, p_channel_id, retoma_internal.answered_campaign(p_channel_id, g.phone, g.at), g.provider_id, g.phone,
      g.address, g.text, g.button,
      case
        when g.opts_out and g.phone is not null then 'opted_out'
        when g.opts_out or g.near then 'waiting'
        else 'no_action'
      end,
      case when g.opts_out and g.phone is null then 'no_number' when g.near and not g.opts_out then 'near_miss' end
    from given as g
    -- Without an id, the same words at the same moment are a repeat.
    where g.provider_id is not null or g.given_at is null or not exists (
      select from retoma_internal.reply as k
      where k.channel_id = p_channel_id and k.provider_id is null and k.at = g.at and k.text = g.text
        and (k.phone = g.phone or k.address = g.address)
    ) and not exists (
      select from given as e
      where e.place < g.place and e.provider_id is null and e.at = g.at and e.text = g.text
        and (e.phone = g.phone or e.address = g.address)
    )
    order by g.provider_id, g.at
    on conflict (channel_id, provider_id) do nothing
    returning id
  )
  select coalesce(array_agg(k.id), '{}') into v_ids from kept as k;
  return v_ids;
end;
$$;

comment on function retoma_internal.keep_replies(int, jsonb) is
'Inserts those replies that are not known yet, with what they mean. Returns their ids. p_replies: as in record_inbound,
checked.';
