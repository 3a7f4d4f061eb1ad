create or replace function retoma_internal.erase_campaigns(p_before timestamptz) returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_ids int[];
begin
  v_ids := array(
    select c.id from retoma_internal.campaign as c
    where c.status in ('completed', 'cancelled') and c.erased_at is null and c.finished_at < p_before
      and not exists (select from retoma_internal.batch as b where b.campaign_id = c.id and b.status = 'leased')
    order by c.id
    for no key update skip locked
  );
  -- For the trigger keep; until the end of this function.
  perform set_config('retoma_internal.erasing', 'yes', true);
  delete from retoma_internal.message as m where m.campaign_id = any(v_ids);
  delete from retoma_internal.delivery as d where d.campaign_id = any(v_ids);
  delete from retoma_internal.message_address as a where a.campaign_id = any(v_ids);
  delete from retoma.recipient_reject as r where r.campaign_id = any(v_ids);
  delete from retoma_internal.batch_list as l using retoma_internal.batch as b
  where l.batch_id = b.id and b.campaign_id = any(v_ids);
  perform set_config('retoma_internal.erasing', 'no', true);
  update retoma_internal.campaign as c set erased_at = retoma.clock() where c.id = any(v_ids);
  return cardinality(v_ids);
end;
$$;

comment on function retoma_internal.erase_campaigns(timestamptz) is
'Erases the personal data of campaigns that ended before p_before: recipients, deliveries and rejects. Returns how many
campaigns.';
