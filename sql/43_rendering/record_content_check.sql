-- The audience of a started campaign is judged here, because the start could not do it. It is read before the campaign
-- is locked: it is fixed, and reading millions of recipients must not hold up steps and operators. Then locks the
-- campaign and its content. So a start at the same time is either seen here, or sees this result. The first result
-- stays.
create or replace function retoma.record_content_check(
  p_campaign_id int,
  p_variant int,
  p_variables text[],
  p_fault text default null,
  p_optional text[] default null
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_unfit text;
  v_was text := (select c.status from retoma_internal.campaign as c where c.id = p_campaign_id);
  v_status text;
begin
  perform retoma_internal.insist_on_read_committed();
  if (p_variables is null) = (p_fault is null) or p_fault = '' or array_ndims(p_variables) > 1
    or array_position(p_variables, null) is not null or array_ndims(p_optional) > 1
    or array_position(p_optional, null) is not null
  then
    raise exception using errcode = 'RT003', constraint = 'bad_check',
      message = 'a check gives either the variables that a content requires, or why it cannot be sent',
      hint = 'Give a plain array of names, which may be empty, or a fault';
  end if;
  if v_was not in ('draft', 'cancelled') and exists (
    select from retoma_internal.campaign_content as t
    where t.campaign_id = p_campaign_id and t.variant = p_variant and t.required_variables is null and t.fault is null
  ) then
    v_unfit := retoma_internal.audience_fault(
      p_campaign_id, p_variables, retoma_internal.unknown_variables(p_campaign_id, p_optional)
    );
  end if;
  select c.status into v_status from retoma_internal.campaign as c where c.id = p_campaign_id for no key update;
  if v_was = 'draft' and v_status not in ('draft', 'cancelled') then
    v_unfit := retoma_internal.audience_fault(
      p_campaign_id, p_variables, retoma_internal.unknown_variables(p_campaign_id, p_optional)
    );
  end if;
  update retoma_internal.campaign_content as t
  set
    required_variables = p_variables,
    optional_variables = p_optional,
    fault = left(retoma_internal.variant_in_words(p_campaign_id, p_variant) || coalesce(p_fault, v_unfit), 500)
  where t.campaign_id = p_campaign_id and t.variant = p_variant
    and t.required_variables is null and t.fault is null;
  if found then
    perform retoma_internal.reconcile_campaign(p_campaign_id);
    perform retoma_internal.ring_campaign(c.id)
    from retoma_internal.campaign as c where c.id = p_campaign_id and c.status = 'running';
  elsif not exists (
    select from retoma_internal.campaign_content as t where t.campaign_id = p_campaign_id and t.variant = p_variant
  ) then
    raise exception using errcode = 'RT001', constraint = 'unknown_content',
      message = format('campaign %s has no content %s', p_campaign_id, p_variant),
      hint = 'Both numbers come from retoma.contents_to_check';
  end if;
end;
$$;

comment on function retoma.record_content_check(int, int, text[], text, text[]) is
'For runners: records the result of checking a content. Give one of the two: p_variables, the variables that every
recipient must have (may be empty), or p_fault, why it cannot be sent, in words. p_optional: variables that the content
names and a recipient may lack. After this the campaign may be sent; it is interrupted instead when there is a fault, a
recipient lacks a variable, or a variable is written otherwise than in the list. A second result changes nothing.
Errors: RT001 no such content, RT003 both or neither given.';
