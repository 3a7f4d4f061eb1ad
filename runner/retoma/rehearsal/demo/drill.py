"""The middle of the demo: the campaign runs, a runner is killed, and the campaign goes on."""

import datetime
import time

from retoma.errors import RetomaError
from retoma.monitor.display import Display
from retoma.monitor.snapshot import Snapshot, take
from retoma.rehearsal.demo.names import LOOK_S, LOOKUP_AFTER_S, RUNNERS, STALLED_S, Connection
from retoma.rehearsal.processes import Processes


def follow(
    connection: Connection,
    campaign: str,
    children: Processes,
    shown: Display,
    *,
    kill: bool,
    looks_up_soon: bool,
) -> None:
    """Show the campaign until it is over and no doubt can still be settled; kill a runner halfway.

    Args:
        children: has the runners.
        kill: whether one of them is killed.
        looks_up_soon: whether it is worth waiting for lookups of messages in doubt.

    Raises:
        RetomaError: nothing moves any more, or a process ended by itself.
    """
    moved_at, moved = time.monotonic(), -1
    completed_at: float | None = None
    killed: _Killed | None = None
    while True:
        snapshot = take(connection, [campaign])
        shown.show(snapshot)
        now, state = time.monotonic(), snapshot.campaigns[0]
        if state.done != moved:
            moved_at, moved = now, state.done
        if kill and killed is None and state.done >= state.total / 2 and state.sending:
            killed = _kill_one(connection, campaign, children, shown, snapshot)
        if killed is not None:
            killed.tell_recovery(connection, shown)
        children.check()
        if state.is_over:
            if kill and killed is None:
                shown.say("The list was too short to kill a runner halfway.", "yellow")
                kill = False
            completed_at = completed_at or now
            settling = looks_up_soon and state.in_doubt and now - completed_at < 10 * LOOKUP_AFTER_S
            if not settling:
                return
        elif now - moved_at > STALLED_S:
            raise RetomaError(
                f"Nothing has moved for {STALLED_S:.0f} s: {state.status}, {state.reason or 'no reason'}",
                hint=f"See the logs in {children.directory}, and: retoma campaign show '{campaign}'",
            )
        time.sleep(LOOK_S)


class _Killed:
    """A runner that was killed, and the recovery as seen so far."""

    def __init__(self, name: str, campaign: str, at: datetime.datetime) -> None:
        self._name = name
        self._campaign = campaign
        self._at = at
        self._told = 0

    def tell_recovery(self, connection: Connection, shown: Display) -> None:
        rows = connection.execute(
            """
            select e.batch_id, e.code, e.why, extract(epoch from e.at - %s)::float as after_s
            from retoma.v_event as e
            where e.campaign = %s and e.runner = %s and e.to_state = 'reaped' and e.at >= %s
            order by e.id
            """,
            [self._at, self._campaign, self._name, self._at],
        ).fetchall()
        for row in rows[self._told :]:
            why = f"{row['code'].replace('_', ' ')}; {row['why']}"
            shown.say(f"{row['after_s']:.1f} s later: batch {row['batch_id']} is reaped: {why}", "cyan")
        self._told = len(rows)


def _kill_one(
    connection: Connection, campaign: str, children: Processes, shown: Display, snapshot: Snapshot
) -> _Killed:
    row = connection.execute(
        """
        select v.runner, v.leases, retoma.clock() as at from retoma.v_runner as v
        where v.state = 'alive' and v.runner = any(%s)
        order by v.leases desc, v.runner
        limit 1
        """,
        [[name for name in RUNNERS if name in children.running]],
    ).fetchone()
    if row is None:
        raise RetomaError("No runner of the demo is alive.", hint=f"See the logs in {children.directory}")
    pid = children.kill(row["runner"])
    state = snapshot.campaigns[0]
    shown.say(
        f"kill -9 {pid}: {row['runner']} is dead at {state.done:,} of {state.total:,}, with "
        f"{row['leases']} {'batch' if row['leases'] == 1 else 'batches'} in its hands",
        "bold red",
    )
    return _Killed(row["runner"], campaign, row["at"])
