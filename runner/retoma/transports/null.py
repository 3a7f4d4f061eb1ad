"""A provider inside the runner that accepts everything at once: to measure everything but the network."""

from collections.abc import Mapping

from retoma.transports.base import (
    Fact,
    Lookup,
    Message,
    NumberCheck,
    SendResult,
    Settings,
)

_ACCEPTED = SendResult("accepted")


def create(settings: Settings) -> "Null":
    """Make the null transport; it has no settings."""
    return Null()


class Null:
    """Accepts and forgets."""

    async def send(self, message: Message) -> SendResult:
        return _ACCEPTED

    async def lookup(self, message_id: str, phone: str, address: str | None = None) -> Lookup:
        return "unknown"

    async def check_number(self, phone: str) -> NumberCheck:
        return NumberCheck(exists=None)

    def require_signature(self, headers: Mapping[str, str]) -> None:
        pass

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Fact]:
        return []

    async def aclose(self) -> None:
        return None
