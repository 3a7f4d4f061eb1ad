"""Transports by name: those of this package, and those of other packages (entry points)."""

import os
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import cast

from retoma.errors import RetomaError
from retoma.transports import evolution, evolution_go, null, secrets, waha, webhook
from retoma.transports.base import Settings, Transport
from retoma.transports.whatsapp_cloud import transport as whatsapp_cloud

ENTRY_POINT_GROUP = "retoma.transports"

Factory = Callable[[Settings], Transport]

# Entry points are for other packages: a checkout that is not installed has none.
_BUILT_IN: dict[str, Factory] = {
    "evolution": evolution.create,
    "evolution_go": evolution_go.create,
    "null": null.create,
    "waha": waha.create,
    "webhook": webhook.create,
    "whatsapp_cloud": whatsapp_cloud.create,
}


def names() -> list[str]:
    """The names of all transports that can be made here, sorted."""
    return sorted({*_BUILT_IN, *(entry.name for entry in entry_points(group=ENTRY_POINT_GROUP))})


def create(name: str, settings: Settings, environ: Mapping[str, str] = os.environ) -> Transport:
    """Make a transport for one channel; nothing is connected before the first request.

    Args:
        name: the transport's name, as in the channel's row.
        settings: the channel's settings; values that name a secret are replaced by it.
        environ: the environment variables, which hold or locate the secrets.

    Raises:
        RetomaError: no such transport, a setting is refused, or a secret is not here.
    """
    return _factory(name)(secrets.resolve(settings, environ))


def _factory(name: str) -> Factory:
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    for entry in entry_points(group=ENTRY_POINT_GROUP, name=name):
        return cast(Factory, entry.load())
    raise RetomaError(
        f"There is no transport named {name!r} on this machine.",
        hint=f"Installed: {', '.join(names())}. Others come as Python packages with the entry point group "
        f"{ENTRY_POINT_GROUP}.",
    )
