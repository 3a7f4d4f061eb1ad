create or replace function retoma.refresh_channel(p_channel text, p_about text default null) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_channel_id int;
begin
  v_channel_id := (retoma_internal.find_channel(p_channel)).id;
  if p_about not in ('account', 'templates') then
    raise exception using errcode = 'RT003', constraint = 'not_read',
      message = format('no provider is asked for %L', left(p_about, 100)),
      hint = 'Give account, templates, or null for both';
  end if;
  perform from retoma_internal.reading as r
  where r.channel_id = v_channel_id and r.about = coalesce(p_about, r.about)
  order by r.about
  for no key update;
  update retoma_internal.reading as r set next_at = least(r.next_at, retoma.clock())
  where r.channel_id = v_channel_id and r.about = coalesce(p_about, r.about);
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
end;
$$;

comment on function retoma.refresh_channel(text, text) is
'A live runner asks the provider of a channel again within half a minute. p_about: account, templates, or null for both.
What the provider is never asked for (transport_reading) stays so. Errors: RT001 unknown channel, RT003 another word.';
