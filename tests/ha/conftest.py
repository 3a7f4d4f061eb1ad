"""Worlds whose database is a primary with a standby."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.support.replication import Pair, replicated
from tests.support.workers import Workers, workers_on
from tests.transports.sandbox_process import start_sandbox
from tests.worker.conftest import World


class ReplicatedWorld(World):
    """A world with two servers, and runners that know both.

    Args:
        pair: the servers.
        database: name of the database.
        world: what is on it.
        workers: starts runners.
    """

    def __init__(self, pair: Pair, database: str, world: World, workers: Workers) -> None:
        super().__init__(world.db, world.sandbox)
        self.pair = pair
        self.database = database
        self.workers = workers

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
                workers_on(pair.url(database), directory) as workers,
            ):
                yield ReplicatedWorld(pair, database, World(db, sandbox), workers)
        finally:
            sandbox.kill()
