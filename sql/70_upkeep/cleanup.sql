-- Locks the campaigns that it erases and, when it can drop a partition, the whole partition. When it does not get that
-- lock within 200 ms, it leaves the partition to the next call, so that no reader queues behind it.
create or replace function retoma.cleanup(
  p_retention interval,
  out campaigns int,
  out partitions int,
  out events bigint,
  out replies bigint,
  out runners int
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
declare
  v_now timestamptz := retoma.clock();
begin
  perform retoma_internal.insist_on_read_committed();
  -- Receipts can arrive days later.
  perform retoma_internal.check_interval('a retention', p_retention, '1 day', '100 years');
  delete from retoma_internal.limit_use as u
  using retoma_internal.limit_rule as l
  where u.limit_id = l.id and u.slot < retoma_internal.limit_counts_from(l, v_now - interval '1 day');
  campaigns := retoma_internal.erase_campaigns(v_now - p_retention);
  delete from retoma_internal.event as e where e.at < v_now - (select s.audit_retention from retoma.setting as s);
  get diagnostics events = row_count;
  -- Before the replies, as in learn_aliases.
  delete from retoma_internal.alias as a
  using (
    select o.space, o.address from retoma_internal.alias as o
    where o.seen_at < v_now - greatest(p_retention, (select s.retention from retoma.setting as s))
    for update skip locked
  ) as old
  where a.space = old.space and a.address = old.address;
  -- One that waits for a person is not erased because somebody calls this with a short retention.
  delete from retoma_internal.reply as r
  where r.received_at < v_now - case
    when r.state = 'waiting' then greatest(p_retention, (select s.retention from retoma.setting as s)) else p_retention
  end;
  get diagnostics replies = row_count;
  delete from retoma_internal.number_check as n
  where n.asked_at < v_now - (select s.addresses_kept from retoma.setting as s);
  delete from retoma_internal.confirmation as c where c.requested_at < v_now - p_retention;
  delete from retoma_internal.receipt_inbox as i where i.received_at < v_now - interval '1 day';
  delete from retoma_internal.runner as r
  where r.last_seen_at < v_now - interval '1 day'
    and not exists (select from retoma_internal.batch as b where b.runner_id = r.id);
  get diagnostics runners = row_count;
  -- Last, because every step waits from here until the commit.
  partitions := retoma_internal.drop_partitions();
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
end;
$$;

comment on function retoma.cleanup(interval) is
'For operators: erases the recipients and deliveries of campaigns that ended longer ago than p_retention, 1 day to 100
years; their totals stay. Also erases confirmations and replies of that age (those that wait for a person: not before
setting.retention), links between addresses and numbers that no provider has named for setting.retention, events of the
audit that are older than setting.audit_retention, answers about numbers that are older than setting.addresses_kept, and
rows of dead runners. Returns how many campaigns, partitions, events, replies and runners. Error RT003: the retention is
out of bounds.';
