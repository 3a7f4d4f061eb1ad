create table if not exists retoma.error_rule (
  transport text not null,
  code text not null,
  class text not null check (
    class in (
      'transient', 'rate_limited_channel', 'rate_limited_recipient', 'permanent_recipient',
      'permanent_message', 'channel_down', 'auth', 'ambiguous'
    )
  ),
  suppress boolean not null default false,
  counts_attempt boolean not null default true,
  defer_s int check (defer_s >= 0),
  note text,
  primary key (transport, code)
);

comment on table retoma.error_rule is
'What an error of a provider means. Tune it with UPDATE and INSERT: it is read at every error, and installing again
keeps your changes.';
comment on column retoma.error_rule.transport is
'A transport, or * for all that have no rule of their own for the code.';
comment on column retoma.error_rule.suppress is 'The number goes onto the suppression list.';
comment on column retoma.error_rule.counts_attempt is 'The attempt counts against campaign.max_attempts.';
comment on column retoma.error_rule.defer_s is 'Seconds until the next attempt; null: the default of the class.';
