-- Takes no lock.
create or replace function retoma_internal.limit_subject(p_scope text, p_subject text) returns int
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
begin
  if p_scope = 'channel' then
    return (retoma_internal.find_channel(p_subject)).id;
  elsif p_scope = 'campaign' then
    return (retoma_internal.find_campaign(p_subject)).id;
  elsif p_scope = 'channel_group' then
    return retoma_internal.find_group(p_subject);
  end if;
  raise exception using errcode = 'RT003', constraint = 'not_a_scope',
    message = format('a limit cannot be set for a %s', coalesce(quote_literal(p_scope), 'null')),
    hint = 'Give channel, channel_group or campaign';
end;
$$;

comment on function retoma_internal.limit_subject(text, text) is
'The id of the channel, group or campaign of a limit. Errors: RT001 none of this name, RT003 another scope.';
