-- Turns the name from a caller into the row. Takes no lock.
create or replace function retoma_internal.find_channel(p_name text) returns retoma_internal.channel
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_channel retoma_internal.channel;
begin
  perform retoma_internal.insist_on_read_committed();
  select c.* into v_channel from retoma_internal.channel as c where c.name = p_name;
  if not found then
    raise exception using errcode = 'RT001', constraint = 'unknown_channel',
      message = format('there is no channel %s', coalesce(quote_literal(left(p_name, 200)), 'null')),
      hint = coalesce(
        'Channels: ' || retoma_internal.listed(
          array(select c.name from retoma_internal.channel as c order by c.name)
        ),
        'There is no channel yet: select retoma.create_channel(name, transport, settings)'
      );
  end if;
  return v_channel;
end;
$$;

comment on function retoma_internal.find_channel(text) is 'The channel of this name. Error RT001 when there is none.';
