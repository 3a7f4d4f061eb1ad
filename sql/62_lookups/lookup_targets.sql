create or replace function retoma_internal.lookup_targets(
  p_channel_id int,
  p_results jsonb,
  out campaign_id int,
  out ordinal int,
  out batch_id bigint,
  out result text,
  out proves boolean
) returns setof record
language sql stable
begin atomic
  select
    d.campaign_id, d.ordinal, d.batch_id, r.result,
    t.absent_proves and h.looks_up and coalesce(d.settings_version = h.settings_version, false)
    and coalesce(d.code, '') <> 'lease_expired' and c.status <> 'cancelled'
    and d.attempt < retoma_internal.most_attempts()
    and not exists (
      select from retoma_internal.delivery as e
      where e.campaign_id = d.campaign_id and e.ordinal = d.ordinal and e.attempt < d.attempt
        and e.settings_version is not null
        and (e.settings_version <> h.settings_version or e.code = 'lease_expired')
    )
  from jsonb_to_recordset(p_results) as r (message_id text, attempt smallint, result text)
  inner join retoma_internal.campaign as c on c.token = left(r.message_id, 24) and r.message_id ~ '^[0-9a-f]{32}$'
  inner join retoma_internal.delivery as d
    on d.campaign_id = c.id and d.ordinal = ('x' || right(r.message_id, 8))::bit(32)::int and d.attempt = r.attempt
  inner join retoma_internal.channel as h on d.channel_id = h.id
  inner join retoma.transport as t on h.transport = t.name
  where d.channel_id = p_channel_id and d.outcome = 'in_doubt';
end;

comment on function retoma_internal.lookup_targets(int, jsonb) is
'The deliveries in doubt of these lookups. proves: "absent" proves that the message was not taken, so it is sent again.
False when the transport says that it proves nothing, this or an earlier attempt was sent with other settings, the
runner of one of them may only be frozen, the campaign was cancelled, or it was sent as often as most_attempts allows.';
