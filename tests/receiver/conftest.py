"""Receivers of the tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.receivers import Receiver


@pytest.fixture
def new_receiver(database: str, tmp_path: Path) -> Iterator[Callable[..., Receiver]]:
    """Starts receivers with options, and ends them."""
    started: list[Receiver] = []

    def start(*options: str) -> Receiver:
        started.append(Receiver(database, tmp_path / f"receiver-{len(started)}.log", *options))
        return started[-1]

    yield start
    for running in started:
        running.process.kill()
        running.process.wait()


@pytest.fixture
def receiver(new_receiver: Callable[..., Receiver]) -> Receiver:
    return new_receiver()
