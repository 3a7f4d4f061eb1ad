-- As the import makes it of a column title.
create or replace function retoma_internal.plain_name(p_name text) returns text
language sql immutable parallel safe
begin atomic
  select trim(both '_' from regexp_replace(
    lower(regexp_replace(normalize(p_name, nfkd), '[^\x01-\x7f]', '', 'g') collate "C"), '[^a-z0-9]+', '_', 'g'
  ));
end;

comment on function retoma_internal.plain_name(text) is
'The name of a variable in lower snake case without accents: primeiro_nome for Primeiro Nome.';
