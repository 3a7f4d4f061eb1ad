-- Security definer, because views call it with the role that reads the view. Where PostgreSQL compiles plans that look
-- expensive, compiling this one took four seconds. So would the plan of a view over a thousand rows: hence 10.
create or replace function retoma_internal.campaign_waits(
  out campaign_id int, out cause text, out reason text, out waits_until timestamptz
) returns setof record
language sql volatile security definer rows 10
set search_path to pg_catalog, pg_temp
set jit to off
begin atomic
  select w.campaign_id, w.cause, w.reason, w.waits_until from retoma_internal.campaign_wait as w;
end;

comment on function retoma_internal.campaign_waits() is 'The rows of campaign_wait, for views that every role reads.';
