-- Refuses before the start what would otherwise fail in the middle of a campaign. The variables of a content that no
-- runner has checked are not known here; record_content_check judges them. Reads every message once.
create or replace function retoma_internal.check_audience(p_campaign retoma_internal.campaign) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_unknown text[];
  v_refusal text := retoma_internal.rendering_refusal(p_campaign.id);
begin
  if p_campaign.total = 0 then
    raise exception using errcode = 'RT005', constraint = 'no_recipients',
      message = format('campaign %L has no recipients', p_campaign.name),
      hint = 'Add recipients: retoma.add_recipients, retoma.load_staged or "retoma import FILE.csv"';
  end if;
  v_unknown := retoma_internal.check_variables(p_campaign);
  if v_refusal is not null then
    raise exception using errcode = 'RT005', constraint = 'nothing_to_send',
      message = format('campaign %L: %s', p_campaign.name, v_refusal),
      hint = 'Import other values (retoma import --replace), or create a campaign with another text';
  end if;
  if v_unknown <> '{}' then
    raise warning using message = format(
      'nobody in campaign %L has the variable %s', p_campaign.name, array_to_string(v_unknown, ', nor ')
    ), hint = 'Everybody gets what the text says without it';
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
variable, when a variable is written otherwise than in the list, when the content could be made for none of the
recipients that runners have tried, or when the campaign has windows and no time zone is known for a recipient. A
warning when nobody has a variable that the content names.';
