-- A shorter break opens nothing: up to a batch would go to numbers that nobody has checked.
create or replace function retoma_internal.open_unasked(p_now timestamptz) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform retoma_internal.open_batch(z.batch_id)
  from retoma_internal.closed_zone as z
  where (
    select bool_or(k.checks and k.works) is false and (bool_or(k.works) or not bool_or(k.checks))
      and bool_and(not k.checks or k.worked_at <= p_now - interval '1 minute' or k.worked_at > p_now)
    from retoma_internal.number_checker as k where k.campaign_id = z.campaign_id
  );
end;
$$;

comment on function retoma_internal.open_unasked(timestamptz) is
'Opens the next batches of campaigns of which no provider could be asked for a minute, while another channel works.';
