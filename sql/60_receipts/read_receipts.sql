-- An id that no message of a campaign of this channel can have is refused here, so that it does not wait for a message
-- that never comes. Where the provider takes our ids, any other id is that of a message that was typed on the phone.
-- Only then it is asked whether it is the id of a confirmation.
create or replace function retoma_internal.read_receipts(
  p_channel_id int, p_receipts jsonb, out place bigint, out receipt retoma_internal.receipt_inbox, out fault text
) returns setof record
language sql stable
begin atomic
  select
    r.place,
    row(
      null, p_channel_id, i.message_id, r.item ->> 'provider_id',
      case r.item ->> 'status' when 'played' then 'read' else r.item ->> 'status' end,
      left(r.item ->> 'code', 200), -- a failure is not refused for its words
      -- A time that has not come yet counts as now, see event_time.
      least(retoma_internal.receipt_time(r.item ->> 'at'), retoma.clock()), null, null
    )::retoma_internal.receipt_inbox,
    coalesce(retoma_internal.receipt_fault(r.item), case
      when i.message_id is not null and not exists (
        select from retoma_internal.campaign as c
        inner join retoma_internal.campaign_channel as cc on c.id = cc.campaign_id
        where c.token = left(i.message_id, 24) and cc.channel_id = p_channel_id and c.erased_at is null
          and ('x' || right(i.message_id, 8))::bit(32)::int between 1 and c.total
      ) then case
        when retoma_internal.is_confirmation(p_channel_id, i.message_id, null) then 'of_confirmation' else 'not_ours'
      end
      when i.message_id is null and retoma_internal.is_confirmation(p_channel_id, null, r.item ->> 'provider_id')
        then 'of_confirmation'
      when i.message_id is null and exists (
        select from retoma_internal.channel as h
        where h.id = p_channel_id and h.id_taken <> '{}' and h.id_ignored = '{}'
      ) then 'not_ours'
    end)
  from jsonb_array_elements(p_receipts) with ordinality as r (item, place)
  cross join lateral (select lower(r.item ->> 'message_id') as message_id) as i;
end;

comment on function retoma_internal.read_receipts(int, jsonb) is
'The items of the JSON array p_receipts with their places, from 1; and why one cannot be taken, as a key of
receipt_fault; of_confirmation: it is about a confirmation, and nothing follows from it.';
