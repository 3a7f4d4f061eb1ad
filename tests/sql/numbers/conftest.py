"""A channel whose provider is asked about numbers."""

import pytest

from tests.support.campaigns import Db
from tests.support.numbers import gateway


@pytest.fixture
def sales(db: Db, frozen_clock: None) -> int:
    return gateway(db)
