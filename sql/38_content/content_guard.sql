-- BEFORE UPDATE. A content was checked, and some people have received it, so it never changes (invariant 11).
create or replace function retoma_internal.content_guard() returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'RT002', constraint = 'content_fixed',
    message = format('the content of campaign %s is fixed', old.campaign_id),
    hint = 'Create a new campaign';
end;
$$;

comment on function retoma_internal.content_guard() is 'Trigger: refuses to change the content of a campaign (RT002).';

create or replace trigger content_guard before update on retoma_internal.campaign_content
for each row
when ((old.campaign_id, old.variant, old.content, old.texts)
  is distinct from (new.campaign_id, new.variant, new.content, new.texts))
execute function retoma_internal.content_guard();
