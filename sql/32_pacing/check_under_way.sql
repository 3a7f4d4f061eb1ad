create or replace function retoma_internal.check_under_way(
  p_channel retoma_internal.channel, p_gap_max interval
) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
begin
  if p_gap_max > '0 s' and greatest(p_channel.max_in_flight, p_channel.max_leases) > 1 then
    raise exception using errcode = 'RT003', constraint = 'gaps_allow_one',
      message = format(
        'channel %L has gaps between messages, so only one can be under way, not %s in each of %s batches',
        p_channel.name, p_channel.max_in_flight, p_channel.max_leases
      ),
      hint = 'Give max_in_flight 1 and max_leases 1; or gap_min_s 0 and gap_max_s 0, and a rate';
  end if;
end;
$$;

comment on function retoma_internal.check_under_way(retoma_internal.channel, interval) is
'Error RT003 when a channel with gaps between messages allows more than one request under way, or more than one lease.';
