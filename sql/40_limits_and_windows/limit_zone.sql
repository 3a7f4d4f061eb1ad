create or replace function retoma_internal.limit_zone(p_scope text, p_subject_id int) returns text
language sql stable
begin atomic
  select coalesce(
    (select c.time_zone from retoma_internal.campaign as c where p_scope = 'campaign' and c.id = p_subject_id), 'UTC'
  );
end;

comment on function retoma_internal.limit_zone(text, int) is
'The zone of a new limit by default: that of its campaign, else UTC.';
