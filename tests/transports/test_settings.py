"""A channel with wrong settings is refused when its transport is made, with words that help."""

from pathlib import Path

import pytest

from retoma.errors import RetomaError
from retoma.transports import null, registry
from tests.support import transports

WAHA = {"base_url": "http://127.0.0.1:3000"}
WEBHOOK = {"url": "http://127.0.0.1:3000/messages"}


@pytest.mark.parametrize(
    ("transport", "settings", "says"),
    [
        ("waha", {}, "base_url"),
        ("waha", {"base_url": "gateway.example"}, "base_url"),
        ("waha", {"base_url": "ftp://gateway.example"}, "base_url"),
        ("waha", {"base_url": "http://"}, "base_url"),
        ("waha", {"base_url": "http://user:password@gateway.example"}, "base_url"),
        ("waha", WAHA | {"engine": None}, "engine"),
        ("waha", WAHA | {"session": ""}, "session"),
        ("waha", WAHA | {"api_key": "two\nlines"}, "api_key"),
        ("waha", WAHA | {"store": "yes"}, "store"),
        ("waha", WAHA | {"timeout_s": 0}, "timeout_s"),
        ("waha", WAHA | {"timeout_s": True}, "timeout_s"),
        ("webhook", {}, "url"),
        ("webhook", WEBHOOK | {"secret": ["list"]}, "secret"),
        ("webhook", WEBHOOK | {"timeout_s": "30"}, "timeout_s"),
        ("carrier-pigeon", {}, "carrier-pigeon"),
    ],
)
def test_a_mistake_is_named_with_what_to_do(transport: str, settings: dict[str, object], says: str) -> None:
    with pytest.raises(RetomaError) as refused:
        transports.create(transport, settings)

    assert says in refused.value.message
    assert refused.value.hint


def test_a_secret_is_never_part_of_the_message() -> None:
    with pytest.raises(RetomaError) as refused:
        transports.create("waha", WAHA | {"api_key": "s3cret\x00"})

    assert "s3cret" not in refused.value.message + str(refused.value.hint)


def test_secrets_can_come_from_the_environment() -> None:
    settings = WEBHOOK | {"secret": "env:RETOMA_SECRET_RECEIVER"}
    environ = {"RETOMA_SECRETS_FOR": WEBHOOK["url"]}

    with pytest.raises(RetomaError, match="RETOMA_SECRET_RECEIVER"):
        transports.create("webhook", settings, environ=environ)

    assert transports.create("webhook", settings, environ=environ | {"RETOMA_SECRET_RECEIVER": "s3cret"})


def test_built_in_transports_need_no_installed_package() -> None:
    assert {"null", "waha", "webhook"} <= set(registry.names())


def test_another_package_brings_its_transport_as_an_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "retoma_carrier.py").write_text("from retoma.transports.null import create\n")
    metadata = tmp_path / "retoma_carrier-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: retoma-carrier\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[retoma.transports]\ncarrier = retoma_carrier:create\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    assert "carrier" in registry.names()
    assert isinstance(transports.create("carrier", {}), null.Null)
