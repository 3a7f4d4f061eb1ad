"""What operators can do with the secrets of a channel: give them, replace them, never get them back."""

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import Db, call, make_channel, refused

WEBHOOK: dict[str, object] = {"url": "https://gateway.example/messages", "secret": "s3cret"}
WAHA: dict[str, object] = {
    "base_url": "https://gateway.example",
    "session": "default",
    "api_key": "env:RETOMA_SECRET_WAHA",
    "webhook_hmac_key": "file:hmac",
}


def settings(db: Db) -> dict[str, object]:
    found: dict[str, object] = call(db, "select settings from retoma.channel_settings('sales')")
    return found


def configure(db: Db, **patch: object) -> None:
    db.execute("select retoma.configure_channel('sales', %s)", (Jsonb(patch),))


def test_no_secret_follows_a_channel_to_another_address(db: Db) -> None:
    make_channel(db, transport="webhook", settings=WEBHOOK)

    with refused(db, "RT003", "do not follow to it: secret"):
        configure(db, url="https://elsewhere.example/messages")

    assert settings(db)["url"] == WEBHOOK["url"]


def test_every_secret_has_to_be_given_again_with_a_new_address(db: Db) -> None:
    make_channel(db, transport="waha", settings=WAHA)
    moved = {"base_url": "https://elsewhere.example"}

    with refused(db, "RT003", "do not follow to it: api_key, webhook_hmac_key"):
        configure(db, **moved)
    with refused(db, "RT003", "do not follow to it: webhook_hmac_key"):
        configure(db, **moved, api_key="new")
    configure(db, **moved, api_key="new", webhook_hmac_key=None)

    assert "webhook_hmac_key" not in settings(db)
    assert settings(db)["api_key"] == "new"


def test_an_address_in_two_steps_gets_no_secret_either(db: Db) -> None:
    """An optional address that is added later, or taken away and given again, is a new one."""
    db.execute("insert into retoma.transport (name, note) values ('carrier', 'two addresses')")
    db.execute(
        "insert into retoma.transport_setting (transport, key, kind, note)"
        " select 'carrier', key, kind, '' from (values "
        "('url', 'url'), ('media_url', 'url'), ('key', 'secret'))"
        " as s (key, kind)"
    )
    make_channel(db, transport="carrier", settings={"url": "https://a.example", "key": "s3cret"})

    for patch in (
        {"media_url": "https://elsewhere.example"},
        {"url": None},
        {"media_url": "https://a.example"},
    ):
        with refused(db, "RT003", "do not follow to it: key"):
            configure(db, **patch)


def test_what_is_not_an_address_keeps_the_secrets(db: Db) -> None:
    make_channel(db, transport="waha", settings=WAHA)

    configure(db, base_url=WAHA["base_url"], session="other", timeout_s=5)

    assert settings(db)["api_key"] == WAHA["api_key"]


@pytest.mark.parametrize(
    "value",
    [
        "env:PGPASSWORD",
        "env:RETOMA_DATABASE_URL",
        "env:RETOMA_SECRET_",
        "env:RETOMA_SECRET_a",
        "env:RETOMA_SECRETS_DIRECTORY",
        "env:RETOMA_SECRET_A\nPGPASSWORD",
        "env:",
    ],
)
def test_only_variables_for_secrets_are_read(db: Db, value: str) -> None:
    with refused(db, "RT003", "secret does not name a variable for secrets"):
        make_channel(db, transport="webhook", settings=WEBHOOK | {"secret": value})


@pytest.mark.parametrize(
    "value", ["file:/etc/passwd", "file:../key", "file:a/b", "file:", "file:.", "file:..", "file:.env"]
)
def test_only_files_of_the_directory_for_secrets_are_read(db: Db, value: str) -> None:
    with refused(db, "RT003", "secret does not name a file for secrets"):
        make_channel(db, transport="webhook", settings=WEBHOOK | {"secret": value})


@pytest.mark.parametrize("reference", ["env:RETOMA_SECRET_WAHA", "file:key"])
def test_only_a_secret_comes_from_the_machine_of_the_runner(db: Db, reference: str) -> None:
    """Anything else would be shown to whoever it is sent to: a session name, an address."""
    for key in ("base_url", "session"):
        with refused(db, "RT003", f"{key} cannot come from"):
            make_channel(db, transport="waha", settings=WAHA | {key: reference})


def test_no_view_and_no_refusal_shows_a_secret(db: Db) -> None:
    make_channel(db, transport="webhook", settings=WEBHOOK)
    db.execute("set role retoma_operator")

    with pytest.raises(psycopg.Error) as refusal:
        configure(db, url="https://elsewhere.example")
    views = db.execute(
        "select relname::text from pg_class where relnamespace = 'retoma'::regnamespace"
        " and relkind in ('v', 'r') and has_table_privilege(oid, 'select')"
    ).fetchall()
    shown = [str(db.execute(f"select * from retoma.{view}").fetchall()) for (view,) in views]

    assert len(shown) > 10
    assert "s3cret" not in " ".join([*shown, str(refusal.value), str(refusal.value.diag.message_hint)])
