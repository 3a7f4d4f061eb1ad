-- Messages and hints stay short, however many names there are.
create or replace function retoma_internal.listed(p_names text[], p_separator text default ', ') returns text
language sql immutable parallel safe
begin atomic
  select
    string_agg(
      case when length(n.name) > 300 then left(n.name, 299) || '…' else n.name end, p_separator order by n.place
    )
    || case
      when cardinality(p_names) > 10 then format('%sand %s more', p_separator, cardinality(p_names) - 10) else ''
    end
  from unnest(p_names[:10]) with ordinality as n (name, place);
end;

comment on function retoma_internal.listed(text[], text) is
'The first ten of p_names in words, each of 300 characters at most, and how many more there are. Null when there are
none.';
