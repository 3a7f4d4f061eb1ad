create table if not exists retoma_internal.account (
  channel_id int primary key references retoma_internal.channel (id) on delete cascade,
  connected boolean,
  server text,
  quality text,
  people_per_day int,
  rate_per_s double precision
);

comment on table retoma_internal.account is
'What the provider said of the account of each channel; see record_account, and "reading" for when.';
comment on column retoma_internal.account.connected is 'Whether the account works; null: it does not say.';
comment on column retoma_internal.account.server is 'Name and version of a gateway.';
comment on column retoma_internal.account.quality is 'What people think of the messages, in its words.';
comment on column retoma_internal.account.people_per_day is
'To how many people the account may begin a conversation in any 24 hours; null: no limit, or it does not say.';
comment on column retoma_internal.account.rate_per_s is 'Messages per second; null: it does not say.';
