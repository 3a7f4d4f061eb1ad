-- Takes effect at the next reservation of any runner. Locks only the row of the number.
create or replace function retoma.opt_in(p_phone text, p_source text, p_at timestamptz default null) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
begin
  perform retoma_internal.check_phone(p_phone);
  perform retoma_internal.check_source(p_source);
  perform retoma_internal.record_consent(p_phone, true, p_source, 'opt_out', p_at);
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
end;
$$;

comment on function retoma.opt_in(text, text, timestamptz) is
'The person agreed (again) to be contacted: removes this E.164 number, in all its forms, from the suppression list and
keeps the proof. p_source: where the person agreed, for the record, in up to 500
characters. p_at: when; now by default. When it is older than an
opt-out, it is kept as proof and changes nothing. Error RT003: not an E.164 number, no source, or a time that is none.';
