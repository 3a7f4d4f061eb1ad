-- Locks the campaign's cap, if it has one.
create or replace function retoma.set_daily_cap(p_campaign text, p_cap int) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_id int := (retoma_internal.find_campaign(p_campaign)).id;
begin
  if p_cap <= 0 then
    raise exception using errcode = 'RT003', constraint = 'out_of_range',
      message = format('%s is not a number of messages a day', p_cap),
      hint = 'Give a number greater than 0, or null for no cap';
  end if;
  if p_cap is null then
    delete from retoma_internal.campaign_rule as r where r.campaign_id = v_id and r.kind = 'daily_cap';
  else
    insert into retoma_internal.campaign_rule (campaign_id, kind, cap) values (v_id, 'daily_cap', p_cap)
    on conflict (campaign_id) where kind = 'daily_cap' do update set cap = excluded.cap;
  end if;
end;
$$;

comment on function retoma.set_daily_cap(text, int) is
'The campaign sends at most this many messages per day, over all its channels; null: no cap.
Errors: RT001 unknown campaign, RT003 bad value.';
