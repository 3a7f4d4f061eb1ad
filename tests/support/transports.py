"""Transports for tests that are about what they send, not about how a channel is set up."""

from collections.abc import Mapping

from retoma.transports import registry
from retoma.transports.base import Settings, Transport

_DEFAULTS: dict[str, dict[str, object]] = {
    "waha": {"session": "default", "engine": "WEBJS", "timeout_s": 30},
    "webhook": {"timeout_s": 30},
}


def create(name: str, settings: Settings, environ: Mapping[str, str] | None = None) -> Transport:
    """Makes a transport; the settings that are not given are those of a new channel.

    Args:
        environ: environment variables for values like env:NAME.
    """
    return registry.create(name, {**_DEFAULTS.get(name, {}), **settings}, environ or {})
