-- BEFORE INSERT OR UPDATE.
create or replace function retoma_internal.setting_guard() returns trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  perform retoma_internal.check_interval('lease_duration', new.lease_duration, '1 second', '1 hour');
  perform retoma_internal.check_interval('lookup_after', new.lookup_after, '1 second', '1 day');
  perform retoma_internal.check_interval('retention', new.retention, '1 day', '100 years');
  perform retoma_internal.check_interval('addresses_kept', new.addresses_kept, '1 hour', '1 year');
  perform retoma_internal.check_interval('audit_retention', new.audit_retention, '90 days', '100 years');
  return new;
end;
$$;

comment on function retoma_internal.setting_guard() is 'Trigger: refuses a setting that is out of its bounds (RT003).';

create or replace trigger setting_guard before insert or update on retoma.setting
for each row execute function retoma_internal.setting_guard();
