"""A runner gives away only what is meant for it, and only to addresses that its environment names."""

import os
from pathlib import Path

import pytest

from retoma.errors import RetomaError
from retoma.transports.secrets import resolve

SETTINGS = {"url": "https://gateway.example/messages", "timeout_s": 30}
FOR = {"RETOMA_SECRETS_FOR": "https://gateway.example"}
ENVIRON = FOR | {
    "RETOMA_SECRET_SALES": "s3cret",
    "RETOMA_DATABASE_URL": "postgresql://runner:password@db/retoma",
}


def secret(value: str, environ: dict[str, str]) -> object:
    return resolve(SETTINGS | {"secret": value}, environ)["secret"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The directory for secrets, beside a file that is none."""
    (tmp_path / "outside").write_text("private")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "key").write_text("s3cret\n")
    return tmp_path / "secrets"


def in_directory(directory: Path) -> dict[str, str]:
    return FOR | {"RETOMA_SECRETS_DIRECTORY": str(directory)}


def test_a_secret_comes_from_the_environment() -> None:
    assert resolve(SETTINGS | {"secret": "env:RETOMA_SECRET_SALES"}, ENVIRON) == SETTINGS | {
        "secret": "s3cret"
    }


def test_a_secret_comes_from_a_file_of_the_directory(directory: Path) -> None:
    assert secret("file:key", in_directory(directory)) == "s3cret"


def test_a_secret_in_the_database_needs_nothing_of_the_machine() -> None:
    assert secret("s3cret", {}) == "s3cret"


@pytest.mark.parametrize(
    "value",
    ["env:RETOMA_DATABASE_URL", "env:RETOMA_SECRETS_FOR", "env:PATH", "env:RETOMA_SECRET_SALES\n", "env:"],
)
def test_no_other_variable_is_given_away_whatever_the_database_says(value: str) -> None:
    """The database refuses these, too. A runner does not rely on that: it knows its database password."""
    with pytest.raises(RetomaError, match="nothing that is for secrets"):
        secret(value, ENVIRON | {"PATH": "/bin"})


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "..", ".", "", "key\n"])
def test_no_name_leads_out_of_the_directory(directory: Path, name: str) -> None:
    with pytest.raises(RetomaError, match="nothing that is for secrets"):
        secret(f"file:{name}", in_directory(directory))


def test_no_link_leads_out_of_the_directory(directory: Path) -> None:
    (directory / "link").symlink_to(directory.parent / "outside")

    with pytest.raises(RetomaError, match="not set, or empty"):
        secret("file:link", in_directory(directory))


def test_a_link_within_the_directory_is_followed_as_kubernetes_makes_them(directory: Path) -> None:
    (directory / "link").symlink_to("key")

    assert secret("file:link", in_directory(directory)) == "s3cret"


def test_what_is_no_plain_text_file_is_not_set(directory: Path) -> None:
    os.mkfifo(directory / "fifo")  # reading it would wait for ever
    (directory / "folder").mkdir()
    (directory / "binary").write_bytes(b"\xff\xfe")
    (directory / "empty").write_text("\n")
    (directory / "huge").write_text("x" * 100_000)

    for name in ("fifo", "folder", "binary", "empty", "huge", "missing"):
        with pytest.raises(RetomaError, match="not set, or empty"):
            secret(f"file:{name}", in_directory(directory))


def test_without_a_directory_no_file_is_read() -> None:
    with pytest.raises(RetomaError, match="not set, or empty"):
        secret("file:key", FOR)


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/messages",
        "https://gateway.example.elsewhere.example",
        "https://gateway.example@elsewhere.example",
        "http://gateway.example",
        "https://gateway.example:8443",
        "HTTPS://elsewhere.example",
        " https://elsewhere.example",
        "https://",
    ],
)
def test_a_secret_is_given_to_no_address_that_the_environment_does_not_name(address: str) -> None:
    settings = {"url": address, "secret": "env:RETOMA_SECRET_SALES"}

    with pytest.raises(RetomaError, match="RETOMA_SECRETS_FOR does not name it"):
        resolve(settings, ENVIRON)


def test_an_environment_that_names_no_address_gives_no_secret() -> None:
    with pytest.raises(RetomaError, match="RETOMA_SECRETS_FOR"):
        secret("env:RETOMA_SECRET_SALES", {"RETOMA_SECRET_SALES": "s3cret"})


def test_every_address_of_a_channel_must_be_named() -> None:
    settings = SETTINGS | {"media_url": "https://elsewhere.example", "secret": "env:RETOMA_SECRET_SALES"}

    with pytest.raises(RetomaError, match="not given to this media_url"):
        resolve(settings, ENVIRON)


@pytest.mark.parametrize(
    "address", ["https://gateway.example", "https://GATEWAY.example:443/v2", "http://127.0.0.1:3000/a"]
)
def test_of_an_address_scheme_host_and_port_count(address: str) -> None:
    environ = ENVIRON | {"RETOMA_SECRETS_FOR": "https://gateway.example/ http://127.0.0.1:3000"}

    assert resolve({"url": address, "secret": "env:RETOMA_SECRET_SALES"}, environ)["secret"] == "s3cret"


def test_no_message_shows_a_secret(directory: Path) -> None:
    with pytest.raises(RetomaError) as refused:
        resolve({"url": "https://elsewhere.example", "secret": "env:RETOMA_SECRET_SALES"}, ENVIRON)

    assert "s3cret" not in refused.value.message + str(refused.value.hint)
