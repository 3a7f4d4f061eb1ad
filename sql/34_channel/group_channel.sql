-- A new group is written before anything is locked: another session may be making the same one. Locks the pacing of the
-- channel, as every step does before it reads its limits: the next step is in the new group. Then the limits that
-- providers told of it and of both groups.
create or replace function retoma.group_channel(p_channel text, p_group text) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
declare
  v_id int;
  v_group_id int;
  v_groups int[];
begin
  v_id := (retoma_internal.find_channel(p_channel)).id;
  if p_group !~ '^[a-z0-9][a-z0-9_.-]{0,62}$' then
    raise exception using errcode = 'RT003', constraint = 'bad_name',
      message = format('%L is not the name of a group', left(p_group, 100)),
      hint = 'Use up to 63 lower-case letters, digits, dots, dashes and underscores, for example shop';
  end if;
  insert into retoma_internal.channel_group (name)
  select p_group where p_group is not null
  on conflict (name) do nothing;
  v_group_id := (select g.id from retoma_internal.channel_group as g where g.name = p_group);
  perform from retoma_internal.channel_pacing as p where p.channel_id = v_id for update;
  v_groups := array(
    select c.channel_group_id from retoma_internal.channel as c where c.id = v_id and c.channel_group_id is not null
    union
    select v_group_id where v_group_id is not null
  );
  perform retoma_internal.lock_told_limits(v_id, v_groups);
  update retoma_internal.channel as c set channel_group_id = v_group_id
  where c.id = v_id and c.channel_group_id is distinct from v_group_id;
  if found then
    insert into retoma_internal.event (subject, channel_id, from_state, to_state, code, why)
    select
      'channel', c.id, s, s, 'grouped',
      case when p_group is null then 'taken out of its group' else 'put into the group ' || p_group end
    from retoma_internal.channel as c cross join lateral retoma_internal.channel_state(c) as s
    where c.id = v_id;
    perform retoma_internal.apply_told_limits(v_id, v_groups);
  end if;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
end;
$$;

comment on function retoma.group_channel(text, text) is
'Puts a channel into a group, which begins with its first channel; null takes it out. The channels of a group share the
limits of set_limit(''channel_group'', …): the numbers of a WhatsApp portfolio may begin so many conversations a day
together. What a provider said of the limit of a channel goes with it. Holds from the next step of the channel on.
Errors: RT001 unknown channel, RT003 bad name.';
