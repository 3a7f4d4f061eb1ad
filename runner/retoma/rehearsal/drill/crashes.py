"""The crashes of the drill, and the time until each channel sends again."""

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psycopg

from retoma.database import embedded
from retoma.rehearsal.drill.stage import Stage, wait_for

DEADLINE_S = 60.0
"""A channel that has not sent again after this long breaks a promise."""

MAX_DOWN_S = 4.0
"""How long the database is away at most before it is started again."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """How long a channel was silent.

    Args:
        crash: kill, freeze or restart.
        channel: its name.
        seconds: from the crash (of the database: from when it took connections again) to the next request
            that the provider read; for kill and freeze, under the lease of another runner.
    """

    crash: str
    channel: str
    seconds: float


Crash = Callable[[Stage, random.Random], list[Recovery]]


def kill_a_runner(stage: Stage, rng: random.Random) -> list[Recovery]:
    """SIGKILL to a runner that holds leases; a new one takes its place when the others have taken over.

    Raises:
        NotInTime: they did not.
    """
    recoveries = _strike(stage, rng, "kill", stage.kill_runner)
    replacement = stage.start_runner()
    wait_for(lambda: replacement in stage.alive(), DEADLINE_S, "A new runner did not register")
    return recoveries


def freeze_a_runner(stage: Stage, rng: random.Random) -> list[Recovery]:
    """SIGSTOP to a runner that holds leases, SIGCONT when the others have taken over: now it is a zombie.

    Raises:
        NotInTime: they did not.
    """
    frozen: list[str] = []

    def freeze(name: str) -> None:
        stage.freeze_runner(name)
        frozen.append(name)

    try:
        return _strike(stage, rng, "freeze", freeze)
    finally:
        for name in frozen:
            stage.thaw_runner(name)


def restart_the_database(stage: Stage, rng: random.Random) -> list[Recovery]:
    """Ends the scratch server as in a crash and starts it again; the runners get over it by themselves.

    Raises:
        NotInTime: they did not.
        RetomaError: the server did not start.
    """
    home = stage.scratch_home()
    channels = wait_for(stage.leased, DEADLINE_S, "No channel was leased")
    embedded.stop(home, "immediate")
    time.sleep(rng.uniform(0, MAX_DOWN_S))
    first: list[float] = []
    given_up = threading.Event()
    probe = threading.Thread(target=lambda: first.append(first_connection(stage.url, given_up)), daemon=True)
    probe.start()
    try:
        embedded.start(home)
    except BaseException:
        given_up.set()
        raise
    probe.join()
    stage.disconnect()
    return sends_after("restart", stage, dict.fromkeys(channels, first[0]), first[0])


def first_connection(url: str, given_up: threading.Event | None = None) -> float:
    """Connects again and again; returns when it succeeded first or was given up, in Unix seconds."""
    while given_up is None or not given_up.is_set():
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.005)
        else:
            break
    return time.time()


def sends_after(crash: str, stage: Stage, since: Mapping[str, float], at: float) -> list[Recovery]:
    """Waits until each channel has sent after its moment in `since`; what is returned counts from `at`.

    Raises:
        NotInTime: a channel did not send.
    """
    recoveries = []
    for channel, moment in sorted(since.items()):
        sent_at = wait_for(
            lambda channel=channel, moment=moment: stage.ledger.first_after(channel, moment),  # type: ignore[misc]
            DEADLINE_S,
            f"The channel {channel} did not send again",
        )
        recoveries.append(Recovery(crash, channel, sent_at - at))
    return recoveries


def _strike(stage: Stage, rng: random.Random, crash: str, strike: Callable[[str], None]) -> list[Recovery]:
    """Messages under way of the victim may still arrive: only sends under the next lease count."""
    victim = rng.choice(wait_for(stage.holders, DEADLINE_S, "No channel was leased"))
    seen = stage.query("select max(id) as id from retoma_internal.event")[0]["id"]
    at = time.time()
    strike(victim.name)

    def taken_over() -> tuple[dict[str, float]] | None:
        # In this order: a lease that is no longer held has been reaped, or had ended by itself.
        held = stage.query("select 1 from retoma_internal.batch where runner_id = %s", victim.runner_id)
        rows = stage.query(
            "select c.name, (select extract(epoch from min(l.at))::float8 from retoma_internal.event l"
            "   where l.id > t.id and l.channel_id = t.channel_id and l.to_state = 'leased') as at"
            " from retoma_internal.event t join retoma_internal.channel c on c.id = t.channel_id"
            " where t.id > %s and t.to_state = 'reaped' and t.runner_id = %s",
            seen, victim.runner_id,
        )  # fmt: skip
        since = {str(row["name"]): row["at"] for row in rows}
        return None if held or None in since.values() else (since,)  # type: ignore[return-value]

    (since,) = wait_for(taken_over, DEADLINE_S, f"No runner took over from {victim.name}")
    return sends_after(crash, stage, since, at)
