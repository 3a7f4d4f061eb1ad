"""A short run finds nothing; a function that breaks its promise is found."""

from pathlib import Path

import psycopg

from tests.hammer.run import hammer
from tests.support.waiting import DEADLINE_S


def test_nothing_breaks_under_random_calls(database: str, tmp_path: Path) -> None:
    notes = hammer(database, tmp_path, seconds=20, seed=1, tick_max_s=DEADLINE_S, say=print)

    assert notes.failures == {}
    assert notes.ticks > 10
    assert sum(notes.calls.values()) > 100


def test_an_error_without_words_is_found(db: psycopg.Connection, database: str, tmp_path: Path) -> None:
    db.execute(
        "create function retoma.divide(p_by int) returns int language sql as 'select 1 / (p_by - p_by)'"
    )
    db.execute("grant execute on function retoma.divide(int) to retoma_monitor")

    notes = hammer(database, tmp_path, seconds=3, seed=1, tick_max_s=DEADLINE_S, say=print)

    assert "divide: 22012" in notes.failures
