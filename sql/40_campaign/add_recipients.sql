-- Locks the campaign, through load_staged.
create or replace function retoma.add_recipients(
  p_campaign text, p_recipients jsonb, out accepted bigint, out duplicates bigint, out rejected bigint
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  if jsonb_typeof(p_recipients) is distinct from 'array' then
    raise exception using errcode = 'RT003',
      message = 'recipients are a JSON array of objects',
      hint = 'For example [{"phone": "+5511955501234", "variables": {"name": "Ana"}}]';
  end if;
  insert into retoma.recipient_staging (campaign, line, phone, variables, zone)
  select p_campaign, r.line, r.item ->> 'phone', coalesce(r.item -> 'variables', '{}'), r.item ->> 'zone'
  from jsonb_array_elements(p_recipients) with ordinality as r (item, line);
  select l.accepted, l.duplicates, l.rejected into accepted, duplicates, rejected from retoma.load_staged(p_campaign) as l;
end;
$$;

comment on function retoma.add_recipients(text, jsonb) is
'Adds recipients to a draft: [{"phone": "+5511955501234", "variables": {"name": "Ana"}, "zone": "America/Sao_Paulo"}, …].
Returns how many were accepted, merged as duplicates, and rejected. For large lists see retoma.recipient_staging.
Errors: RT001 unknown campaign, RT002 it is not a draft, RT003 not an array.';
