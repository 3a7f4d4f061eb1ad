-- Locks the campaign, then its content, as record_content_check does. A page of which another runner has recorded a
-- part, or that is of a list that was cleared since, changes nothing.
create or replace function retoma.record_rendering(
  p_campaign_id int, p_variant int, p_list int, p_after int, p_through int, p_faults jsonb
) returns boolean
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
    return false;
  end if;
  perform retoma_internal.count_render_faults(p_campaign_id, p_variant, p_faults);
  if v_campaign.status in ('draft', 'completed', 'cancelled') then
    return true;
  end if;
  v_refusal := retoma_internal.rendering_refusal(p_campaign_id);
  if v_refusal is not null then
    update retoma_internal.campaign_content as t set fault = v_refusal
    where (t.campaign_id, t.variant) = (p_campaign_id, p_variant) and t.fault is null;
    perform retoma_internal.reconcile_campaign(p_campaign_id);
  end if;
  return true;
end;
$$;

comment on function retoma.record_rendering(int, int, int, int, int, jsonb) is
'For runners: the result of rendering a page of recipients_to_render, or its beginning. p_after: after_ordinal;
p_through: through_ordinal, or the ordinal of the last recipient that was tried. p_faults: the messages that cannot be
made, counted per reason: [{"code": "text_empty", "reason": "body[0] is empty", "messages": 2, "first_ordinal": 7}]; the
code is the one with which these messages will fail, the reason holds no value of a recipient. A started campaign is
interrupted when none of the first 1000 messages of a variant can be made, or none of all if they are fewer. Returns
false, and changes nothing, when the content is not where p_after and p_list say: another runner has been faster, or the
list or the campaign is over. Then leave this content to others for a while.
Errors: RT001 no such content, RT003 no such result.';
