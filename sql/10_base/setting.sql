-- Change these values with UPDATE.
create table if not exists retoma.setting (
  only_row boolean primary key default true check (only_row),
  lease_duration interval not null default '60 s' check (lease_duration between '1 s' and '1 hour'),
  -- A lookup that finds nothing is a proof only when the request can no longer be under way.
  lookup_after interval not null default '60 s' check (lookup_after >= '0 s'),
  receipts_waiting int not null default 10000 check (receipts_waiting between 1 and 1000000),
  retention interval not null default '90 days' check (retention >= '1 day'),
  clock_shift interval not null default '0 s'
);

insert into retoma.setting default values on conflict do nothing;

comment on table retoma.setting is 'One row: the values that hold for the whole installation.';
comment on column retoma.setting.lease_duration is 'How long a lease lasts when no call of its runner renews it.';
comment on column retoma.setting.lookup_after is
'The provider is asked about a message in doubt only after this time, when its request can no longer be under way.';
comment on column retoma.setting.receipts_waiting is
'How many receipts of a channel may wait for the outcomes of their messages. Those beyond are refused.';
comment on column retoma.setting.retention is
'cleanup() erases finished campaigns and audit events that are older than this.';
comment on column retoma.setting.clock_shift is 'Added to the clock of the database by clock(); 0 except in tests.';
