"""One channel without pacing, and one runner that lives as long as the connection of the test."""

from uuid import UUID

import pytest

from tests.support.campaigns import Db, freeze_clock, make_channel, make_runner


@pytest.fixture
def channel(db: Db) -> int:
    return make_channel(db)


@pytest.fixture
def runner(db: Db) -> UUID:
    return make_runner(db)


@pytest.fixture
def frozen_clock(db: Db) -> None:
    """Time passes only when a test says so."""
    freeze_clock(db)
