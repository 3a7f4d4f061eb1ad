"""Every dialect, with lost answers and a killed runner: nothing twice, and in doubt only what nothing proves.

Invariant 4: in doubt is a state, not a guess. `python -m tests.dialects` does the same with 16,000 messages.
"""

from pathlib import Path

import pytest

from tests.dialects.catalogue import DIALECTS
from tests.dialects.run import run
from tests.support.campaigns import Db


@pytest.mark.parametrize("name", DIALECTS)
def test_lost_answers_and_a_killed_runner_duplicate_nothing(
    db: Db, database: str, tmp_path: Path, name: str
) -> None:
    dialect = DIALECTS[name]

    outcome = run(db, database, tmp_path, dialect, messages=200, rate=200, seed=7)

    assert outcome.faults(dialect) == [], outcome
    # Where nothing proves anything, each lost answer is in the list for a person.
    assert (outcome.arrived_in_doubt > 0) is (dialect.proves == "nothing")
