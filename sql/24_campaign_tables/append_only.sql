-- The audit cannot be rewritten: updates are refused, and so are deletes of rows that are younger than
-- setting.audit_retention.
create or replace function retoma_internal.append_only() returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if tg_op = 'DELETE' then
    if old.at < retoma.clock() - (select s.audit_retention from retoma.setting as s) then
      return old;
    end if;
  end if;
  raise exception using errcode = 'RT011', constraint = 'append_only',
    message = format('%s.%s is append-only', tg_table_schema, tg_table_name),
    hint = 'Write another row instead; retoma.cleanup() removes events that are older than setting.audit_retention';
end;
$$;

comment on function retoma_internal.append_only() is
'Trigger: refuses updates of the audit, and deletes of rows younger than setting.audit_retention (RT011).';

create or replace trigger append_only before update or delete on retoma_internal.event
for each row execute function retoma_internal.append_only();

create or replace trigger append_only before update or delete on retoma_internal.consent
for each row execute function retoma_internal.append_only();
