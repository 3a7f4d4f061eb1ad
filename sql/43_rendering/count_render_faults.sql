create or replace function retoma_internal.count_render_faults(p_campaign_id int, p_variant int, p_faults jsonb)
returns void
language sql volatile
begin atomic
  insert into retoma_internal.render_fault as r (campaign_id, variant, code, reason, messages, first_ordinal)
  select
    p_campaign_id,
    p_variant,
    v.code,
    v.reason,
    sum(v.messages),
    min(v.first_ordinal)
  from (
    select
      f.code,
      case
        when k.known or k.reasons + row_number() over (order by f.first_ordinal) <= 50 then left(f.reason, 300)
        else 'other reasons'
      end as reason,
      f.messages,
      f.first_ordinal
    from jsonb_to_recordset(p_faults) as f (code text, reason text, messages int, first_ordinal int)
    cross join lateral (
      select count(*) as reasons, coalesce(bool_or((r.code, r.reason) = (f.code, left(f.reason, 300))), false) as known
      from retoma_internal.render_fault as r
      where r.campaign_id = p_campaign_id and r.variant = p_variant
    ) as k
  ) as v
  group by v.code, v.reason
  on conflict (campaign_id, variant, code, reason) do update
  set
    messages = r.messages + excluded.messages,
    first_ordinal = least(r.first_ordinal, excluded.first_ordinal);
end;

comment on function retoma_internal.count_render_faults(int, int, jsonb) is
'Adds messages that cannot be made to those that are counted, per code and reason.';
