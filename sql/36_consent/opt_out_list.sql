-- Locks the rows of the numbers in the order of their keys, until the commit: give a few thousand numbers per call.
create or replace function retoma.opt_out_list(
  p_phones text[],
  p_source text default 'operator',
  p_reason text default 'opt_out',
  p_at timestamptz default null,
  out place bigint,
  out phone text
) returns setof record
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
begin
  perform retoma_internal.check_reason(p_reason);
  perform retoma_internal.record_consents(p_phones, false, coalesce(p_source, 'operator'), p_reason, p_at);
  return query select b.place, b.phone from retoma_internal.bad_phones(p_phones) as b;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
end;
$$;

comment on function retoma.opt_out_list(text[], text, text, timestamptz) is
'opt_out for a list. What is not an E.164 number is returned, with its place from 1, and keeps no other number from
being recorded. Error RT003: another reason, or a time that is none.';
