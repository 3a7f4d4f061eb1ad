-- Secrets, time-outs, flags and words do not decide where a message goes.
create or replace function retoma_internal.provider_of(p_channel retoma_internal.channel) returns jsonb
language sql stable
begin atomic
  select coalesce(jsonb_object_agg(s.key, (p_channel).settings -> s.key), '{}')
  from retoma.transport_setting as s
  where s.transport = (p_channel).transport and s.kind in ('url', 'text', 'choice');
end;

comment on function retoma_internal.provider_of(retoma_internal.channel) is
'The settings of a channel that decide to which account of which provider its messages go.';
