-- Locks the upload, then the campaigns that say the file. An answer that comes after another runner has had its turn is
-- ignored.
create or replace function retoma.record_upload(
  p_channel_id int, p_sha256 bytea, p_asked_at timestamptz, p_provider_id text, p_fault text default null
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
begin
  perform retoma_internal.insist_on_read_committed();
  if (p_provider_id is null) = (coalesce(p_fault, '') = '') or length(p_provider_id) not between 1 and 500 then
    raise exception using errcode = 'RT003', constraint = 'bad_upload',
      message = 'an upload gives either the id of the provider, or why there is none',
      hint = 'Give an id of 1 to 500 characters, or null and a fault';
  end if;
  perform from retoma_internal.medium_upload as u
  where u.channel_id = p_channel_id and u.sha256 = p_sha256 and u.asked_at = p_asked_at
  for no key update;
  if not found then
    return;
  end if;
  if p_provider_id is null then
    update retoma_internal.medium_upload as u
    set fault = left(retoma_internal.mask_numbers(p_fault), 500), next_at = retoma.clock() + interval '2 minutes'
    where u.channel_id = p_channel_id and u.sha256 = p_sha256;
  else
    update retoma_internal.medium_upload as u
    set
      provider_id = p_provider_id, fault = null, uploaded_at = retoma.clock(), next_at = retoma.clock(),
      expires_at = p_asked_at + t.keeps_media_for
    from retoma_internal.channel as h
    inner join retoma.transport as t on h.transport = t.name
    where u.channel_id = p_channel_id and u.sha256 = p_sha256 and h.id = p_channel_id;
  end if;
  perform retoma_internal.reconcile_media(p_channel_id, p_sha256);
end;
$$;

comment on function retoma.record_upload(int, bytea, timestamptz, text, text) is
'For runners: the answer to media_to_upload. Give one of the two: p_provider_id, under which the provider knows the
file, or null and p_fault, why it could not be uploaded, in words. The id is good for transport.keeps_media_for, and is
renewed before. After a fault the campaigns that wait for the file are interrupted, it is uploaded again after 2
minutes, and they continue. Error RT003: both or neither given.';
