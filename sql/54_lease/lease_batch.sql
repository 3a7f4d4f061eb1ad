-- Locks the pacing row of the channel, so that leases of one channel are counted in turn. Then locks a batch that no
-- other transaction has locked. The open zones of its campaigns are tried in turn. The campaign that waited longest
-- comes first. A lease that the runner does not know ends here: the reply that gave it was lost.
create or replace function retoma.lease_batch(
  p_runner_id uuid,
  p_channel_id int,
  p_holding bigint[] default '{}',
  out batch_id bigint,
  out lease_epoch int,
  out reserved int,
  out lease_s double precision,
  out campaign text,
  out contents jsonb,
  out media jsonb,
  out channel text,
  out transport text,
  out settings jsonb,
  out max_in_flight int,
  out may_lease_more boolean
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
set enable_seqscan to off
set jit to off
as $$
declare
  v_now timestamptz := retoma.clock();
  v_lease interval := (select s.lease_duration from retoma.setting as s);
  v_campaign_id int;
begin
  perform retoma_internal.insist_on_durability();
  perform from retoma_internal.runner as r where r.id = p_runner_id and r.stopped_at is null;
  if not found then
    raise exception using errcode = 'RT001', constraint = 'unknown_runner',
      message = format('runner %s is not registered', p_runner_id), hint = 'Call retoma.register_runner first';
  end if;
  perform from retoma_internal.channel_pacing as p where p.channel_id = p_channel_id for update;
  perform retoma_internal.end_lease(own.id, 'released')
  from (
    select b.id from retoma_internal.batch as b
    where b.status = 'leased' and b.lease_channel_id = p_channel_id and b.runner_id = p_runner_id
      and b.id <> all(p_holding)
    for update skip locked
  ) as own;
  perform from retoma_internal.channels_that_can_lease(v_now) as c (id)
  where c.id = p_channel_id and not exists (
    select from retoma_internal.channel_refusal as f where (f.channel_id, f.runner_id) = (p_channel_id, p_runner_id)
  );
  if found then
    batch_id := retoma_internal.pick_batch(p_channel_id, v_now);
  end if;
  if batch_id is null then
    return;
  end if;
  update retoma_internal.batch as b
  set
    status = 'leased', lease_epoch = b.lease_epoch + 1, lease_expires_at = v_now + v_lease, leased_at = v_now,
    runner_id = p_runner_id, lease_channel_id = p_channel_id,
    used_channel_id = case when b.reserved = 0 or b.used_channel_id = p_channel_id then p_channel_id end,
    settings_version = (select c.settings_version from retoma_internal.channel as c where c.id = p_channel_id)
  where b.id = lease_batch.batch_id
  returning b.lease_epoch, b.reserved, b.campaign_id into lease_epoch, reserved, v_campaign_id;
  update retoma_internal.campaign_channel as cc set last_leased_at = v_now
  where cc.campaign_id = v_campaign_id and cc.channel_id = p_channel_id;
  lease_s := extract(epoch from v_lease);
  select c.name, retoma_internal.contents_of(c.id), retoma_internal.lease_media(c.id, p_channel_id)
  into campaign, contents, media
  from retoma_internal.campaign as c where c.id = v_campaign_id;
  select c.name, c.transport, c.settings, c.max_in_flight into channel, transport, settings, max_in_flight
  from retoma_internal.channel as c where c.id = p_channel_id;
  may_lease_more := exists (
    select from retoma_internal.channels_that_can_lease(v_now) as c (id) where c.id = p_channel_id
  );
end;
$$;

comment on function retoma.lease_batch(uuid, int, bigint[]) is
'For runners: leases a batch of the channel, and returns everything that is needed to send it: the contents of
its variants, each with its Liquid texts (as in contents_to_check), and the settings of the channel with their
credentials. contents: [{"content": {…}, "texts": […]}, …], nearly always one. batch_id is null when no
batch can be leased now, or this runner has refused the channel; the doorbell rings when one can. p_holding: batches
that this runner already holds on the channel; each other lease that it has there is ended.
media: null, or a JSON array of what takes the place of {"file": …} when a content is rendered. path: names, and indexes
from 0, of this object; file: its name; value: {"id": …} of the provider, or {"mimetype": …, "sha256": …} of a file
whose bytes go along: then data, in base64, takes the place of sha256 (see medium_bytes).
lease_epoch: for every later call about this batch. reserved: its high-water mark. lease_s: seconds until the lease
expires when no call renews it. max_in_flight: requests that may be under way at once. may_lease_more: whether the
channel allows another lease now (channel.max_leases).
Error RT001: the runner is not registered.';
