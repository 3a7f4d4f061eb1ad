-- What is installed here. Written by "retoma db install" and "retoma db upgrade" only.
create table if not exists retoma_internal.schema_version (
  component text not null check (component in ('retoma', 'procrastinate')),
  version text not null,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now(),
  primary key (component, version)
);

comment on table retoma_internal.schema_version is
'Migrations that this database holds, per component (retoma, procrastinate); written by retoma db install and upgrade.';
