-- What a button takes: required for a variable URL, a code to copy and a one-time password; optional for a quick reply
-- and a Flow. Phone numbers and the like take nothing.
create or replace function retoma_internal.buttons_mismatch(p_component jsonb, p_given jsonb) returns text
language sql immutable
begin atomic
  with button as (
    select
      b.place - 1 as index, b.item ->> 'text' as text,
      case upper(b.item ->> 'type')
        when 'URL' then case when b.item ->> 'url' like '%{{%' then 'url' end
        when 'OTP' then 'url'
        when 'COPY_CODE' then 'coupon'
      end as requires,
      case upper(b.item ->> 'type') when 'QUICK_REPLY' then 'payload' when 'FLOW' then 'flow' end as takes
    from retoma_internal.json_list(p_component -> 'buttons') as b
  ),

  given as (
    select g.item ->> 'index' as index, f.field
    from retoma_internal.json_list(p_given) as g
    inner join unnest('{url,payload,coupon,flow}'::text[]) as f (field) on g.item -> f.field is not null
  ),

  wrong as (
    select b.index, format('its button %s (%s) requires "%s"', b.index, b.text, b.requires) as words
    from button as b
    where b.requires is not null and not exists (
      select from given as g where g.index = b.index::text and g.field = b.requires
    )
    union all
    select 1000000, format('its button %s takes no "%s"', g.index, g.field)
    from given as g
    where not exists (
      select from button as b
      where b.index::text = g.index and g.field in (b.requires, b.takes)
    )
  )

  select w.words from wrong as w order by w.index, w.words limit 1;
end;

comment on function retoma_internal.buttons_mismatch(jsonb, jsonb) is
'Why the buttons of a content do not fit a template, in words; null when they do. p_component: BUTTONS of the template,
or null; p_given: buttons of the content, or null. Buttons are counted from 0.';
