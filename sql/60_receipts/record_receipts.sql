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
  v_no_room bigint[] := '{}';
begin
-- Locks the batches of the messages in the order of their ids. A receipt that arrives before the outcome of its
-- message, or while another transaction is changing its batch, waits in the inbox until tick applies it. A failure can
-- lock the channel and its campaigns.
create or replace function retoma.record_receipts(
  p_channel text, p_receipts jsonb, out applied int, out waiting int, out refused jsonb
)
  end if;
end;
$$;

comment on function retoma.record_receipts(text, jsonb) is
'Records reports of the provider on messages of a channel: [{"message_id": ours, "provider_id": theirs, "status":
"delivered", "code": null, "at": "2026-01-01T12:00:00Z"}]. status: server, delivered, read, played or failed. One of the
-- Locks the batches of the messages in the order of their ids. A receipt that arrives before the outcome of its
-- message, or while another transaction is changing its batch, waits in the inbox until tick applies it. A failure can
-- lock the channel and its campaigns.
create or replace function retoma.record_receipts(
  p_channel text, p_receipts jsonb, out applied int, out waiting int, out refused jsonb
)
