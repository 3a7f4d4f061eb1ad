"""A campaign is made and sent on a database that somebody else set up."""

import json

from tests.runner.conftest import World
from tests.support import other_servers
from tests.support.campaigns import Db
from tests.support.clusters import Server
from tests.support.command import retoma
from tests.support.runners import Runners


def test_commands_and_runners_work_there_as_anywhere(
    db: Db, world: World, runners: Runners, server: Server, database: str
) -> None:
    # The session of `world`, which looks on, began before.
    other_servers.set_up(server, database)
    text = "Olá {{ name }}, ação 🙂"
    address = f"url={world.sandbox.url}/webhook/sales"
    contacts = "telefone,name\n+5511955510001,João\n+5511955510002,Zoë\n"
    runner = runners.start("r1")
    for command, given in [
        (("channel", "create", "sales", "--transport", "webhook", "--set", address), None),
        (("limit", "set", "channel", "sales", "1000/24 hours"), None),
        (("campaign", "create", "spring", "--channel", "sales", "--text", text), None),
        (("import", "-", "--campaign", "spring"), contacts),
        (("campaign", "start", "spring"), None),
        (("campaign", "show", "spring"), None),
    ]:
        done = retoma(*command, text=given, database_url=database)
        assert done.returncode == 0, done.stderr

    row = world.wait_for_end("spring")

    assert row["sent"] == 2
    assert runner.terminate() == 0
    lines = [json.loads(line) for line in runner.text().splitlines()]
    assert [line["event"] for line in lines if line["level"] in ("warning", "error")] == []
