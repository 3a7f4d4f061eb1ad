"""The middle of the demo: the campaigns run, a runner is killed, and the campaigns go on."""

import datetime
import time
from collections.abc import Sequence

from retoma.errors import RetomaError
from retoma.monitor.display import Display
from retoma.monitor.snapshot import Snapshot, take
from retoma.rehearsal.demo.names import LOOK_S, LOOKUP_AFTER_S, RUNNERS, STALLED_S, Connection
from retoma.rehearsal.processes import Processes


def follow(
    connection: Connection,
    campaigns: Sequence[str],
    children: Processes,
    shown: Display,
    *,
    kill: bool,
    looks_up_soon: bool,
) -> None:
    """Show the campaigns until they are over and no doubt can still be settled; kill a runner halfway.

    Args:
        campaigns: their names; half of the first one decides when a runner is killed.
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
        snapshot = take(connection, campaigns)
        shown.show(snapshot)
        now, state = time.monotonic(), snapshot.campaigns[0]
        done = sum(each.done for each in snapshot.campaigns)
        if done != moved:
            moved_at, moved = now, done
        if kill and killed is None and state.done >= state.total / 2 and state.sending:
            killed = _kill_one(connection, campaigns, children, shown, snapshot)
        if killed is not None:
            killed.tell_recovery(connection, shown)
        children.check()
        if all(each.is_over for each in snapshot.campaigns):
            if kill and killed is None:
                shown.say("The list was too short to kill a runner halfway.", "yellow")
                kill = False
            completed_at = completed_at or now
            in_doubt = sum(each.in_doubt for each in snapshot.campaigns)
            settling = looks_up_soon and in_doubt and now - completed_at < 10 * LOOKUP_AFTER_S
            if not settling:
                return
        elif now - moved_at > STALLED_S:
            stuck = next(each for each in snapshot.campaigns if not each.is_over)
            raise RetomaError(
                f"Nothing has moved for {STALLED_S:.0f} s: {stuck.status}, {stuck.reason or 'no reason'}",
                hint=f"See the logs in {children.directory}, and: retoma campaign show '{stuck.name}'",
            )
        time.sleep(LOOK_S)


class _Killed:
    """A runner that was killed, and the recovery as seen so far."""

    def __init__(self, name: str, campaigns: Sequence[str], at: datetime.datetime) -> None:
        self._name = name
        self._campaigns = list(campaigns)
        self._at = at
        self._told = 0

    def tell_recovery(self, connection: Connection, shown: Display) -> None:
        rows = connection.execute(
            """
            select e.batch_id, e.code, e.why, extract(epoch from e.at - %s)::float as after_s
            from retoma.v_event as e
            where e.campaign = any(%s) and e.runner = %s and e.to_state = 'reaped' and e.at >= %s
            order by e.id
            """,
            [self._at, self._campaigns, self._name, self._at],
        ).fetchall()
        for row in rows[self._told :]:
            why = f"{row['code'].replace('_', ' ')}; {row['why']}"
            shown.say(f"{row['after_s']:.1f} s later: batch {row['batch_id']} is reaped: {why}", "cyan")
        self._told = len(rows)


def _kill_one(
    connection: Connection,
    campaigns: Sequence[str],
    children: Processes,
    shown: Display,
    snapshot: Snapshot,
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
    return _Killed(row["runner"], campaigns, row["at"])
