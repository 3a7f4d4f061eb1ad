-- Passes the staged rows of a draft to add_recipients, in the order of their lines, in blocks of 10,000, which fit into
-- work_mem. Locks the campaign. Deletes the staged rows.
create or replace function retoma.load_staged(
  p_campaign text, out accepted bigint, out duplicates bigint, out rejected bigint
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
declare
  v_block record;
begin
  perform retoma_internal.lock_draft(p_campaign);
  accepted := 0;
  duplicates := 0;
  rejected := 0;
  for v_block in
    with taken as (
      delete from retoma.recipient_staging as s where s.campaign = p_campaign
      returning s.line, s.ctid as place, s.phone, s.variables, s.zone
    ),
    numbered as (
      select t.*, row_number() over (order by t.line nulls last, t.place) as number from taken as t
    )
    select
      array_agg(n.line order by n.number) as lines,
      array_agg(n.phone order by n.number) as phones,
      array_agg(n.variables order by n.number) as variables,
      array_agg(n.zone order by n.number) as zones
    from numbered as n
    group by n.number / 10000
    order by n.number / 10000
  loop
    select load_staged.accepted + a.accepted, load_staged.duplicates + a.duplicates, load_staged.rejected + a.rejected
    into accepted, duplicates, rejected
    from retoma.add_recipients(p_campaign, v_block.lines, v_block.phones, v_block.variables, v_block.zones) as a;
  end loop;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
end;
$$;

comment on function retoma.load_staged(text) is
'Loads the rows that \copy put into recipient_staging for this draft. Returns how many recipients were accepted, dropped
as duplicates of another recipient, and rejected (see recipient_reject).
Errors: RT001 unknown campaign, RT002 not a draft.';
