"""The database and the transports draw the same conclusions from the settings of a channel."""

from itertools import product

import pytest
from psycopg.types.json import Jsonb

from retoma.transports import registry
from tests.support.campaigns import Db

Settings = dict[str, object]


def choice(key: str, *values: object) -> list[Settings]:
    return [{}, *({key: value} for value in values)]


ENGINES = choice("engine", "WEBJS", "NOWEB", "GOWS", "noweb")


@pytest.mark.parametrize(
    ("transport", "address", "choices"),
    [
        ("waha", {"base_url": "http://127.0.0.1:3000"}, [ENGINES, choice("store", False, True)]),
        (
            "webhook",
            {"url": "http://127.0.0.1:3000"},
            [choice("idempotent", False, True), choice("lookup", False, True)],
        ),
        ("null", {}, []),
    ],
)
def test_a_transport_says_what_the_database_derives(
    db: Db, subtests: pytest.Subtests, transport: str, address: Settings, choices: list[list[Settings]]
) -> None:
    for chosen in product(*choices):
        settings = {key: value for part in (address, *chosen) for key, value in part.items()}
        with subtests.test(settings=settings):
            says = registry.create(transport, settings).capabilities

            derived = db.execute(
                "select retoma_internal.setting_dedupes(t, s), retoma_internal.setting_looks_up(t, s)"
                " from (values (%s::text, %s::jsonb)) as v (t, s)",
                (transport, Jsonb(settings)),
            ).fetchone()

            assert derived == (says.dedupes, says.looks_up)
