"""The transports of channels, with their settings as they are now."""

import os
from collections.abc import Sequence
from typing import LiteralString

from retoma.errors import RetomaError
from retoma.receiver.database import Database
from retoma.receiver.together import Overfull, Together
from retoma.transports import registry, secrets
from retoma.transports.base import Transport, WebhookRefused

_STATEMENT: LiteralString = "select transport, settings from retoma.channel_settings(%s)"
# Calls that wait for the same answer of the database; more than there can be connections by default.
_CALLS = 1_000

_Settings = tuple[str, dict[str, object]]


class Channels:
    """Gives the transport of a channel.

    The settings are read after each call came, so that a new secret counts at once. Calls that come together
    share one reading, and a transport is made anew only when a setting or a secret has changed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[_Settings, Transport]] = {}
        self._reading = Together(self._read, group_size=_CALLS, room=10 * _CALLS)

    async def transport(self, channel: str) -> Transport:
        """The transport of a channel. It connects to nothing until it sends.

        Raises:
            RetomaError: its settings cannot be used here.
            WebhookRefused: 503, too many calls wait for it.
            psycopg.Error: there is no such channel (RT001), or the database is away.
        """
        try:
            return await self._reading.add(channel, None)
        except Overfull:
            raise WebhookRefused("Too many calls wait; call again.", 503) from None

    async def _read(self, channel: str, calls: Sequence[None]) -> Sequence[Transport]:
        row = await self._database.run(_STATEMENT, (channel,))
        if row is None:
            raise RetomaError(f"The channel {channel} has no settings.")
        name, settings = row
        resolved = (name, secrets.resolve(settings, os.environ))
        known = self._known.get(channel)
        if known is None or known[0] != resolved:
            known = self._known[channel] = (resolved, registry.create(name, settings))
        return [known[1]] * len(calls)
