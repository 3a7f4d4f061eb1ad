"""One drill from its first process to its verdict."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from retoma.rehearsal.drill import crashes
from retoma.rehearsal.drill.crashes import Crash, Recovery
from retoma.rehearsal.drill.stage import CHANNELS, RATE_PER_S, NotInTime, Stage, stage, wait_for
from retoma.rehearsal.drill.verdict import Figures, Promise, judge

LEASE_S = 3.0
"""Short, so that a round with a frozen runner does not take a minute."""

LONGEST_ROUND_S = 10.0
"""For the length of the lists only: they have to outlast the crashes."""


@dataclass(frozen=True, slots=True)
class Round:
    """One crash and its result."""

    crash: str
    recoveries: list[Recovery]


@dataclass(slots=True)
class Outcome:
    """All that a drill found."""

    seed: int
    figures: Figures
    promises: list[Promise]
    rounds: list[Round] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """Whether every promise held."""
        return all(promise.kept for promise in self.promises)


def run(
    directory: Path,
    *,
    seconds: float,
    rounds: int | None,
    seed: int,
    database_url: str | None,
    tell: Callable[[str], None],
) -> Outcome:
    """Send four campaigns, and crash something again and again meanwhile.

    Args:
        directory: empty; for the scratch server, the ledger and the logs.
        seconds: how long things are crashed.
        rounds: end after this many crashes; None for no limit but the time.
        seed: decides what is crashed, and in which order.
        database_url: an empty database to use in place of a scratch server; its server is not restarted.
        tell: is given one line about each step.

    Raises:
        RetomaError: the drill could not be set up.
    """
    rng = random.Random(seed)
    done: list[Round] = []
    trouble: NotInTime | None = None
    with stage(directory, lease_s=LEASE_S, database_url=database_url, seed=seed) as scene:
        recipients = round((seconds + LONGEST_ROUND_S) * RATE_PER_S * 1.2)
        scene.open_campaigns(recipients)
        tell(f"{len(CHANNELS)} campaigns of {recipients:,} messages run, one per channel; seed {seed}.")
        wait_for(lambda: scene.leased() == set(CHANNELS), 60, "The runners did not begin")
        end = time.monotonic() + seconds
        try:
            for crash, strike in _schedule(rng, scene):
                if time.monotonic() > end or len(done) == rounds:
                    break
                done.append(Round(crash, strike(scene, rng)))
                tell(_line(len(done), done[-1]))
        except NotInTime as error:
            trouble = error
            done.append(Round(crash, []))
            tell(f"{len(done):>3}  {crash:<8} {error.message}")
        tell("The crashes are over; the rest of the campaigns goes out at full speed.")
        figures, promises = judge(scene, len(done), trouble)
    return Outcome(seed, figures, promises, done)


def _schedule(rng: random.Random, scene: Stage) -> Iterator[tuple[str, Crash]]:
    """Each kind once in an order drawn anew, for ever."""
    kinds: list[tuple[str, Crash]] = [("kill", crashes.kill_a_runner), ("freeze", crashes.freeze_a_runner)]
    if scene.home is not None:
        kinds.append(("restart", crashes.restart_the_database))
    while True:
        yield from rng.sample(kinds, len(kinds))


def _line(number: int, done: Round) -> str:
    each = "  ".join(f"{r.channel} {r.seconds:.2f} s" for r in done.recoveries)
    return f"{number:>3}  {done.crash:<8} {each or 'it had no lease just then'}"
