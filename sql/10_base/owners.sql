-- Refuses schemas that another role could change. The functions of Retoma run with the rights of their owner, so the
-- owner of a schema, the owner of an object in it, and a role that may create objects there could take over these
-- rights. This comes first: nothing in such a schema is read or run.
do $$
declare
  v_me oid := (select r.oid from pg_roles as r where r.rolname = current_user);
  v_stranger record;
begin
  for v_stranger in
    with place as (
      select n.* from pg_namespace as n where n.nspname in ('retoma', 'retoma_internal', 'procrastinate')
    )
    select p.nspname as schema, p.nspowner as role, 'belongs to' as how
    from place as p where p.nspowner <> v_me
    union all
    select p.nspname, a.grantee, 'takes new objects from'
    from place as p, aclexplode(p.nspacl) as a where a.privilege_type = 'CREATE' and a.grantee <> v_me
    union all
    select p.nspname, o.owner, 'has objects of'
    from place as p
    inner join (
      select c.relnamespace as schema, c.relowner as owner from pg_class as c
      union all
      select f.pronamespace, f.proowner from pg_proc as f
      union all
      select t.typnamespace, t.typowner from pg_type as t
    ) as o on p.oid = o.schema
    where o.owner <> v_me
  loop
    raise exception using errcode = 'RT020', constraint = 'foreign_schema',
      message = format(
        'the schema %s %s %s, who could change what Retoma does',
        v_stranger.schema, v_stranger.how,
        case when v_stranger.role = 0 then 'everybody' else v_stranger.role::regrole::text end
      ),
      hint = format(
        'You are %s. Install as the owner of Retoma, or in another database: createdb retoma', current_user
      );
  end loop;
  if to_regclass('retoma_internal.schema_version') is null
    and coalesce(to_regnamespace('retoma'), to_regnamespace('retoma_internal')) is not null
    or exists (
      select from pg_namespace as n
      where n.nspname = 'procrastinate'
        and coalesce(obj_description(n.oid, 'pg_namespace'), '') not like 'Job queue of Retoma, %'
    )
  then
    raise exception using errcode = 'RT020', constraint = 'foreign_schema',
      message = 'a schema retoma, retoma_internal or procrastinate of this database was not made by Retoma',
      hint = 'Install in another database: createdb retoma';
  end if;
end
$$;
