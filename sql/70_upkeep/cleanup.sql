-- Locks the campaigns that it erases and, when it can drop a partition, the whole partition. When it does not get that
-- lock within 200 ms, it leaves the partition to the next call, so that no reader queues behind it.
create or replace function retoma.cleanup(
  p_retention interval default null,
  out campaigns int,
  out partitions int,
  out events bigint,
  out replies bigint,
  out runners int
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := retoma.clock();
  v_retention interval := coalesce(p_retention, (select s.retention from retoma.setting as s));
begin
  if v_retention < '1 day' then
    raise exception using errcode = 'RT003', constraint = 'out_of_range',
      message = format('a retention of %s is too short', v_retention),
      hint = 'Receipts can arrive days later: keep at least ''1 day''';
  end if;
  delete from retoma_internal.limit_use as u
  using retoma_internal.limit_rule as l
  where u.limit_id = l.id and u.slot < retoma_internal.limit_counts_from(l, v_now - interval '1 day');
  campaigns := retoma_internal.erase_campaigns(v_now - v_retention);
  delete from retoma_internal.event as e
  where e.at < v_now - greatest(v_retention, (select s.retention from retoma.setting as s));
  get diagnostics events = row_count;
  -- One that waits for a person is not erased because somebody calls this with a short retention.
  delete from retoma_internal.reply as r
  where r.received_at < v_now - case
    when r.state = 'waiting' then greatest(v_retention, (select s.retention from retoma.setting as s)) else v_retention
  end;
  get diagnostics replies = row_count;
  delete from retoma_internal.receipt_inbox as i where i.received_at < v_now - interval '1 day';
  delete from retoma_internal.runner as r
  where r.last_seen_at < v_now - interval '1 day'
    and not exists (select from retoma_internal.batch as b where b.runner_id = r.id);
  get diagnostics runners = row_count;
  -- Last, because every step waits from here until the commit.
  partitions := retoma_internal.drop_partitions();
end;
$$;

comment on function retoma.cleanup(interval) is
'Erases the recipients and deliveries of campaigns that ended longer ago than p_retention (default setting.retention, 90
days; their totals stay), old audit events, old replies, and rows of dead runners. Runners call it every hour. Returns
how many campaigns, partitions, events, replies and runners. Error RT003: a retention of less than 1 day.';
