"""Invariant 1: a reservation is durable, whatever the defaults of the database or the role are."""

import psycopg
import pytest


@pytest.mark.parametrize("weak", ["off", "local"])
def test_invariant_1_a_step_waits_for_its_commit_under_weak_defaults(
    db: psycopg.Connection, weak: str
) -> None:
    db.execute(f"set synchronous_commit to {weak}")

    with db.transaction():
        db.execute("select retoma.tick()")
        used = db.execute("show synchronous_commit").fetchone()

    assert used == ("on",)
    assert db.execute("show synchronous_commit").fetchone() == (weak,)


def test_a_stronger_setting_is_left_alone(db: psycopg.Connection) -> None:
    db.execute("set synchronous_commit to remote_apply")

    with db.transaction():
        db.execute("select retoma.tick()")

        assert db.execute("show synchronous_commit").fetchone() == ("remote_apply",)
