"""Numbers are checked before the first message to them. Every attempt goes to the address that was found."""

from collections import Counter, defaultdict

import pytest
from psycopg.types.json import Jsonb

from tests.runner.conftest import GAPS, World
from tests.support.campaigns import call
from tests.support.runners import Runners
from tests.support.waiting import PATIENT_S, wait_until

SIZE = 20
PEOPLE = [f"+5511955600{n:03}" for n in range(SIZE)]
WITHOUT_NINE, HIDDEN, MISSING = 3, 5, 7
ADDRESSES = {PEOPLE[WITHOUT_NINE]: "+551155600003", PEOPLE[HIDDEN]: "70001@lid", PEOPLE[MISSING]: None}
REACHED = sorted(ADDRESSES.get(person, person) or "" for person in PEOPLE if person != PEOPLE[MISSING])


def know(world: World, numbers: dict[str, str | None]) -> None:
    """What the provider says about numbers from now on."""
    assert world.sandbox.call("POST", "/_sandbox/addresses", numbers)[0] == 200


def start(world: World, attempts: int = 20) -> None:
    people = [{"phone": person} for person in PEOPLE]
    world.db.execute(
        "select retoma.create_campaign('spring', 'sales', 'Olá', p_batch_size => 10, p_max_attempts => %s)",
        [attempts],
    )
    world.db.execute("select retoma.add_recipients('spring', %s)", [Jsonb(people)])
    world.db.execute("select retoma.start_campaign('spring')")


def test_invariant_11_every_attempt_goes_to_the_first_address_after_errors_and_kill_9(
    world: World, runners: Runners
) -> None:
    world.waha("sales", gap=(0.01, 0.02), batch_gap=(0.01, 0.02), checks=0)
    # Every second one is refused, and tried again at once.
    world.db.execute(
        "insert into retoma.error_rule (transport, code, class, defer_s, counts_attempt, note)"
        " values ('waha', 'http_503', 'transient', 0, false, '')"
    )
    know(world, ADDRESSES)
    world.sandbox.fault(channel="sales", first=16, every=2, do="status", status=503)
    start(world)
    first = runners.start("r1")
    wait_until(lambda: len(world.sandbox.entries("sales")) >= 6)
    world.hold_answers("sales", after=0)
    wait_until(lambda: world.accepted("sales").total() > world.summary("spring")["sent"])
    first.kill()

    # The provider and what is remembered change their minds; the messages of the first batch do not.
    know(world, dict.fromkeys(PEOPLE[:10], "80001@lid"))
    world.db.execute("update retoma_internal.number_check set found = true, address = '80001@lid'")
    world.heal()
    runners.start("r2")

    row = world.wait_for_end("spring")
    assert (row["sent"], row["skipped"], row["in_doubt"]) == (SIZE - 1, 1, 0)
    entries = world.sandbox.entries("sales")
    addresses = defaultdict(set)
    for entry in entries:
        addresses[entry["message_id"]].add(entry["to"])
    assert all(len(found) == 1 for found in addresses.values())
    delivered = Counter(e["to"] for e in entries if e["kind"] in ("accepted", "duplicate"))
    assert sorted(delivered) == REACHED
    assert set(delivered.values()) == {1}
    skipped = "select phone, code from retoma.v_message where state = 'skipped'"
    assert call(world.db, skipped.replace("phone, ", "")) == "not_on_whatsapp"


@pytest.mark.parametrize("transport", ["evolution", "evolution_go"])
def test_the_other_gateways_get_the_number_that_they_gave(
    world: World, runners: Runners, transport: str
) -> None:
    named = {"evolution": "instance", "evolution_go": "api_key"}[transport]
    settings = {"base_url": f"{world.sandbox.url}/{transport}", named: "sales", "check_gap_s": 0}
    world.db.execute(
        "select retoma.create_channel('sales', %s, %s, %s)",
        [transport, Jsonb({**settings, "timeout_s": PATIENT_S}), Jsonb(dict.fromkeys(GAPS, 0))],
    )
    know(world, ADDRESSES)
    start(world)

    runners.start("r1")

    row = world.wait_for_end("spring")
    assert (row["sent"], row["skipped"]) == (SIZE - 1, 1)
    # Where the number is hidden, the server looks it up by itself.
    given = sorted(PEOPLE[HIDDEN] if "@" in address else address for address in REACHED)
    assert sorted(entry["to"] for entry in world.sandbox.entries("sales")) == given
    # A reply from the hidden address has a number from the start.
    links = "select address, phone from retoma_internal.alias"
    wait_until(lambda: world.db.execute(links).fetchall() == [("70001@lid", PEOPLE[HIDDEN])])


def test_a_runner_without_the_secret_of_a_channel_leaves_its_numbers_to_another(
    world: World, runners: Runners
) -> None:
    world.waha("sales", gap=(0, 0), batch_gap=(0, 0), checks=0, api_key="env:RETOMA_SECRET_OF_THE_OTHER")
    runners.start("r1")
    start(world)
    wait_until(lambda: call(world.db, "select count(*) from retoma_internal.channel_refusal") == 1)
    assert call(world.db, "select count(*) from retoma_internal.number_check") == 0

    secrets = {"RETOMA_SECRET_OF_THE_OTHER": "key", "RETOMA_SECRETS_FOR": f"{world.sandbox.url}/waha"}
    runners.start("r2", prelude=f"import os\nos.environ |= {secrets!r}\n")

    assert world.wait_for_end("spring")["sent"] == SIZE


def test_messages_in_doubt_are_looked_up_in_the_chat_that_they_went_to(
    world: World, runners: Runners
) -> None:
    world.db.execute("update retoma.setting set lookup_after = '1 s'")
    world.waha("sales", gap=(0, 0), batch_gap=(0, 0), checks=0, engine="NOWEB", store=True)
    know(world, ADDRESSES)
    world.sandbox.fault(channel="sales", every=3, do="accept_then_drop")
    # With one attempt, nothing is sent again: what is in doubt waits for an answer.
    start(world, attempts=1)

    runners.start("r1")

    world.wait_for_end("spring")
    wait_until(lambda: world.summary("spring")["sent"] == SIZE - 1)
    looked_up = "select count(*) from retoma.v_message where code = 'lookup' and ordinal = %s"
    assert call(world.db, looked_up, HIDDEN + 1) == 1
    assert sorted(entry["to"] for entry in world.sandbox.entries("sales")) == REACHED
