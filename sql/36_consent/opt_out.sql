-- Takes effect at the next reservation of any runner. Locks only the row of the number.
create or replace function retoma.opt_out(
  p_phone text, p_source text default 'operator', p_reason text default 'opt_out', p_at timestamptz default null
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
begin
  perform retoma_internal.check_phone(p_phone);
  perform retoma_internal.check_reason(p_reason);
  perform retoma_internal.record_consent(p_phone, false, coalesce(p_source, 'operator'), p_reason, p_at);
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
end;
$$;

comment on function retoma.opt_out(text, text, text, timestamptz) is
'From now on, no campaign contacts this E.164 number, in any of its forms. p_source: where the person said so, for the
record. p_reason: opt_out, complaint, invalid or imported. p_at: when the person said so; now by default. When it is
older than an opt-in, it is kept as proof and changes nothing. Error RT003: not an E.164 number, another reason, or a
time that is none.';
