-- Locks the campaign, then its content, as record_content_check does. A page that another runner has recorded, or that
-- is of a list that was cleared since, changes nothing.
create or replace function retoma.record_rendering(
  p_campaign_id int, p_variant int, p_list int, p_after int, p_through int, p_faults jsonb
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_campaign retoma_internal.campaign;
  v_refusal text;
begin
  perform retoma_internal.insist_on_read_committed();
  perform retoma_internal.check_rendering(p_after, p_through, p_faults);
  select c.* into v_campaign from retoma_internal.campaign as c where c.id = p_campaign_id for no key update;
  update retoma_internal.campaign_content as t
  set
    rendered = p_through,
    tried = t.tried + retoma_internal.count_of_variant(v_campaign, p_variant, p_after, p_through),
    rendering = v_campaign.status = 'draft' or p_through < v_campaign.total
  where (t.campaign_id, t.variant, t.list, t.rendered) = (p_campaign_id, p_variant, p_list, p_after)
    and t.rendering and p_through <= v_campaign.total;
  if not found then
    if not exists (
      select from retoma_internal.campaign_content as t where (t.campaign_id, t.variant) = (p_campaign_id, p_variant)
    ) then
      raise exception using errcode = 'RT001', constraint = 'unknown_content',
        message = format('campaign %s has no content %s', p_campaign_id, p_variant),
        hint = 'Both numbers come from retoma.recipients_to_render';
    end if;
    return;
  end if;
  perform retoma_internal.count_render_faults(p_campaign_id, p_variant, p_faults);
  if p_after > 0 or v_campaign.status in ('draft', 'completed', 'cancelled') then
    return;
  end if;
  v_refusal := retoma_internal.rendering_refusal(p_campaign_id);
  if v_refusal is not null then
    update retoma_internal.campaign_content as t set fault = v_refusal
    where (t.campaign_id, t.variant) = (p_campaign_id, p_variant) and t.fault is null;
    perform retoma_internal.reconcile_campaign(p_campaign_id);
  end if;
end;
$$;

comment on function retoma.record_rendering(int, int, int, int, int, jsonb) is
'For runners: the result of rendering a page of recipients_to_render. p_after and p_through: after_ordinal
and through_ordinal. p_faults: the messages that cannot be made, counted per reason: [{"code":
"text_empty", "reason": "body[0] is empty", "messages": 2, "first_ordinal": 7}]; the code is the one with which these
messages will fail, the reason holds no value of a recipient. A started campaign of which no message of the first page
can be made is interrupted. A page that is recorded already changes nothing.
Errors: RT001 no such content, RT003 no such result.';
