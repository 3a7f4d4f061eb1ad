-- The caller holds the row lock of the campaign. Locks its rows of campaign_channel. A list that comes between the
-- snapshot of this statement and that of template_fault is judged again by the next tick: changes is then the older
-- one.
create or replace function retoma_internal.judge_templates(p_campaign_id int) returns void
language sql volatile
begin atomic
  with found as materialized (
    select cc.channel_id, r.changes, min(retoma_internal.template_fault(cc.channel_id, t.content)) as fault
    from retoma_internal.campaign_channel as cc
    inner join retoma_internal.campaign_content as t on cc.campaign_id = t.campaign_id
    inner join retoma_internal.reading as r on cc.channel_id = r.channel_id and r.about = 'templates'
    where cc.campaign_id = p_campaign_id and t.content ->> 'kind' = 'template'
    group by cc.channel_id, r.changes
  )

  update retoma_internal.campaign_channel as cc
  set fault = f.fault, judged = f.changes
  from found as f
  where cc.campaign_id = p_campaign_id and cc.channel_id = f.channel_id
    and (cc.fault, cc.judged) is distinct from (f.fault, f.changes);
end;

comment on function retoma_internal.judge_templates(int) is
'Records for each channel of a campaign whether it can send the template of every variant, by what is known now. Other
contents have no fault.';
