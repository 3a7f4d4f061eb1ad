-- In the order in which apply_error locks for their classes. An outcome that is already recorded is left out.
create or replace function retoma_internal.error_groups(
  p_batch retoma_internal.batch,
  p_transport text,
  p_outcomes jsonb,
  out rule retoma.error_rule,
  out ordinals int[],
  out http_status smallint,
  out retry_after_s double precision
) returns setof record
language sql stable
begin atomic
  select
    r, array_agg(o.ordinal order by o.ordinal), max(o.http_status)::smallint,
    case when max(o.retry_after_s) is not null then least(max(o.retry_after_s), 86400) end
  from (
    select distinct on (e.ordinal) e.*
    from jsonb_to_recordset(p_outcomes) as e (
      ordinal int, status text, code text, written boolean, http_status int, retry_after_s double precision
    )
    where e.status = 'error'
    order by e.ordinal, e.code
  ) as o
  cross join lateral retoma_internal.classify(p_transport, o.code, p_written => o.written) as r
  where not exists (
    select from retoma_internal.delivery as d
    where d.campaign_id = (p_batch).campaign_id and d.ordinal = o.ordinal and d.attempt = (p_batch).attempt
  )
  group by r, o.code, o.written
  order by min(array_position(array['rate_limited_channel', 'channel_down', 'auth'], r.class));
end;

comment on function retoma_internal.error_groups(retoma_internal.batch, text, jsonb) is
'The errors among p_outcomes in groups of equal errors, each with its rule. retry_after_s: seconds that the provider
asked for, a day at most; null: not said.';
