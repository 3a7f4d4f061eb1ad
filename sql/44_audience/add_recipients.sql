-- Locks the campaign.
create or replace function retoma.add_recipients(
  p_campaign text,
  p_lines bigint[],
  p_phones text[],
  p_variables jsonb[],
  p_zones text[],
  out accepted bigint,
  out duplicates bigint,
  out rejected bigint
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
begin
  select a.accepted, a.duplicates, a.rejected into accepted, duplicates, rejected
  from retoma_internal.put_recipients(p_campaign, p_lines, p_phones, p_variables, p_zones, null) as a;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
end;
$$;

comment on function retoma.add_recipients(text, bigint[], text[], jsonb[], text[]) is
'Adds recipients to a draft; for programs that load long lists, about 5,000 recipients per call. p_lines: place in the
source, for the list of rejects (may be null). p_phones: E.164. p_variables: JSON objects of at most 16 kB. p_zones:
IANA time zones joined by commas (may be null). The arrays have the same length.
Returns how many recipients were accepted, dropped as duplicates of another recipient, and rejected (see
recipient_reject).
Errors: RT001 unknown campaign, RT002 not a draft.';

create or replace function retoma.add_recipients(
  p_campaign text, p_recipients jsonb, out accepted bigint, out duplicates bigint, out rejected bigint
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
begin
  if jsonb_typeof(p_recipients) is distinct from 'array' then
    raise exception using errcode = 'RT003', constraint = 'not_an_array',
      message = 'recipients are a JSON array of objects',
      hint = 'For example [{"phone": "+5511955501234", "variables": {"name": "Ana"}}]';
  end if;
  select a.accepted, a.duplicates, a.rejected into accepted, duplicates, rejected
  from (
    select
      array_agg(r.line order by r.line) as lines,
      array_agg(r.item ->> 'phone' order by r.line) as phones,
      array_agg(r.item -> 'variables' order by r.line) as variables,
      array_agg(r.item ->> 'zone' order by r.line) as zones,
      array_agg(retoma_internal.unknown_keys(r.item, '{phone,variables,zone}') order by r.line) as reasons
    from jsonb_array_elements(p_recipients) with ordinality as r (item, line)
  ) as list
  cross join lateral retoma_internal.put_recipients(
    p_campaign, list.lines, list.phones, list.variables, list.zones, list.reasons
  ) as a;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
end;
$$;

comment on function retoma.add_recipients(text, jsonb) is
'Adds recipients to a draft:
[{"phone": "+5511955501234", "variables": {"name": "Ana"}, "zone": "America/Sao_Paulo"}, …]. phone: E.164. variables and
zone (IANA names joined by commas) may be missing; a recipient with any other key is rejected. For long lists see
recipient_staging.
Returns how many recipients were accepted, dropped as duplicates of another recipient, and rejected (see
recipient_reject).
Errors: RT001 unknown campaign, RT002 not a draft, RT003 not an array.';
