create or replace function retoma_internal.template_mismatch(
  p_template retoma_internal.template, p_content jsonb
) returns text
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_offer jsonb := retoma_internal.template_component(p_template.components, 'LIMITED_TIME_OFFER');
  v_cards jsonb := retoma_internal.template_component(p_template.components, 'CAROUSEL') -> 'cards';
  v_wanted int := (select count(*) from retoma_internal.json_list(v_cards));
  v_given int := (select count(*) from retoma_internal.json_list(p_content -> 'cards'));
  v_reason text := retoma_internal.part_mismatch(p_template.components, p_content, p_template.named);
begin
  if v_reason is not null then
    return v_reason;
  elsif p_content -> 'offer' is null and v_offer -> 'limited_time_offer' -> 'has_expiration' = 'true' then
    return 'its offer requires "expires_at"';
  elsif p_content -> 'offer' is not null and v_offer is null then
    return 'it has no offer';
  elsif v_wanted <> v_given then
    return format('it has %s cards, and the content gives %s', v_wanted, v_given);
  end if;
  return (
    select format('card %s: %s', m.place, m.reason)
    from (
      select
        t.place,
        retoma_internal.part_mismatch(t.item -> 'components', c.item, p_template.named) as reason
      from retoma_internal.json_list(v_cards) as t
      inner join retoma_internal.json_list(p_content -> 'cards') as c on t.place = c.place
    ) as m
    where m.reason is not null
    order by m.place
    limit 1
  );
end;
$$;

comment on function retoma_internal.template_mismatch(retoma_internal.template, jsonb) is
'Why the values of a content do not fit the parts of a template, in words; null when they do.';
