"""ring: the doorbell, one waiting procrastinate job per channel, never lost."""

from concurrent.futures import ThreadPoolExecutor

import psycopg

from tests.support.campaigns import Db, call, doorbells, make_campaign, make_channel, silence, tick
from tests.support.waiting import wait_until

FETCH = "select id from procrastinate.procrastinate_fetch_job_v2(array['retoma'], %s)"


def test_a_channel_has_one_waiting_job_however_often_it_is_rung(db: Db) -> None:
    sales, support = make_channel(db, "sales"), make_channel(db, "support")

    db.execute("select retoma.ring(array[%s, %s, %s]::int[])", (support, sales, sales))
    db.execute("select retoma.ring(array[%s]::int[])", (sales,))

    assert doorbells(db) == [sales, support]


def test_ringing_nobody_is_harmless(db: Db) -> None:
    db.execute("select retoma.ring(null)")
    db.execute("select retoma.ring('{}')")

    assert doorbells(db) == []


def test_a_job_is_the_task_of_the_runner_in_its_queue(db: Db) -> None:
    channel = make_channel(db)

    db.execute("select retoma.ring(array[%s]::int[])", (channel,))

    row = db.execute(
        "select queue_name, task_name, lock, queueing_lock, args, status::text"
        " from procrastinate.procrastinate_jobs"
    ).fetchone()
    expected = ("retoma", "retoma.drain_channel", None, f"retoma:{channel}", {"channel_id": channel}, "todo")
    assert row == expected


def test_a_waiting_worker_is_notified_at_commit(db: Db, database: str) -> None:
    channel = make_channel(db)
    with psycopg.connect(database, autocommit=True) as worker:
        worker.execute('listen "procrastinate_queue_v1#retoma"')
        db.execute("select retoma.ring(array[%s]::int[])", (channel,))
        assert len(list(worker.notifies(timeout=60, stop_after=1))) == 1


def test_a_ring_during_the_fetch_of_the_waiting_job_is_not_lost(db: Db, database: str) -> None:
    channel = make_channel(db)
    silence(db)
    db.execute("select retoma.ring(array[%s]::int[])", (channel,))
    worker_id = call(db, "insert into procrastinate.procrastinate_workers default values returning id")
    with psycopg.connect(database) as worker, ThreadPoolExecutor(1) as pool:
        first = call(worker, FETCH, worker_id)

        ringing = pool.submit(db.execute, "select retoma.ring(array[%s]::int[])", (channel,))
        wait_until(lambda: _waits_for_a_lock(worker, db.info.backend_pid))
        worker.commit()
        ringing.result(timeout=60)

        second = call(worker, FETCH, worker_id)
    assert second is not None
    assert second != first


def test_a_ring_that_commits_after_the_fetch_leaves_a_new_job(db: Db, database: str) -> None:
    channel = make_channel(db)
    db.execute("select retoma.ring(array[%s]::int[])", (channel,))
    with psycopg.connect(database) as operator:
        operator.execute("select retoma.ring(array[%s]::int[])", (channel,))
        # The waiting job is locked by the ring, so that the worker passes over it rather than takes it away.
        assert call(db, FETCH, 1) is None
        operator.commit()
    assert doorbells(db) == [channel]


def test_a_ring_passes_over_a_channel_that_an_open_transaction_rings(db: Db, database: str) -> None:
    sales, support = make_channel(db, "sales"), make_channel(db, "support")
    db.execute("set lock_timeout = '60 s'")
    with psycopg.connect(database) as operator:
        operator.execute("select retoma.ring(array[%s]::int[])", (sales,))

        db.execute("select retoma.ring(array[%s, %s]::int[])", (sales, support))

        assert doorbells(db) == [support]
    assert doorbells(db) == [sales, support]


def test_a_channel_that_was_passed_over_is_rung_by_the_next_tick(db: Db, database: str) -> None:
    channel = make_channel(db)
    make_campaign(db, start=False)
    with psycopg.connect(database) as operator:
        operator.execute("select retoma.ring(array[%s]::int[])", (channel,))
        db.execute("select retoma.start_campaign('natal')")
        operator.rollback()
    assert doorbells(db) == []

    tick(db)

    assert doorbells(db) == [channel]


def test_contract_the_table_and_index_of_procrastinate_that_ring_relies_on(db: Db) -> None:
    columns = db.execute(
        """
        select a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull and not a.atthasdef
        from pg_attribute as a
        where a.attrelid = 'procrastinate.procrastinate_jobs'::regclass
          and a.attnum > 0 and not a.attisdropped
        """
    ).fetchall()
    types = {name: kind for name, kind, _ in columns}

    assert types["queue_name"] == types["task_name"] == "character varying(128)"
    assert types["queueing_lock"] == "text"
    assert types["args"] == "jsonb"
    assert types["worker_id"] == "bigint"
    # Columns that must be given are just those that ring gives.
    assert {name for name, _, required in columns if required} == {"queue_name", "task_name"}
    index = call(
        db,
        "select pg_get_indexdef('procrastinate.procrastinate_jobs_queueing_lock_idx_v1'::regclass)",
    )
    assert index.startswith("CREATE UNIQUE INDEX")
    assert index.endswith("(queueing_lock) WHERE (status = 'todo'::procrastinate.procrastinate_job_status)")
    statuses = db.execute("select unnest(enum_range(null::procrastinate.procrastinate_job_status))::text")
    assert {"todo", "doing"} <= {row[0] for row in statuses}


def test_contract_functions_of_procrastinate_work_from_any_session(db: Db) -> None:
    unpinned = db.execute(
        "select oid::regprocedure::text from pg_proc where pronamespace = 'procrastinate'::regnamespace"
        " and prokind = 'f' and not coalesce(proconfig, '{}') @> array['search_path=procrastinate, pg_temp']"
    ).fetchall()
    assert unpinned == []


def _waits_for_a_lock(observer: Db, pid: int) -> bool:
    return bool(call(observer, "select cardinality(pg_blocking_pids(%s)) > 0", pid))
