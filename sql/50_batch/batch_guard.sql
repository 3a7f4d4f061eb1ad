-- BEFORE UPDATE. Called only when the status changes, or the epoch or the position goes back: an ordinary step of a
-- leased batch does not call it.
create or replace function retoma_internal.batch_guard() returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if new.reserved < old.reserved or new.lease_epoch < old.lease_epoch then
    raise exception using errcode = 'RT002', constraint = 'batch_goes_back',
      message = format('batch %s cannot go back: reserved %s to %s, epoch %s to %s',
        old.id, old.reserved, new.reserved, old.lease_epoch, new.lease_epoch),
      hint = 'A position or an epoch only grows, so that no message is sent twice';
  end if;
  if new.status <> old.status and (
    not (old.status || '>' || new.status) = any(array[
      'ready>leased', 'ready>cancelled', 'ready>completed', 'leased>ready', 'leased>completed', 'leased>cancelled'
    ])
    or new.lease_epoch = old.lease_epoch
  ) then
    raise exception using errcode = 'RT002', constraint = 'wrong_status',
      message = format('batch %s cannot go from %s (epoch %s) to %s (epoch %s)',
        old.id, old.status, old.lease_epoch, new.status, new.lease_epoch),
      hint =
        'Leases begin and end through lease_batch, advance_batch, release_batch and tick, with a new epoch each time';
  end if;
  return new;
end;
$$;

comment on function retoma_internal.batch_guard() is
'Trigger: refuses changes of status that are not allowed or keep the epoch, and a position or an epoch that goes back
(RT002).';

create or replace trigger batch_guard before update on retoma_internal.batch
for each row when (
  old.status <> new.status or new.reserved < old.reserved or new.lease_epoch < old.lease_epoch
) execute function retoma_internal.batch_guard();
