-- Locks only the new rows.
create or replace function retoma_internal.queue_list(
  p_campaign_id int,
  p_zone text,
  p_attempt smallint,
  p_attempts_counted smallint,
  p_ordinals int[],
  p_not_before timestamptz default '-infinity',
  p_channel_id int default null,
  p_maybe_sent boolean default false,
  p_needs_dedupe boolean default false
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_size int := (select c.batch_size from retoma_internal.campaign as c where c.id = p_campaign_id);
  v_slice int[];
  v_id bigint;
begin
  for v_from in 1 .. cardinality(p_ordinals) by v_size loop
    v_slice := p_ordinals[v_from : v_from + v_size - 1];
    insert into retoma_internal.batch (
      campaign_id, zone, size, attempt, attempts_counted, not_before, channel_id, maybe_sent,
      needs_dedupe
    )
    values (
      p_campaign_id, p_zone, cardinality(v_slice), p_attempt, p_attempts_counted, p_not_before, p_channel_id,
      p_maybe_sent, p_needs_dedupe
    )
    returning id into v_id;
    insert into retoma_internal.batch_list (batch_id, ordinals) values (v_id, v_slice);
  end loop;
end;
$$;

comment on function retoma_internal.queue_list(
  int, text, smallint, smallint, int[], timestamptz, int, boolean, boolean
) is
'Queues the messages p_ordinals as new batches of at most campaign.batch_size. The other arguments: see the columns of
batch.';
