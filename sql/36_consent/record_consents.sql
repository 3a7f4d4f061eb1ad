-- Locks the rows of the numbers in the order of their keys, as suppress_messages does.
create or replace function retoma_internal.record_consents(
  p_phones text[], p_given boolean, p_source text, p_reason text, p_at timestamptz
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_phone text;
begin
  perform retoma_internal.insist_on_read_committed();
  for v_phone in
    select u.phone from unnest(p_phones) as u (phone)
    where retoma_internal.is_e164(u.phone)
    order by retoma_internal.suppression_key(u.phone), u.phone
  loop
    perform retoma_internal.record_consent(v_phone, p_given, p_source, p_reason, p_at);
  end loop;
end;
$$;

comment on function retoma_internal.record_consents(text[], boolean, text, text, timestamptz) is
'record_consent for those of p_phones that are E.164 numbers.';
