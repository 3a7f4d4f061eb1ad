-- The caller holds the row of the number on the suppression list, so two opt-outs of one person follow each other.
create or replace function retoma_internal.queue_confirmation(
  p_reply retoma_internal.reply, p_at timestamptz
) returns void
language sql volatile
begin atomic
  insert into retoma_internal.confirmation (channel_id, reply_id, phone, requested_at)
  select (p_reply).channel_id, (p_reply).id, (p_reply).phone, p_at
  from retoma_internal.channel as c
  where c.id = (p_reply).channel_id and c.settings ? 'opt_out_confirmation' and not exists (
    select from retoma_internal.confirmation as k
    where k.channel_id = c.id and k.state = 'pending'
      and retoma_internal.suppression_key(k.phone) = retoma_internal.suppression_key((p_reply).phone)
  );
end;

comment on function retoma_internal.queue_confirmation(retoma_internal.reply, timestamptz) is
'The channel will confirm the opt-out in p_reply, if it has the setting opt_out_confirmation. p_at: when the person said
so, or when somebody decided that it is one.';
