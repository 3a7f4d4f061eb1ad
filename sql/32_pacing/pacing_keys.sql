create or replace function retoma_internal.pacing_keys() returns text[]
language sql immutable parallel safe
begin atomic
  select
    '{gap_min_s,gap_max_s,batch_gap_min_s,batch_gap_max_s,rate_per_s,burst,max_in_flight,max_leases}'::text[];
end;

comment on function retoma_internal.pacing_keys() is 'The keys that a pacing patch can have.';
