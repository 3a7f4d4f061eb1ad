-- One letter more, less or other, or two neighbours that changed places.
create or replace function retoma_internal.one_edit_apart(p_one text, p_other text) returns boolean
language sql immutable parallel safe
begin atomic
  with equal_ends as (
    select
      length(p_one) as one,
      length(p_other) as other,
      (
        select count(*) from generate_series(1, least(length(p_one), length(p_other))) as n (n)
        where left(p_one, n.n) = left(p_other, n.n)
      ) as front,
      (
        select count(*) from generate_series(1, least(length(p_one), length(p_other))) as n (n)
        where right(p_one, n.n) = right(p_other, n.n)
      ) as back
  )

  select case
    when p_one = p_other or abs(e.one - e.other) > 1 then false
    when e.front + e.back >= greatest(e.one, e.other) - 1 then true
    else e.one = e.other and e.front + e.back = e.one - 2
      and reverse(substr(p_one, e.front::int + 1, 2)) = substr(p_other, e.front::int + 1, 2)
  end
  from equal_ends as e;
end;

comment on function retoma_internal.one_edit_apart(text, text) is
'Whether one typing error makes one word the other.';
