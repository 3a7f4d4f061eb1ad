-- Locks the batches of the messages in the order of their ids. A receipt that arrives before the outcome of its
-- message, or while another transaction is changing its batch, waits in the inbox until tick applies it. A failure can
-- lock the channel and its campaigns.
create or replace function retoma.record_receipts(
  p_channel text, p_receipts jsonb, out applied int, out waiting int, out refused jsonb
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_channel_id int := (retoma_internal.find_channel(p_channel)).id;
  v_places bigint[];
  v_receipts retoma_internal.receipt_inbox[];
  v_done record;
  v_early bigint[];
  v_no_room bigint[] := array[]::bigint[];
begin
  if jsonb_typeof(p_receipts) is distinct from 'array' then
    raise exception using errcode = 'RT003', constraint = 'not_an_array',
      message = 'receipts are a JSON array of objects',
      hint = '[{"message_id": "…", "status": "delivered"}]; status: server, delivered, read, played or failed';
  end if;
  select
    coalesce(array_agg(r.place order by r.place) filter (where r.fault is null), '{}'),
    coalesce(array_agg(r.receipt order by r.place) filter (where r.fault is null), '{}'),
    coalesce(jsonb_agg(retoma_internal.refused_receipt(r.place, r.fault) order by r.place)
      filter (where r.fault is not null and r.fault <> 'of_confirmation'), '[]')
  into v_places, v_receipts, refused
  from retoma_internal.read_receipts(v_channel_id, p_receipts) as r;
  select a.* into v_done
  from retoma_internal.lock_receipt_batches(v_receipts) as held,
    retoma_internal.apply_receipts(v_receipts, held) as a;
  v_early := array(select p from generate_series(1, cardinality(v_receipts)) as p where p <> all(v_done.applied));
  if v_early <> '{}' then
    v_no_room := retoma_internal.keep_receipts(v_channel_id, array(select v_receipts[p] from unnest(v_early) as p));
    refused := refused || coalesce((
      select jsonb_agg(retoma_internal.refused_receipt(v_places[v_early[p]], 'too_many_wait') order by p)
      from unnest(v_no_room) as p
    ), '[]');
  end if;
  applied := cardinality(v_done.applied);
  waiting := cardinality(v_early) - cardinality(v_no_room);
  if v_done.failed <> '{}' then
    perform retoma_internal.stop_after_receipts(v_done.failed);
  end if;
end;
$$;

comment on function retoma.record_receipts(text, jsonb) is
'Records reports of the provider on messages of a channel: [{"message_id": ours, "provider_id": theirs, "status":
"delivered", "code": null, "at": "2026-01-01T12:00:00Z"}]. status: server, delivered, read, played or failed. One of the
two ids is required; "at" is now by default. Repeats and any order are harmless: a late report never moves a message
back. A message in doubt is settled. A failure does what error_rule and breaker say: it can stop the channel.
applied: how many reports were applied now. waiting: how many wait, because they arrived before the outcome of their
message, or while its batch was in use. refused: those that cannot be taken, [{"item": 2, "key": "bad_time", "reason":
"…"}], item from 1. key: not_an_object, bad_status, no_id, not_ours (no message of this channel has the id),
bad_provider_id, bad_time; or too_many_wait: report it again later. A report on a confirmation of an opt-out counts
nowhere.
Errors: RT001 unknown channel, RT003 not an array.';
