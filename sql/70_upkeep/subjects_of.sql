create or replace function retoma_internal.subjects_of(p_part text) returns bigint[]
language sql stable
begin atomic
  select case p_part
    when 'leases' then array(select b.id from retoma_internal.batch as b where b.status = 'leased' order by b.id)
    when 'defects' then array(select b.id from retoma_internal.batch as b where b.defect is not null order by b.id)
    when 'starts' then array(
      select c.id::bigint from retoma_internal.campaign as c where c.status = 'scheduled' order by c.id
    )
    when 'campaigns' then array(
      select c.id::bigint from retoma_internal.campaign as c where c.status in ('running', 'interrupted') order by c.id
    )
    else '{}'
  end;
end;

comment on function retoma_internal.subjects_of(text) is
'Ids of all batches or campaigns that a part of the tick may concern; empty for the parts that are done as a whole.';
