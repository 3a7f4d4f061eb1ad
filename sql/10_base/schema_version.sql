-- Only "retoma db install" and "retoma db upgrade" write here.
create table if not exists retoma_internal.schema_version (
  component text not null check (component in ('retoma', 'procrastinate')),
  version text not null,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now(),
  primary key (component, version)
);

comment on table retoma_internal.schema_version is
'One row per installed migration of each component (retoma, procrastinate).';
