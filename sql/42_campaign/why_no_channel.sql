-- Volatile, so that each call takes a new snapshot and sees what was committed while the caller waited for a lock.
create or replace function retoma_internal.why_no_channel(p_campaign_id int) returns text
language sql volatile
begin atomic
  select case
    when bool_or(c.connected and not c.paused and f.fault is null) then null
    else retoma_internal.listed(
      array_agg(
        case
          when c.connected and not c.paused then format('channel %s: %s', c.name, f.fault)
          else format('channel %s is %s', c.name, retoma_internal.channel_state(c))
            || coalesce(': ' || nullif(c.state_reason, retoma_internal.channel_state(c)), '')
        end
        order by c.name
      ),
      '; '
    )
  end
  from retoma_internal.campaign_channel as cc
  inner join retoma_internal.channel as c on cc.channel_id = c.id
  cross join lateral (
    select coalesce(
      min(retoma_internal.template_fault(c.id, t.content)), retoma_internal.medium_fault(c.id, cc.campaign_id)
    ) as fault
    from retoma_internal.campaign_content as t where t.campaign_id = cc.campaign_id
  ) as f
  where cc.campaign_id = p_campaign_id;
end;

comment on function retoma_internal.why_no_channel(int) is
'Why no channel of the campaign can send: the state of each, or of the template or a file on it, in words. Null when
one can.';
