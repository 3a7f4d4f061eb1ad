-- Locks out other calls of media_add and media_remove, then the file. A campaign that is being created holds a lock on
-- the file, and is seen after it.
create or replace function retoma.media_remove(p_name text) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '30s'
as $$
declare
  v_medium retoma_internal.medium;
  v_campaigns text;
begin
  perform retoma_internal.insist_on_read_committed();
  lock table retoma_internal.medium in share row exclusive mode;
  select m.* into v_medium from retoma_internal.medium as m where m.name = trim(p_name) for update;
  if not found then
    raise exception using errcode = 'RT001', constraint = 'unknown_medium',
      message = format('there is no file %L', left(p_name, 200)), hint = 'retoma.v_medium lists the files';
  end if;
  select retoma_internal.listed(array_agg(distinct c.name order by c.name)) into v_campaigns
  from retoma_internal.campaign_medium as u
  inner join retoma_internal.campaign as c on u.campaign_id = c.id
  where u.name = v_medium.name and c.status not in ('completed', 'cancelled');
  if v_campaigns is not null then
    raise exception using errcode = 'RT002', constraint = 'medium_in_use',
      message = format('the file %L is said by the campaigns %s', v_medium.name, v_campaigns),
      hint = 'Wait until they are completed, or cancel them';
  end if;
  delete from retoma_internal.medium as m where m.name = v_medium.name;
  if not exists (select from retoma_internal.medium as m where m.sha256 = v_medium.sha256) then
    delete from retoma_internal.medium_data as d where d.sha256 = v_medium.sha256;
    delete from retoma_internal.medium_upload as u where u.sha256 = v_medium.sha256;
  end if;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
end;
$$;

comment on function retoma.media_remove(text) is
'Removes a stored file. Its bytes go when no other name has them; what was uploaded to a provider stays there until it
expires. Errors: RT001 no such file, RT002 a campaign that is not over says it.';
