-- Change these values with UPDATE; setting_guard has the bounds. Operators may change the first four only.
create table if not exists retoma.setting (
  only_row boolean primary key default true check (only_row),
  lease_duration interval not null default '60 s',
  -- A lookup that finds nothing is a proof only when the request can no longer be under way.
  lookup_after interval not null default '60 s',
  retention interval not null default '90 days',
  addresses_kept interval not null default '30 days',
  receipts_waiting int not null default 10000 check (receipts_waiting between 1 and 1000000),
  audit_retention interval not null default '1 year',
  clock_shift interval not null default '0 s' check (clock_shift between '-100 years' and '100 years')
);

insert into retoma.setting default values on conflict do nothing;

comment on table retoma.setting is 'One row: the values that hold for the whole installation.';
comment on column retoma.setting.lease_duration is
'How long a lease lasts when no call of its runner renews it: 1 second to 1 hour.';
comment on column retoma.setting.lookup_after is
'The provider is asked about a message in doubt only after this time, when its request can no longer be under way:
1 second to 1 day.';
comment on column retoma.setting.receipts_waiting is
'How many receipts of a channel may wait for the outcomes of their messages. Those beyond are refused.';
comment on column retoma.setting.retention is
'cleanup() erases finished campaigns that are older than this: 1 day to 100 years.';
comment on column retoma.setting.addresses_kept is
'How long the answer of a provider about a number counts, before it is asked again: 1 hour to 1 year.';
comment on column retoma.setting.audit_retention is
'cleanup() erases events of the audit that are older than this: 90 days to 100 years. Only the owner of the schema
changes it, so that operators cannot shorten the record of what they did.';
comment on column retoma.setting.clock_shift is
'Added to the clock of the database by clock(); 0 except in tests. Only the owner of the schema changes it.';
