-- Locks the batches of the messages in the order of their ids. A receipt that arrives before the outcome of its message
-- waits in the inbox until tick applies it.
create or replace function retoma.record_receipts(p_channel text, p_receipts jsonb) returns int
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_channel_id int := (retoma_internal.find_channel(p_channel)).id;
  v_receipts retoma_internal.receipt_inbox[];
  v_applied bigint[];
begin
  if jsonb_typeof(p_receipts) is distinct from 'array' or exists (
    select from jsonb_array_elements(p_receipts) as r (item)
    where coalesce(r.item ->> 'status', '') not in ('server', 'delivered', 'read', 'played', 'failed')
      or coalesce(r.item ->> 'message_id', r.item ->> 'provider_id') is null
  ) then
    raise exception using errcode = 'RT003', constraint = 'bad_receipt',
      message = 'receipts are a JSON array of objects with message_id or provider_id, and a status',
      hint = '[{"message_id": "…", "status": "delivered"}]; status: server, delivered, read, played or failed';
  end if;
  v_receipts := array(
    select
      row(
        null, v_channel_id, lower(r.message_id), r.provider_id,
        case r.status when 'played' then 'read' else r.status end, r.code, retoma_internal.event_time(r.at), null
      )::retoma_internal.receipt_inbox
    from jsonb_to_recordset(p_receipts) as r (message_id text, provider_id text, status text, code text, at timestamptz)
  );
  v_applied := retoma_internal.apply_receipts(v_receipts);
  if cardinality(v_applied) < cardinality(v_receipts) then
    insert into retoma_internal.receipt_inbox (channel_id, message_id, provider_id, status, code, at)
    select r.channel_id, r.message_id, r.provider_id, r.status, r.code, r.at
    from unnest(v_receipts) with ordinality
      as r (id, channel_id, message_id, provider_id, status, code, at, received_at, place)
    where r.place <> all(v_applied);
  end if;
  return cardinality(v_applied);
exception
  when invalid_datetime_format or datetime_field_overflow or invalid_parameter_value then
    raise exception using errcode = 'RT003', constraint = 'bad_time',
      message = format('%L is not a time', retoma_internal.first_bad_time(p_receipts)),
      hint = 'Write "at" as 2026-01-01T12:00:00Z, or leave it out';
end;
$$;

comment on function retoma.record_receipts(text, jsonb) is
'Records reports of the provider on messages of a channel: [{"message_id": ours, "provider_id": theirs, "status":
"delivered", "code": null, "at": "2026-01-01T12:00:00Z"}]. status: server, delivered, read, played or failed. One of the
two ids is required; "at" is now by default. Repeats and any order are harmless: a late report never moves a message
back. A message in doubt is settled.
Returns how many reports were applied now; a report that arrives before the outcome of its message waits.
Errors: RT001 unknown channel, RT003 not an array, no id, or a bad status or time.';
