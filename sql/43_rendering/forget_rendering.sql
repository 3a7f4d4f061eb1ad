create or replace function retoma_internal.forget_rendering(p_campaign_id int) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  delete from retoma_internal.render_fault as f where f.campaign_id = p_campaign_id;
  update retoma_internal.campaign_content as t set rendered = 0, tried = 0, list = t.list + 1
  where t.campaign_id = p_campaign_id;
end;
$$;

comment on function retoma_internal.forget_rendering(int) is
'A draft gets another list: what was rendered for the old one counts no more, nor does what is being rendered now.';
