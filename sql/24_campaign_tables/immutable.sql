create or replace function retoma_internal.immutable() returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'RT011', constraint = 'immutable',
    message = format('%s.%s is immutable', tg_table_schema, tg_table_name),
    hint = 'The result of a message is in retoma_internal.delivery';
end;
$$;

comment on function retoma_internal.immutable() is 'Trigger: refuses every update of a message (RT011).';

create or replace trigger immutable before update on retoma_internal.message
for each statement execute function retoma_internal.immutable();

-- An update of one partition does not call the trigger above.
create or replace trigger immutable_row before update on retoma_internal.message
for each row execute function retoma_internal.immutable();
