create table if not exists retoma.transport (
  name text primary key check (name ~ '^[a-z][a-z0-9_]{0,30}$'),
  required_settings text[] not null default '{}',
  optional_settings text[] not null default '{}',
  gap_min interval not null default '0 s',
  gap_max interval not null default '0 s',
  batch_gap_min interval not null default '0 s',
  batch_gap_max interval not null default '0 s',
  rate_per_s numeric,
  max_in_flight int not null default 1,
  note text not null
);

comment on table retoma.transport is
'Kinds of provider, and the defaults that create_channel gives to their channels. A transport that you write yourself
needs a row here.';
comment on column retoma.transport.required_settings is 'Keys without which a channel of this transport cannot work.';
comment on column retoma.transport.optional_settings is
'Further keys that the transport knows; any other key is refused.';
comment on column retoma.transport.rate_per_s is 'Messages per second; null: no limit.';
