-- Refuses before the start what would otherwise show only in the middle of a campaign. Reads every message once.
create or replace function retoma_internal.check_audience(p_campaign retoma_internal.campaign) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_missing bigint;
  v_first int;
begin
  if p_campaign.total = 0 then
    raise exception using errcode = 'RT005', constraint = 'no_recipients',
      message = format('campaign %L has no recipients', p_campaign.name),
      hint = 'Load some: retoma.add_recipients, retoma.load_staged or "retoma import FILE.csv"';
  end if;
  if p_campaign.required_variables <> '{}' then
    select count(*), min(m.ordinal) into v_missing, v_first
    from retoma_internal.message as m
    where m.campaign_id = p_campaign.id
      and exists (select from unnest(p_campaign.required_variables) as k where coalesce(m.variables ->> k, '') = '');
    if v_missing > 0 then
      raise exception using errcode = 'RT005', constraint = 'variables_missing',
        message = format(
          '%s recipients of campaign %L lack one of the variables %s (the first is number %s)',
          v_missing, p_campaign.name, array_to_string(p_campaign.required_variables, ', '), v_first
        ),
        hint = 'Import them with these columns, or give the text a default: {{ name | default: "" }}';
    end if;
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
'Error RT005 when the campaign has no recipients, when a recipient lacks a required variable, or when the campaign has
windows and no time zone is known for a recipient.';
