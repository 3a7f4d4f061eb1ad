create or replace function retoma_internal.find_group(p_name text) returns int
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_id int := (select g.id from retoma_internal.channel_group as g where g.name = p_name);
begin
  if v_id is null then
    raise exception using errcode = 'RT001', constraint = 'unknown_group',
      message = format('there is no group of channels %s', coalesce(quote_literal(left(p_name, 100)), 'null')),
      hint = 'A group begins with its first channel: select retoma.group_channel(''sales'', ''shop'')' || coalesce(
        '. Groups: '
        || retoma_internal.listed(array(select g.name from retoma_internal.channel_group as g order by g.name)),
        ''
      );
  end if;
  return v_id;
end;
$$;

comment on function retoma_internal.find_group(text) is
'The id of the group of channels of this name. Error RT001 when there is none.';
