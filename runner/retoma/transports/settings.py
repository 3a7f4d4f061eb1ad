"""Reading a channel's settings.

The database knows which settings a transport has, their kinds and defaults (retoma.transport_setting), and
refuses all else. What is read here has passed it, but for secrets that came from this machine.
"""

from dataclasses import dataclass

from yarl import URL

from retoma.errors import RetomaError
from retoma.transports.base import Settings


@dataclass(frozen=True, slots=True)
class SettingsReader:
    """Typed access to the settings of one channel; every method raises RetomaError for a value it refuses.

    Args:
        transport: the transport's name, for messages.
        settings: the channel's settings, with the defaults that the database gave them.
    """

    transport: str
    settings: Settings

    def text(self, key: str) -> str:
        """A text that is not empty."""
        value = self.settings.get(key)
        if value is None:
            raise self._refused(key, "is missing", "set it to a text")
        if not isinstance(value, str) or not value.strip():
            raise self._refused(key, "is not a text", "set it to a text that is not empty")
        return value.strip()

    def optional_text(self, key: str) -> str | None:
        """A text, or None when it is not set or null."""
        return None if self.settings.get(key) is None else self.text(key)

    def header(self, key: str) -> str | None:
        """A text that can be a header's value, or None."""
        value = self.optional_text(key)
        if value is not None and not (value.isascii() and value.isprintable()):
            raise self._refused(key, "has characters that a header cannot carry", "use printable ASCII only")
        return value

    def flag(self, key: str) -> bool:
        """True or false; false when it is not set."""
        value = self.settings.get(key, False)
        if not isinstance(value, bool):
            raise self._refused(key, "is not true or false", "write true or false without quotes")
        return value

    def seconds(self, key: str) -> float:
        """A number of seconds, more than 0."""
        value = self.settings.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise self._refused(key, "is not a number of seconds", "use a number above 0")
        return float(value)

    def url(self, key: str) -> URL:
        """An absolute http or https address without user, password or fragment."""
        hint = "use an address like https://gateway.example:3000"
        try:
            url = URL(self.text(key))
        except ValueError as error:
            raise self._refused(key, "is not an address", hint) from error
        if url.scheme not in ("http", "https") or not url.host:
            raise self._refused(key, "is not an http or https address", hint)
        if url.user or url.password or url.raw_fragment:
            raise self._refused(key, "carries a user, a password or a fragment", hint)
        return url

    def _refused(self, key: str, what: str, hint: str) -> RetomaError:
        # The value stays out of the message: it may be a secret.
        return RetomaError(
            f"The setting {key} of the transport {self.transport} {what}.", hint=f"Channel settings: {hint}."
        )
