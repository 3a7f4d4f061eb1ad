"""A gateway that was upgraded: its answers are asked again whether it takes our ids."""

import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import Db, call

SETTINGS = {
    "waha": {"session": "loja", "engine": "GOWS"},
    "evolution": {"instance": "loja"},
    "evolution_go": {"api_key": "a token"},
}


@pytest.mark.parametrize("transport", sorted(SETTINGS))
def test_a_new_version_of_the_server_is_judged_by_its_own_answers(db: Db, transport: str) -> None:
    settings = {"base_url": "http://127.0.0.1:9", **SETTINGS[transport]}
    db.execute("select retoma.create_channel('sales', %s, %s)", [transport, Jsonb(settings)])
    db.execute("update retoma_internal.channel set id_ignored = '{text}'")
    ignored, deduped = (f"select {column} from retoma.v_channel" for column in ("ignores_ids", "dedupes"))

    db.execute("select retoma.configure_channel('sales', '{\"timeout_s\": 20}')")
    assert call(db, ignored) == ["text"]
    db.execute("select retoma.configure_channel('sales', '{\"server_version\": \"2.4.0\"}')")

    assert call(db, ignored) == []
    assert call(db, deduped) == []  # before an answer has shown it
