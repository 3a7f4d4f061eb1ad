-- Every receipt goes through the inbox: one that comes before the outcome of its message stays there until tick applies it.
create or replace function retoma.record_receipts(p_channel text, p_receipts jsonb) returns int
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_channel_id int := (retoma.find_channel(p_channel)).id;
begin
  if jsonb_typeof(p_receipts) is distinct from 'array' or exists (
    select from jsonb_array_elements(p_receipts) as r (item)
    where coalesce(r.item ->> 'status', '') not in ('server', 'delivered', 'read', 'played', 'failed')
      or coalesce(r.item ->> 'message_id', r.item ->> 'provider_id') is null
  ) then
    raise exception using errcode = 'RT003',
      message = 'receipts are a JSON array of objects with message_id or provider_id, and a status',
      hint = '[{"message_id": "…", "status": "delivered"}]; status: server, delivered, read, played or failed';
  end if;
  insert into retoma.receipt_inbox (channel_id, message_id, provider_id, status, code, at)
  select
    v_channel_id, lower(r.message_id), r.provider_id, case r.status when 'played' then 'read' else r.status end, r.code,
    coalesce(r.at, retoma.clock())
  from jsonb_to_recordset(p_receipts) as r (message_id text, provider_id text, status text, code text, at timestamptz);
  return retoma.apply_receipts();
exception
  when invalid_datetime_format or datetime_field_overflow then
    raise exception using errcode = 'RT003',
      message = format('a receipt has a time that is none: %s', sqlerrm),
      hint = 'Write "at" as 2026-01-01T12:00:00Z, or leave it out';
end;
$$;

comment on function retoma.record_receipts(text, jsonb) is
'Records reports of the provider on messages of a channel: [{"message_id": ours, "provider_id": theirs, "status": "delivered",
"code": null, "at": "2026-01-01T12:00:00Z"}]. Repeats and any order are harmless; a late report never moves a message back.
Settles messages in doubt. Returns how many were applied now; a report that is ahead of its message waits. Errors: RT001, RT003.';
