create or replace function retoma_internal.number_is_known(p_check retoma_internal.number_check) returns boolean
language sql stable
begin atomic
  select
    ((p_check).found is not null and (p_check).checked_at > retoma.clock() - s.addresses_kept)
    or (p_check).tries >= 3
  from retoma.setting as s;
end;

comment on function retoma_internal.number_is_known(retoma_internal.number_check) is
'Whether no provider has to be asked about the number: an answer counts, or three questions had none.';
