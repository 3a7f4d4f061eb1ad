create or replace function retoma_internal.group_of(p_channel_id int) returns int
language sql stable
begin atomic
  select c.channel_group_id from retoma_internal.channel as c where c.id = p_channel_id;
end;

comment on function retoma_internal.group_of(int) is 'The id of the group of a channel, null when it has none.';
