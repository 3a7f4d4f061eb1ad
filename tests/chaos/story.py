"""A history as a correct product makes it, written step by step: what the judge must pass."""

from dataclasses import dataclass, field

from tests.chaos.history import (
    Batch,
    Campaign,
    Channel,
    Fault,
    History,
    Limit,
    Message,
    Outcome,
    Request,
    Sample,
    State,
    Step,
    Suppression,
)

TOKEN = "a1b2c3d4" * 3
PACED = Channel(1, "paced", False, False, 1, 0.1, 0.2, None, 1, "waha")
FAST = Channel(2, "fast", False, False, 2, 0.0, 0.0, 10.0, 2, "webhook")


@dataclass
class Story:
    """Writes a history as a correct product makes it, step by step; batch 1 is paced, batch 2 fast."""

    now: float = 1000.0
    xid: int = 1
    epochs: dict[int, int] = field(default_factory=lambda: {1: 0, 2: 0})
    holders: dict[int, str] = field(default_factory=lambda: {1: "", 2: ""})
    reserved: dict[int, int] = field(default_factory=lambda: {1: 0, 2: 0})
    steps: list[Step] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    suppressions: list[Suppression] = field(default_factory=list)

    def lease(self, batch: int, runner: str) -> None:
        self.holders[batch] = runner
        self._step(batch, "ready", "leased", epochs=1)

    def reserve(self, batch: int, count: int = 1, *, skipped: int = 0) -> None:
        """Reserves, of which the first `skipped` are of suppressed numbers."""
        first = self.reserved[batch]
        self._step(batch, "leased", "leased", count=count + skipped)
        for position in range(first, first + skipped):
            self._outcome(batch, ordinal_of(batch, position), "skipped", "suppressed")

    def send(self, batch: int, ordinal: int, kind: str = "accepted") -> None:
        self.now += 0.01
        self.requests.append(
            Request(
                len(self.requests) + 1,
                self.now,
                "paced" if batch == 1 else "fast",
                f"{TOKEN}{ordinal:08x}",
                phone(ordinal),
                kind,
            )
        )

    def record(self, batch: int, *ordinals: int, outcome: str = "sent", code: str | None = None) -> None:
        self._step(batch, "leased", "leased")
        for ordinal in ordinals:
            self._outcome(batch, ordinal, outcome, code)

    def end(self, batch: int, *, lost: tuple[int, ...] = (), writer: str | None = None) -> None:
        """Ends a lease: completed by its holder, or reaped by a tick with what it left in doubt."""
        if lost:
            self._step(batch, "leased", "leased", writer=writer)  # receipts, in the same transaction
            self.xid -= 1
        self._step(batch, "leased", "ready" if lost else "completed", epochs=1, writer=writer)
        for ordinal in lost:
            self._outcome(batch, ordinal, "in_doubt", "runner_gone", epoch=self.epochs[batch] - 1)

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def history(self) -> History:
        counts = {
            name: sum(s.state == name for s in self.states)
            for name in ("sent", "failed", "skipped", "in_doubt")
        }
        return History(
            lease_s=3.0,
            channels=[PACED, FAST],
            campaigns=[Campaign(1, "natal", TOKEN, "completed", 7)],
            messages=[Message(1, ordinal, phone(ordinal)) for ordinal in range(1, 8)],
            batches=[Batch(1, 1, 1, (1, 2, 3)), Batch(2, 1, 1, (4, 5, 6, 7))],
            steps=self.steps,
            outcomes=self.outcomes,
            states=self.states,
            suppressions=self.suppressions,
            requests=self.requests,
            faults=self.faults,
            limits=[Limit("channel", 2, 2, 0.1), Limit("channel", 2, 4, 1.0), Limit("campaign", 1, 6, 1.0)],
            samples=[Sample(self.now, "natal", "completed", 7, pending=0, sending=0, cancelled=0, **counts)],
        )

    def _step(
        self, batch: int, old: str, new: str, *, count: int = 0, epochs: int = 0, writer: str | None = None
    ) -> None:
        self.xid += 1
        self.now += 0.005
        holder = self.holders[batch]
        self.steps.append(
            Step(
                seq=len(self.steps) + 1,
                xid=self.xid,
                started=self.now - 0.002,
                at=self.now - 0.001,
                committed=self.now,
                writer=holder if writer is None else writer,
                holder=holder,
                batch_id=batch,
                channel_id=batch,
                old_status=old,
                new_status=new,
                old_epoch=self.epochs[batch],
                new_epoch=self.epochs[batch] + epochs,
                old_reserved=self.reserved[batch],
                new_reserved=self.reserved[batch] + count,
            )
        )
        self.epochs[batch] += epochs
        self.reserved[batch] += count

    def _outcome(
        self, batch: int, ordinal: int, outcome: str, code: str | None, epoch: int | None = None
    ) -> None:
        epoch = self.epochs[batch] if epoch is None else epoch
        writer = self.steps[-1].writer
        self.outcomes.append(Outcome(self.xid, self.now, writer, batch, 1, ordinal, 1, epoch, outcome, code))
        self.states.append(State(1, ordinal, outcome, code))


def phone(ordinal: int) -> str:
    return f"+55119555{10000 + ordinal}"


def ordinal_of(batch: int, position: int) -> int:
    return (1, 4)[batch - 1] + position


def clean() -> History:
    """Paced: two sent, one skipped. Fast: one of four is in doubt by a kill, and another runner goes on."""
    story = Story()
    story.suppressions.append(Suppression(phone(2), 900.0))
    story.lease(1, "r0")
    story.reserve(1)
    story.send(1, 1)
    story.record(1, 1)
    story.wait(0.15)
    story.reserve(1, skipped=1)
    story.send(1, 3)
    story.record(1, 3)
    story.end(1)
    story.lease(2, "r0")
    story.reserve(2, 2)
    story.send(2, 4)
    story.send(2, 5)
    story.record(2, 4)
    story.faults.append(Fault(story.now, story.now, "kill", "r0"))
    story.end(2, lost=(5,), writer="r1")
    story.wait(0.2)
    story.lease(2, "r1")
    story.reserve(2, 2)
    story.send(2, 6)
    story.send(2, 7)
    story.record(2, 6, 7)
    story.end(2)
    return story.history()
