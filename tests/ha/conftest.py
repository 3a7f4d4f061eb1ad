"""Worlds whose database is a primary with a standby."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.runner.conftest import World
from tests.support.replication import Pair, replicated
from tests.support.runners import Runners, runners_on
from tests.support.sandbox_process import start_sandbox


class ReplicatedWorld(World):
    """A world with two servers, and runners that know both.

    Args:
        pair: the servers.
        database: name of the database.
        world: what is on it.
        runners: starts runners.
    """

    def __init__(self, pair: Pair, database: str, world: World, runners: Runners) -> None:
        super().__init__(world.db, world.sandbox)
        self.pair = pair
        self.database = database
        self.runners = runners

    def reconnect(self) -> None:
        """The tests' own connection, after its server was killed."""
        self.db.close()
        self.db = psycopg.connect(self.pair.url(self.database), autocommit=True)


@contextmanager
def replicated_world(directory: Path, *, synchronous: bool) -> Iterator[ReplicatedWorld]:
    """Everything that a failover needs; all of it is gone afterwards."""
    with replicated(synchronous=synchronous) as pair:
        pair.primary.create_database()
        database = "test_0"
        sandbox = start_sandbox(directory / "ledger")
        try:
            with (
                psycopg.connect(pair.url(database), autocommit=True) as db,
                runners_on(pair.url(database), directory) as runners,
            ):
                yield ReplicatedWorld(pair, database, World(db, sandbox), runners)
        finally:
            sandbox.kill()
