"""`retoma media` as a user sees it."""

import json
from pathlib import Path

import psycopg
from psycopg.types.json import Jsonb

from tests.support.campaigns import make_channel
from tests.support.command import retoma
from tests.support.files import PNG


def test_a_file_is_stored_listed_and_removed(database: str, tmp_path: Path) -> None:
    (tmp_path / "offer.jpg").write_bytes(PNG)

    added = retoma("media", "add", str(tmp_path / "offer.jpg"), database_url=database)
    assert (added.returncode, added.stdout, added.stderr) == (
        *(0, f"Stored offer.jpg (image/png, {len(PNG)} bytes).\n", ""),
    )
    (shown,) = json.loads(retoma("media", "list", "--json", database_url=database).stdout)
    assert (shown["medium"], shown["mimetype"], shown["bytes"]) == ("offer.jpg", "image/png", len(PNG))
    assert "offer.jpg" in retoma("media", "list", database_url=database).stdout
    removed = retoma("media", "remove", "offer.jpg", database_url=database)
    assert (removed.returncode, removed.stdout) == (0, "Removed offer.jpg.\n")
    assert "There are no files" in retoma("media", "list", database_url=database).stdout


def test_what_cannot_be_sent_is_refused_in_words(database: str, tmp_path: Path) -> None:
    (tmp_path / "offer.jpg").write_bytes(b"MZ\x90\x00not shown")

    refused = retoma("media", "add", str(tmp_path / "offer.jpg"), "--name", "may", database_url=database)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        "error: may is of no type that can be sent, whatever its name says\n"
        "hint: retoma.medium_limit has the types that each transport takes\n"
    )


def test_a_file_of_a_campaign_stays(database: str, db: psycopg.Connection, tmp_path: Path) -> None:
    (tmp_path / "offer.png").write_bytes(PNG)
    retoma("media", "add", str(tmp_path / "offer.png"), "--json", database_url=database)
    make_channel(db)
    content = {"kind": "image", "media": {"file": "offer.png"}}
    db.execute("select retoma.create_campaign('may', 'sales', p_content => %s)", [Jsonb(content)])

    refused = retoma("media", "remove", "offer.png", database_url=database)
    assert refused.returncode == 1
    assert "the file 'offer.png' is said by the campaigns may" in refused.stderr
