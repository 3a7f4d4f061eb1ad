"""What the drill does to its stage, and how long it took each channel to send again."""

import random
import signal
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg

from retoma import embedded
from retoma.drill.stage import Holder, Stage, wait_for

RECOVERY_DEADLINE_S = 30.0
"""A channel that has not sent again after this long breaks a promise."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """How long a channel was silent.

    Args:
        crash: kill, freeze or restart.
        channel: its name.
        seconds: from the crash (for a restart: from when the database took connections again) to the next
            request that the provider read.
    """

    crash: str
    channel: str
    seconds: float


def kill_a_worker(stage: Stage, rng: random.Random) -> list[Recovery]:
    """SIGKILL to a worker that holds leases; a new one takes its place when the others have taken over."""
    victim = _victim(stage, rng)
    seen = _last_event(stage)
    at = time.time()
    stage.signal_worker(victim.name, signal.SIGKILL)
    recoveries = _taken_over(stage, "kill", victim, seen, at)
    replacement = stage.start_worker()
    wait_for(lambda: replacement in stage.alive(), 30, "The new worker did not start")
    return recoveries


def freeze_a_worker(stage: Stage, rng: random.Random) -> list[Recovery]:
    """SIGSTOP to a worker that holds leases, SIGCONT when the others have taken over: now it is a zombie."""
    victim = _victim(stage, rng)
    seen = _last_event(stage)
    at = time.time()
    stage.signal_worker(victim.name, signal.SIGSTOP)
    try:
        return _taken_over(stage, "freeze", victim, seen, at)
    finally:
        stage.signal_worker(victim.name, signal.SIGCONT)


def restart_the_database(stage: Stage, _rng: random.Random) -> list[Recovery]:
    """Ends the server as in a crash, and starts it again; the workers have to get over it by themselves."""
    assert stage.home is not None
    wait_for(stage.holders, RECOVERY_DEADLINE_S, "No channel was leased")
    channels = {channel for holder in stage.holders() for channel in holder.channels}
    embedded.stop(stage.home, "immediate")
    accepts_at: list[float] = []
    probe = threading.Thread(target=lambda: accepts_at.append(first_connection(stage.url)))
    probe.start()
    embedded.start(stage.home)
    probe.join()
    return sends_after("restart", stage, dict.fromkeys(channels, accepts_at[0]), accepts_at[0])


def first_connection(url: str) -> float:
    """Connects again and again; returns when it succeeded first, in Unix seconds."""
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.005)
        else:
            return time.time()


def sends_after(crash: str, stage: Stage, since: dict[str, float], at: float) -> list[Recovery]:
    """Waits until each channel has sent after its moment in `since`; seconds are counted from `at`.

    Raises:
        RetomaError: a channel did not send in time.
    """
    return [
        Recovery(crash, channel, wait_for(_next_send(stage, channel, moment), RECOVERY_DEADLINE_S,
                                          f"The channel {channel} did not send again") - at)
        for channel, moment in sorted(since.items())
    ]  # fmt: skip


def _next_send(stage: Stage, channel: str, moment: float):  # type: ignore[no-untyped-def]
    def ask() -> float | None:
        stage.ledger.read()
        return stage.ledger.first_after(channel, moment)

    return ask


def _victim(stage: Stage, rng: random.Random) -> Holder:
    holders = wait_for(stage.holders, RECOVERY_DEADLINE_S, "No channel was leased")
    return rng.choice(holders)


def _last_event(stage: Stage) -> object:
    return stage.query("select max(id) as id from retoma.event")[0]["id"]


def _taken_over(stage: Stage, crash: str, victim: Holder, seen: object, at: float) -> list[Recovery]:
    """What the victim had under way may still arrive: only what was sent under the next lease counts."""

    def leased_at() -> dict[str, float] | None:
        rows = stage.query(
            "select c.name, extract(epoch from min(e.at))::float8 as at from retoma.event e"
            " join retoma.channel c on c.id = e.channel_id"
            " where e.id > %s and e.subject = 'batch' and e.to_state = 'leased' and e.runner_id <> %s"
            " group by c.name",
            seen, victim.runner_id,
        )  # fmt: skip
        found = {str(row["name"]): float(str(row["at"])) for row in rows}
        return {channel: found[channel] for channel in victim.channels} if victim.channels <= found.keys() else None

    since = wait_for(leased_at, RECOVERY_DEADLINE_S, f"Nobody took over from {victim.name}")
    return sends_after(crash, stage, since, at)


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest value that is at least as large as so many percent of them (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * percent // 100) - 1)]
