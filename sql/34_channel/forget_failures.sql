-- Locks the pacing row of the channel.
create or replace function retoma_internal.forget_failures(p_channel_id int) returns void
language sql volatile
begin atomic
  update retoma_internal.channel_pacing as p
  set failures = '{}', failures_from = retoma.clock()
  where p.channel_id = p_channel_id;
end;

comment on function retoma_internal.forget_failures(int) is
'A channel begins anew: earlier failures, and receipts about messages that were sent before, do not stop it again.';
