-- One row: the values that hold for the whole installation. Change them with UPDATE.
create table if not exists retoma.setting (
  only_row boolean primary key default true check (only_row),
  lease_duration interval not null default '60 s' check (lease_duration between '1 s' and '1 hour'),
  -- A lookup that finds nothing proves something only when the request can no longer be under way.
  lookup_after interval not null default '60 s' check (lookup_after >= '0 s'),
  retention interval not null default '90 days' check (retention >= '1 day'),
  clock_shift interval not null default '0 s'
);

insert into retoma.setting default values on conflict do nothing;

comment on table retoma.setting is 'Values that hold for the whole installation, in one row.';
comment on column retoma.setting.lease_duration is 'How long a runner may hold a batch without a sign of life.';
comment on column retoma.setting.lookup_after is
'Age of a message in doubt before the provider is asked about it, so that the request cannot still be under way.';
comment on column retoma.setting.retention is 'How long finished campaigns and audit events are kept by cleanup().';
comment on column retoma.setting.clock_shift is 'Added to the database clock by clock(); 0 except in tests.';
