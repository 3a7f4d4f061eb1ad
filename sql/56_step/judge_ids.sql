-- A provider that ignores our id gives no error: only the id in its answer shows it. Until an answer has shown that our
-- id was taken, a repeat is not safe; after one that shows another id, never again. Repeats that wait are given up when
-- their turn comes (see give_up_repeats), because their batches come earlier in the order of locks.
--
-- Locks only when there is something new: the pacing row of the channel, as everything that queues repeats does, then
-- earlier deliveries of the messages, for those who record errors after this, then the channel.
create or replace function retoma_internal.judge_ids(p_batch retoma_internal.batch, p_outcomes jsonb) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_kind text := retoma_internal.content_kind(p_batch.campaign_id);
  v_ignored boolean := p_outcomes @? '$[*] ? (@.took_id == false)';
  v_channel retoma_internal.channel;
begin
  select c.* into v_channel from retoma_internal.channel as c where c.id = p_batch.lease_channel_id;
  if v_kind = any(v_channel.id_ignored) or (v_kind = any(v_channel.id_taken) and not v_ignored) then
    return;
  end if;
  perform from retoma_internal.channel_pacing as p where p.channel_id = v_channel.id for update;
  perform retoma_internal.await_receipts(
    p_batch, array(select (o.item ->> 'ordinal')::int from jsonb_array_elements(p_outcomes) as o (item))
  );
  select c.* into v_channel from retoma_internal.channel as c where c.id = v_channel.id for no key update;
  if v_kind = any(v_channel.id_ignored) or p_batch.settings_version <> v_channel.settings_version then
    return;
  end if;
  if v_ignored then
    v_channel.id_ignored := v_channel.id_ignored || v_kind;
    v_channel.settings_version := v_channel.settings_version + 1;
    insert into retoma_internal.event (subject, channel_id, from_state, to_state, code, why)
    select 'channel', v_channel.id, s, s, 'id_ignored', format(
      'the provider gave a %s another id than ours: nothing is sent twice in the hope that it dedupes', v_kind
    )
    from retoma_internal.channel_state(v_channel) as s;
  elsif v_kind <> all(v_channel.id_taken) then
    v_channel.id_taken := v_channel.id_taken || v_kind;
  end if;
  update retoma_internal.channel as c
  set
    id_taken = v_channel.id_taken, id_ignored = v_channel.id_ignored, settings_version = v_channel.settings_version,
    dedupes = retoma_internal.deduped_kinds(v_channel)
  where c.id = v_channel.id;
end;
$$;

comment on function retoma_internal.judge_ids(retoma_internal.batch, jsonb) is
'Learns from outcomes with took_id whether the provider takes our id for this kind of content. took_id: true when its
answer carried our id, false when it carried another one.';
