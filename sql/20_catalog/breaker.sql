create table if not exists retoma.breaker (
  failure text primary key check (
    failure in (
      'ambiguous', 'transient', 'rate_limited_recipient', 'permanent_recipient', 'recipient_or_account',
      'failed_receipt'
    )
  ),
  threshold int not null check (threshold > 0),
  action text not null check (action in ('pause', 'hold')),
  note text not null
);

comment on table retoma.breaker is
'When a channel stops by itself, because one kind of failure comes in a row. Change it with UPDATE; a kind without a row
never stops a channel. Contents that are refused stop the campaign instead: campaign.breaker_threshold.';
comment on column retoma.breaker.failure is
'A class of error_rule; or failed_receipt: the provider accepted the message and reported later that it failed.';
comment on column retoma.breaker.threshold is
'How many in a row, since the last message that was accepted. Messages that can be under way at once (max_in_flight
times max_leases) count as one, because one event can end them all. failed_receipt: how many that were sent one after
the other. recipient_or_account counts both those that come with the answer and those
that come by receipt.';
comment on column retoma.breaker.action is
'pause: the channel is paused until resume_channel. hold: it waits 4, 16, 64 … seconds, up to an hour, until a message
is accepted.';
