create or replace function retoma_internal.unpaced_per_hour() returns double precision
language sql immutable parallel safe
begin atomic
  select 3600000::double precision;
end;

comment on function retoma_internal.unpaced_per_hour() is
'Messages per hour that a forecast assumes for a channel without pacing: 1,000 per second.';
