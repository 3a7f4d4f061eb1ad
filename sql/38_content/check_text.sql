-- Finds what SQL can find: an empty text, and Liquid braces that do not pair. The runner parses the text fully before
-- the first send.
create or replace function retoma_internal.check_text(p_text text) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_rest text := regexp_replace(regexp_replace(p_text, '\{\{.*?\}\}', '', 'g'), '\{%.*?%\}', '', 'g');
begin
  if coalesce(trim(p_text), '') = '' then
    raise exception using errcode = 'RT003', constraint = 'empty_text',
      message = 'the text of a campaign cannot be empty',
      hint = 'For example ''Olá {{ name }}''';
  end if;
  if v_rest ~ '\{\{|\}\}|\{%|%\}' then
    raise exception using errcode = 'RT003', constraint = 'unpaired_braces',
      message = 'the text has Liquid braces that do not pair',
      hint = 'Write {{ variable }} and {% tag %}, each with its closing braces';
  end if;
end;
$$;

comment on function retoma_internal.check_text(text) is
'Error RT003 when a text is empty or its Liquid braces do not pair.';
