-- Refuses before the start what would otherwise fail in the middle of a campaign. The variables of a content that no
-- runner has checked are not known here; record_content_check judges them. Reads every message once.
create or replace function retoma_internal.check_audience(p_campaign retoma_internal.campaign) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_fault text;
  v_missing text;
begin
  if p_campaign.total = 0 then
    raise exception using errcode = 'RT005', constraint = 'no_recipients',
      message = format('campaign %L has no recipients', p_campaign.name),
      hint = 'Add recipients: retoma.add_recipients, retoma.load_staged or "retoma import FILE.csv"';
  end if;
  select t.fault, retoma_internal.missing_variables(t.campaign_id, t.required_variables) into v_fault, v_missing
  from retoma_internal.campaign_content as t where t.campaign_id = p_campaign.id;
  if v_fault is not null then
    raise exception using errcode = 'RT005', constraint = 'content_refused',
      message = format('campaign %L cannot be sent: %s', p_campaign.name, v_fault),
      hint = 'The content is fixed: create a new campaign';
  end if;
  if v_missing is not null then
    raise exception using errcode = 'RT005', constraint = 'variables_missing', message = v_missing,
      hint = 'Import the recipients with these variables, or give the text a default: {{ name | default: "" }}';
  end if;
  if retoma_internal.has_windows(p_campaign.id) and p_campaign.time_zone is null and exists (
    select from retoma_internal.message as m where m.campaign_id = p_campaign.id and m.zone is null
  ) then
    raise exception using errcode = 'RT005', constraint = 'time_zone_missing',
      message = format(
        'campaign %L has sending windows, but the time zone of some recipients is not known', p_campaign.name
      ),
      hint = 'Give the campaign a zone for them: '
        || 'select retoma.configure_campaign(name, ''{"time_zone": "America/Sao_Paulo"}'')';
  end if;
end;
$$;

comment on function retoma_internal.check_audience(retoma_internal.campaign) is
'Error RT005 when the campaign has no recipients, when its content cannot be sent, when a recipient lacks a required
variable, or when the campaign has windows and no time zone is known for a recipient.';
