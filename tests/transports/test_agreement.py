"""A transport does what the database expects of a channel with the same settings.

Where the database takes a provider for one that dedupes, it sends a message in doubt again. If it is
mistaken, a person gets the message twice.
"""

import itertools

import pytest
from psycopg.types.json import Jsonb

from retoma.transports import registry
from retoma.transports.base import Message
from tests.support.campaigns import Db, call
from tests.support.sandbox_process import SandboxProcess

Settings = dict[str, object]


def choices(transport: str, **values: tuple[object, ...]) -> list[tuple[str, Settings]]:
    """A transport with all combinations of these settings; None leaves a setting out."""
    return [
        (transport, {key: value for key, value in zip(values, chosen, strict=True) if value is not None})
        for chosen in itertools.product(*values.values())
    ]


@pytest.mark.parametrize(
    ("transport", "chosen"),
    [
        *choices("waha", engine=(None, "WEBJS", "NOWEB", "GOWS"), store=(None, False, True)),
        *choices("evolution", store=(None, False, True)),
        *choices("evolution_go", store=(None, False, True)),
        *choices("webhook", idempotent=(None, False, True), lookup=(None, False, True)),
        *choices("whatsapp_cloud", endpoint=(None, "messages", "marketing_messages")),
    ],
    ids=str,
)
async def test_the_database_expects_what_the_transport_does(
    db: Db, sandbox: SandboxProcess, message: Message, transport: str, chosen: Settings
) -> None:
    name = f"agreement-{message.id}"
    # This receiver keeps the promise that the setting makes.
    promise = "?idempotent=1" if chosen.get("idempotent") else ""
    address = {
        "waha": {"base_url": f"{sandbox.url}/waha", "session": name},
        "evolution": {"base_url": f"{sandbox.url}/evolution", "instance": name},
        "evolution_go": {"base_url": f"{sandbox.url}/evolution_go", "api_key": name},
        "webhook": {"url": f"{sandbox.url}/webhook/{name}{promise}"},
        "whatsapp_cloud": {"base_url": f"{sandbox.url}/cloud", "phone_number_id": name, "access_token": "t"},
    }[transport]
    db.execute("select retoma.create_channel('sales', %s, %s)", [transport, Jsonb({**address, **chosen})])
    given = call(db, "select settings from retoma.channel_settings('sales')")

    made = registry.create(transport, given)
    results = [await made.send(message) for _ in range(2)]
    assert [result.status for result in results] == ["accepted"] * 2
    found = await made.lookup(message.id, message.phone)
    await made.aclose()
    repeated = sandbox.figures(transport, name)["duplicates"] == 1

    if results[0].took_id:
        # The answer has shown it, as it does in a step.
        db.execute("update retoma_internal.channel set id_taken = '{text}'")
        db.execute("select retoma.configure_channel('sales')")
    expected = db.execute("select 'text' = any(dedupes), looks_up from retoma.v_channel").fetchone()
    assert expected == (not repeated, found == "found")
