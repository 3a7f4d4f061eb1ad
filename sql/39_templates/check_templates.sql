create or replace function retoma_internal.check_templates(p_campaign retoma_internal.campaign) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_faults text;
  v_unread text;
begin
  select
    string_agg(distinct format('channel %s: %s', s.name, s.fault), '; ') filter (where s.fault is not null),
    string_agg(distinct s.name, ', ') filter (where s.is_unread)
  into v_faults, v_unread
  from (
    select
      h.name, retoma_internal.template_fault(h.id, t.content) as fault,
      x.about is not null and not coalesce(r.known, false) as is_unread
    from retoma_internal.campaign_content as t
    inner join retoma_internal.campaign_channel as cc on t.campaign_id = cc.campaign_id
    inner join retoma_internal.channel as h on cc.channel_id = h.id
    left join retoma.transport_reading as x on h.transport = x.transport and x.about = 'templates'
    left join retoma_internal.reading as r on h.id = r.channel_id and r.about = x.about
    where t.campaign_id = p_campaign.id and t.content ->> 'kind' = 'template'
  ) as s;
  if v_faults is not null then
    raise exception using errcode = 'RT005', constraint = 'template_refused',
      message = format('campaign %L cannot be sent: %s', p_campaign.name, v_faults),
      hint = 'retoma.v_template has the templates of each channel. After a change at the provider: '
        || 'select retoma.refresh_channel(channel). A content is fixed: if it is wrong, create a new campaign';
  elsif v_unread is not null then
    raise warning using
      message = format('it is not known whether the template of campaign %L is approved', p_campaign.name),
      hint = format('The templates of %s have not been read: retoma.v_template says why', v_unread);
  end if;
end;
$$;

comment on function retoma_internal.check_templates(retoma_internal.campaign) is
'Error RT005 when the template of a campaign cannot be sent on one of its channels. A warning when that is not known.';
