create or replace function retoma_internal.do_part(p_part text, p_ids bigint[]) returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  return case p_part
    when 'receipts' then (select w.settled from retoma_internal.apply_waiting_receipts(p_failures => false) as w)
    when 'failures' then (select w.stopped::int from retoma_internal.apply_waiting_receipts(p_failures => true) as w)
    when 'leases' then retoma_internal.reap_leases(p_ids)
    when 'defects' then retoma_internal.interrupt_for_defects(p_ids)
    when 'cancels' then retoma_internal.finish_cancelling()
    when 'starts' then retoma_internal.start_due_campaigns(p_ids)
    when 'campaigns' then retoma_internal.reconcile_campaigns(p_ids)
    when 'zones' then retoma_internal.interrupt_for_zones()
    when 'jobs' then retoma_internal.sweep_jobs()
    when 'rings' then retoma_internal.ring_ready_channels()
    when 'contents' then (
      (select count(*)::int from retoma.contents_to_check())
      + (select count(*)::int from retoma_internal.contents_to_render(0, 10))
    )
  end;
end;
$$;

comment on function retoma_internal.do_part(text, bigint[]) is
'Does one part of the tick. p_ids: only for these batches or campaigns, see subjects_of; null: for all. Returns how many
things it did.';
