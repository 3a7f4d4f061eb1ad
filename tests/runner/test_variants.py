"""Several contents of one campaign: a runner sends the one that follows from the id of the message."""

import hashlib
from collections import Counter

import psycopg
from psycopg.types.json import Jsonb

from tests.runner.conftest import World
from tests.support.runners import Runners
from tests.support.waiting import wait_until

SIZE = 90

# Runners make the first two by themselves, and the third in the process beside them.
VARIANTS = [
    {"weight": 3, "content": {"kind": "text", "text": "Olá {{ name }}"}},
    {"weight": 2, "content": {"kind": "text", "text": "Oi {{ name }}"}},
    {"weight": 1, "content": {"kind": "text", "text": "{{ name | upcase }}, bom dia"}},
]


def said(variant: int, name: str) -> str:
    """The hash of what a person with this name reads."""
    text = (f"Olá {name}", f"Oi {name}", f"{name.upper()}, bom dia")[variant - 1]
    return hashlib.sha256(text.encode()).hexdigest()


def expected(db: psycopg.Connection) -> dict[str, tuple[int, str, str]]:
    """By the id of each message: its variant, the person, and the hash of the text."""
    rows = db.execute(
        "select m.message_id, retoma_internal.variant_of(m.message_id, c.variant_bounds), m.phone,"
        " m.variables ->> 'name'"
        " from retoma.message_state as m join retoma_internal.campaign as c on m.campaign_id = c.id"
    )
    return {id_: (variant, phone, said(variant, name)) for id_, variant, phone, name in rows}


def test_invariant_11_every_attempt_says_the_variant_of_the_id_after_errors_and_kill_9(
    world: World, runners: Runners
) -> None:
    world.waha("sales", gap=(0.02, 0.05), batch_gap=(0.05, 0.1))
    # Every third of the first 30 is refused, and tried again at once.
    world.db.execute(
        "insert into retoma.error_rule (transport, code, class, defer_s, note)"
        " values ('waha', 'http_503', 'transient', 0, '')"
    )
    world.sandbox.fault(channel="sales", first=30, every=3, do="status", status=503)
    people = [{"phone": f"+5511955500{n:03}", "variables": {"name": f"n{n}"}} for n in range(SIZE)]
    world.db.execute(
        "select retoma.create_campaign('spring', 'sales', p_content => %s,"
        " p_batch_size => 25, p_max_attempts => 20)",
        [Jsonb({"variants": VARIANTS})],
    )
    world.db.execute("select retoma.add_recipients('spring', %s)", [Jsonb(people)])
    world.db.execute("select retoma.start_campaign('spring')")
    first = runners.start("r1")
    wait_until(lambda: len(world.sandbox.entries("sales")) >= 30)

    # The next message is taken, and its answer never comes.
    world.hold_answers("sales", after=0)
    wait_until(lambda: world.accepted("sales").total() > world.summary("spring")["sent"])
    first.kill()
    assert world.summary("spring")["pending"] > 0
    world.heal()
    runners.start("r2")

    row = world.wait_for_end("spring")
    assert (row["sent"], row["in_doubt"]) == (SIZE, 0)
    entries = world.sandbox.entries("sales")
    should = expected(world.db)
    # Also what was refused, and what came twice under its id.
    assert all((e["to"], e["sha256"]) == should[e["message_id"]][1:] for e in entries)
    assert Counter(e["kind"] for e in entries)["refused"] == 10
    delivered = [e for e in entries if e["kind"] in ("accepted", "duplicate")]
    assert sorted(e["to"] for e in delivered) == [person["phone"] for person in people]
    assert {variant for variant, _, _ in should.values()} == {1, 2, 3}
    books: dict[int, int] = dict(world.db.execute("select variant, sent from retoma.v_variant").fetchall())
    assert books == Counter(should[e["message_id"]][0] for e in delivered)
