create or replace function retoma_internal.limits_of_step(p_channel_id int, p_campaign_id int) returns int[]
language sql stable
begin atomic
  select coalesce(array_agg(l.id), '{}')
  from retoma_internal.limit_rule as l
  where (l.scope, l.subject_id) = ('channel', p_channel_id)
    or (l.scope, l.subject_id) = ('campaign', p_campaign_id)
    or (l.scope, l.subject_id) = (
      'channel_group', (select c.channel_group_id from retoma_internal.channel as c where c.id = p_channel_id)
    );
end;

comment on function retoma_internal.limits_of_step(int, int) is
'The rules under which a message of this campaign on this channel counts.';
