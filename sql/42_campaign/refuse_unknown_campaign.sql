create or replace function retoma_internal.refuse_unknown_campaign(p_name text) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'RT001', constraint = 'unknown_campaign',
    message = format('there is no campaign %s', coalesce(quote_literal(left(p_name, 200)), 'null')),
    hint = 'See them all: select campaign, status from retoma.v_campaign_summary';
end;
$$;

comment on function retoma_internal.refuse_unknown_campaign(text) is 'Raises RT001: there is no campaign of this name.';
