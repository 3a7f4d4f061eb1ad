-- Witnesses inside the database that share no code with the product. They write in the transaction that they watch, so a line of
-- theirs is there exactly when the reservation or the outcome is. The sessions of runners say who they are by chaos.runner.
create schema chaos;

create table chaos.step (
  seq bigint generated always as identity primary key,
  xid xid8 not null default pg_current_xact_id(),
  started timestamptz not null default transaction_timestamp(),
  at timestamptz not null default clock_timestamp(),
  writer text not null default coalesce(current_setting('chaos.runner', true), ''),
  batch_id bigint not null,
  runner_id uuid,
  channel_id int,
  old_status text not null,
  new_status text not null,
  old_epoch int not null,
  new_epoch int not null,
  old_reserved int not null,
  new_reserved int not null
);

create table chaos.outcome (
  seq bigint generated always as identity primary key,
  xid xid8 not null default pg_current_xact_id(),
  writer text not null default coalesce(current_setting('chaos.runner', true), ''),
  batch_id bigint not null,
  campaign_id int not null,
  ordinal int not null,
  attempt int not null,
  epoch int not null,
  outcome text not null,
  code text
);

create function chaos.watch_batch() returns trigger language plpgsql security definer set search_path to pg_catalog, pg_temp as $$
begin
  insert into chaos.step (
    batch_id, runner_id, channel_id, old_status, new_status, old_epoch, new_epoch, old_reserved, new_reserved
  ) values (
    new.id, coalesce(old.runner_id, new.runner_id), coalesce(old.lease_channel_id, new.lease_channel_id),
    old.status, new.status, old.lease_epoch, new.lease_epoch, old.reserved, new.reserved
  );
  return null;
end;
$$;

create trigger chaos_watch after update on retoma_internal.batch for each row execute function chaos.watch_batch();

create function chaos.watch_delivery() returns trigger language plpgsql security definer set search_path to pg_catalog, pg_temp as $$
begin
  insert into chaos.outcome (batch_id, campaign_id, ordinal, attempt, epoch, outcome, code)
  values (new.batch_id, new.campaign_id, new.ordinal, new.attempt, new.lease_epoch, new.outcome, new.code);
  return null;
end;
$$;

create trigger chaos_watch after insert on retoma_internal.delivery for each row execute function chaos.watch_delivery();
