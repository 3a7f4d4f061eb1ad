-- In the order of the unique index, so that two transactions with the same receipts cannot wait for each other in a
-- circle.
create or replace function retoma_internal.keep_receipts(
  p_channel_id int, p_receipts retoma_internal.receipt_inbox[]
) returns bigint[]
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_room int := (select s.receipts_waiting from retoma.setting as s) - (
    select count(*) from (
      select from retoma_internal.receipt_inbox as i where i.channel_id = p_channel_id
      limit (select s.receipts_waiting from retoma.setting as s)
    ) as waiting
  );
begin
  insert into retoma_internal.receipt_inbox (channel_id, message_id, provider_id, status, code, at)
  select r.channel_id, r.message_id, r.provider_id, r.status, r.code, r.at
  from unnest(p_receipts[:greatest(v_room, 0)]) as r
  order by r.message_id, r.provider_id, r.status
  on conflict do nothing;
  return array(select generate_series(greatest(v_room, 0) + 1, cardinality(p_receipts)));
end;
$$;

comment on function retoma_internal.keep_receipts(int, retoma_internal.receipt_inbox[]) is
'Puts receipts of a channel into the inbox. Returns the places of those, from 1, for which there is no room
(setting.receipts_waiting).';
