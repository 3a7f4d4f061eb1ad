create or replace function retoma_internal.check_forms(p_content jsonb) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_blank text;
  v_fault text;
begin
  select p.place into v_blank
  from retoma_internal.content_parts(p_content) as p
  where jsonb_typeof(p.value) = 'string' and p.type <> 'free' and retoma_internal.is_blank(p.value #>> '{}')
  order by p.place
  limit 1;
  if v_blank is not null then
    raise exception using errcode = 'RT003', constraint = 'empty_text',
      message = format('the %s of a campaign cannot be empty', v_blank),
      hint = 'For example ''Olá {{ name }}''; what a content may lack is left out';
  end if;
  select format('%s %s', p.place, t.words) into v_fault
  from retoma_internal.content_parts(p_content) as p
  inner join retoma_internal.text_form as t on p.type = t.type
  where p.value #>> '{}' !~ t.pattern and (p.type = 'word' or strpos(p.value #>> '{}', '{') = 0)
  order by p.place
  limit 1;
  if v_fault is not null then
    raise exception using errcode = 'RT003', constraint = 'bad_text', message = v_fault,
      hint = 'Correct it, or write a variable of the recipients there';
  end if;
end;
$$;

comment on function retoma_internal.check_forms(jsonb) is
'Error RT003 when a text of a content is blank, or without a brace has not the form of its field.';
