-- Takes no lock: what a recipient gets depends only on the content and the recipient, so two runners can render the
-- same page. record_rendering takes the first answer.
create or replace function retoma.recipients_to_render(
  p_after_campaign int default 0,
  p_limit int default 1000,
  out campaign_id int,
  out variant int,
  out list int,
  out after_ordinal int,
  out content jsonb,
  out texts jsonb,
  out recipients jsonb,
  out through_ordinal int,
  out sends boolean
) returns setof record
language sql stable security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select
    t.campaign_id,
    t.variant,
    t.list,
    d.rendered,
    t.content,
    t.texts,
    (
      select coalesce(jsonb_agg(jsonb_build_array(m.ordinal, m.phone, m.variables) order by m.ordinal), '[]')
      from retoma_internal.message as m
      where m.campaign_id = d.campaign_id
        and m.ordinal > d.rendered and m.ordinal <= d.rendered + retoma_internal.portion(p_limit)
        and retoma_internal.variant_of(retoma_internal.message_id(c.token, m.ordinal), c.variant_bounds) = d.variant
    ),
    least(d.rendered + p_limit, c.total),
    d.status in ('running', 'paused', 'interrupted')
  from retoma_internal.contents_to_render(p_after_campaign, 1) as d
  inner join retoma_internal.campaign as c on d.campaign_id = c.id
  inner join retoma_internal.campaign_content as t on d.campaign_id = t.campaign_id and d.variant = t.variant;
end;

comment on function retoma.recipients_to_render(int, int) is
'For runners: of the first campaign behind p_after_campaign that has some, recipients for whom no runner
has rendered the content, of the next p_limit. Render it for each, send nothing, and answer with record_rendering. No
row: there are none.
recipients: [[ordinal, phone, variables], …], those behind after_ordinal and up to through_ordinal who get this variant;
there may be none. after_ordinal, through_ordinal, list: to be given back.
content, texts: as in contents_to_check. sends: the campaign was started already, so that its sending goes first: ask
once per tick. Error RT003: p_limit is not from 1 to 10000.';
