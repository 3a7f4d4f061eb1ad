"""Puts in place of stored files what a channel sends: the id of its provider, or the bytes in base64."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from retoma.content.written import Content
from retoma.errors import RetomaError
from retoma.runner.calls import Database
from retoma.transports.base import Message, SendResult, Sends

REMEMBERED = 4
"""Files that a runner keeps in base64; the limits of those that go along are in retoma.medium_limit."""


class Place(NamedTuple):
    """Where a content names a stored file.

    Args:
        path: names, and indexes from 0, of the object that names it.
        file: its name. Another content of the same campaign may have something else at this path.
        value: what is sent in place of that object.
    """

    path: Sequence[str | int]
    file: str
    value: Mapping[str, object]


def placed(content: Content, places: Sequence[Place]) -> Content:
    """A copy of a rendered content, with these values in place of its stored files."""
    made: Any = content
    for place in places:
        made = _put(made, place.path, {"file": place.file}, place.value)
    return made  # type: ignore[no-any-return]


def _put(value: Any, path: Sequence[str | int], old: object, new: object) -> Any:
    if not path:
        return new if value == old else value
    step, rest = path[0], path[1:]
    if isinstance(value, Mapping) and step in value:
        return {**value, step: _put(value[step], rest, old, new)}
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return [_put(part, rest, old, new) if n == step else part for n, part in enumerate(value)]
    return value


class StoredMedia:
    """The files of one runner.

    Args:
        database: where their bytes are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._data: dict[str, str] = {}  # by SHA-256, the one used last at the end

    async def sender(self, transport: Sends, media: Sequence[Mapping[str, Any]] | None) -> Sends:
        """What sends the messages of a lease.

        Args:
            transport: of the channel.
            media: of the lease, as lease_batch gave it; None for contents without a stored file.

        Raises:
            RetomaError: a file is not stored any more.
        """
        if not media:
            return transport
        places = [Place(row["path"], row["file"], await self._value(row["value"])) for row in media]
        return _WithMedia(transport, places)

    async def _value(self, value: Mapping[str, Any]) -> Mapping[str, object]:
        if "sha256" not in value:
            return value
        return {"mimetype": value["mimetype"], "data": await self._base64(value["sha256"])}

    async def _base64(self, sha256: str) -> str:
        data = self._data.pop(sha256, None)
        if data is None:
            query = "select retoma.medium_bytes(%s) as data"
            (row,) = await self._database.call(query, (bytes.fromhex(sha256),), timeout_s=None)
            if row["data"] is None:
                raise RetomaError("A file of the content is not stored any more.")
            data = base64.b64encode(row["data"]).decode()
        self._data[sha256] = data
        while len(self._data) > REMEMBERED:
            del self._data[next(iter(self._data))]
        return data


class _WithMedia:
    def __init__(self, transport: Sends, places: Sequence[Place]) -> None:
        self._transport = transport
        self._places = places

    async def send(self, message: Message) -> SendResult:
        return await self._transport.send(message._replace(content=placed(message.content, self._places)))
