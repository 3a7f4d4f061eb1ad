-- Ends at the first recipient who has it. Reads the whole campaign only for a variable that nobody has.
create or replace function retoma_internal.unknown_variables(p_campaign_id int, p_variables text[]) returns text[]
language sql stable
begin atomic
  select array(
    select wanted.name from unnest(p_variables) as wanted (name)
    where not exists (
      select from retoma_internal.message as m
      where m.campaign_id = p_campaign_id and m.variables ->> wanted.name <> ''
    )
    order by wanted.name
  );
end;

comment on function retoma_internal.unknown_variables(int, text[]) is
'Those of p_variables that no recipient of the campaign has.';
