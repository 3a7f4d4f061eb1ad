create table if not exists retoma.error_rule (
  transport text not null,
  code text not null check (length(code) <= 200),
  class text not null,
  suppress boolean not null default false,
  counts_attempt boolean not null default true,
  defer_s int,
  note text check (length(note) <= 1000),
  primary key (transport, code)
);

comment on table retoma.error_rule is
'The meaning of each error of a provider. Change it with UPDATE, INSERT and remove_error_rule: it is read at every
error, and a new installation keeps your changes. error_rule_guard says what is refused.';
comment on column retoma.error_rule.class is
'What follows: transient, rate_limited_channel, rate_limited_recipient, permanent_recipient, permanent_message,
recipient_or_account, campaign_down, channel_down, auth or ambiguous. recipient_or_account: the provider refuses this
recipient or the whole account, and does not say which; several in a row stop the channel, see breaker. campaign_down:
no message of this campaign can be sent as it is, because
its template was paused, for example; the first one interrupts it, and none is used up.';
comment on column retoma.error_rule.transport is
'Name of a transport, or * for every transport that has no rule for this code.';
comment on column retoma.error_rule.suppress is 'Whether the number is put on the suppression list.';
comment on column retoma.error_rule.counts_attempt is
'Whether the attempt counts against campaign.max_attempts. After 100 attempts of either kind a message is not sent again
by itself, see most_attempts.';
comment on column retoma.error_rule.defer_s is
'Seconds until the next attempt, up to 604800; null: the default of the class.';
