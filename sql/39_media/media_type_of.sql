create or replace function retoma_internal.media_type_of(p_data bytea) returns text
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_type text;
begin
  select t.mimetype into v_type
  from retoma.media_type as t
  where substring(p_data from t.at_byte + 1 for length(t.begins)) = t.begins
    and (t.contains = '' or position(t.contains in p_data) > 0)
  order by length(t.begins) + length(t.contains) desc, t.mimetype
  limit 1;
  if v_type is null and p_data <> '' and position(decode('00', 'hex') in p_data) = 0 then
    perform convert_from(p_data, 'UTF8');
    v_type := 'text/plain';
  end if;
  return v_type;
exception
  when character_not_in_repertoire or untranslatable_character then
    return null;
end;
$$;

comment on function retoma_internal.media_type_of(bytea) is
'The MIME type of a file by its bytes, see media_type; a file in UTF-8 without any is a text. Null: none is known.';
