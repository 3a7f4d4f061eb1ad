"""The protocol of transports, which report facts.

A transport never decides. It says what the provider answered and whether anything of the request can have
reached it; the table retoma.error_rule turns those facts into a class and an action. So operators tune the
policy with SQL, and a transport stays a page of code about one provider.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from retoma.errors import RetomaError

Settings = Mapping[str, object]
"""The settings of a channel, as they are in the database (JSON)."""

_LAST_SECOND = 253_402_300_799  # 9999-12-31 23:59:59 UTC, where datetime ends
# 2001-09-09. Before it, a number is 0 for "unknown", or seconds where milliseconds are expected.
_FIRST_SECOND = 1_000_000_000


def now() -> float:
    """Seconds of a clock that is never set and goes on while the machine sleeps; for Message.send_before."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Message(NamedTuple):
    """One message, ready to be sent.

    Args:
        id: 32 lower-case hexadecimal digits; the same over all attempts.
        phone: E.164 with the leading +.
        content: what is said, its fields rendered: {"kind": "text", "text": "Olá Ana"}. Never logged.
        send_before: a moment of now(). A transport looks at it last of all, when it is connected and about to
            write: after it, the message may have passed to another runner. Then the code is not_attempted.
        address: where it goes, as in NumberCheck; None: to phone. The same over all attempts.
    """

    id: str
    phone: str
    content: Mapping[str, object]
    send_before: float = math.inf
    address: str | None = None


class SendResult(NamedTuple):
    """The facts after one attempt.

    Args:
        status: accepted; held, if the provider took it but keeps it for its own check; or error.
        code: None when accepted. connect_failed, connection_lost and timeout are facts of the network,
            not_attempted that it was too late;
            http_<status> is an answer without a code of the provider; the rest are the transport's own.
        http_status: None when there was no answer.
        retry_after_s: seconds from the answer, when the provider asked for a pause.
        written: False only when it is certain that nothing of the message left this machine.
        provider_id: None when it can be derived from our id.
        took_id: on a provider that takes our id, whether the answer to an accepted message carried it. False
            if it carried another one; None if it shows none, or we gave none.
        detail: short, for the operator. Never content, a phone number or a secret.
    """

    status: Literal["accepted", "held", "error"]
    code: str | None = None
    http_status: int | None = None
    retry_after_s: float | None = None
    written: bool = True
    provider_id: str | None = None
    detail: str | None = None
    took_id: bool | None = None


Lookup = Literal["found", "absent", "unknown"]
"""absent can lead to a second send: a transport says it only when the provider said it. Whether that proves
anything is for the database to know (retoma.transport.absent_proves)."""


@dataclass(frozen=True, slots=True)
class NumberCheck:
    """Whether a number can be reached; exists is None when the provider did not say.

    Args:
        exists: True, False, or None.
        address: under which the provider knows the person: a number (E.164), which can be another one, or an
            address that hides it (123@lid). None when it does not say.
        alias: an address of the same person that does not show the number (a LID), if the provider names it.
    """

    exists: bool | None
    address: str | None = None
    alias: str | None = None


ReceiptStatus = Literal["server", "delivered", "read", "played", "failed"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A later report about a message.

    Args:
        message_id: our id, when the provider gave it back or it is inside the provider's id.
        provider_id: the provider's id.
        status: server means that the provider passed it on, which is no proof of delivery.
        code: why it failed, else None.
        at: Unix seconds by the provider's clock, None when it did not say.
    """

    message_id: str | None
    provider_id: str | None
    status: ReceiptStatus
    code: str | None = None
    at: float | None = None


def unix_seconds(value: object, *, per_second: int = 1) -> float | None:
    """A time as JSON has it, in Unix seconds.

    Args:
        value: anything that JSON can hold.
        per_second: the unit of the number: 1 for seconds, 1000 for milliseconds.

    Returns:
        None for anything but a number, and for a time at which no message was sent: before 2001, or so late
        that no datetime can hold it.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Compared before it is divided: JSON has whole numbers that no float can hold.
    if not _FIRST_SECOND * per_second <= value <= _LAST_SECOND * per_second:
        return None
    return value / per_second


@dataclass(frozen=True, slots=True)
class ConnectionChange:
    """The provider reports that the sender account is connected or not.

    Args:
        connected: whether it is.
        reason: a code.
        at: when the provider saw it, in Unix seconds by its clock; None when it did not say. What is older
            than what the database knows changes nothing.
    """

    connected: bool
    reason: str
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message from a person to the channel. The database keeps it, and knows what is an opt-out.

    Args:
        phone: E.164 with +, or None when the provider hides the number; then address is required.
        text: what the person wrote, or the words of the button; "" when it is only a picture. Never logged.
        provider_id: the provider's id of the inbound message: a repeat has the same one, an edit another one.
        at: when it was written, in Unix seconds by the provider's clock; None when it did not say.
        address: of the person at the provider, by which an operator finds the chat.
        button: the value behind the button or list entry that the person chose. Never logged.
        opts_out: the provider itself says that the person wants no more messages, whatever the words.
    """

    phone: str | None
    text: str
    provider_id: str | None
    at: float | None
    address: str | None = None
    button: str | None = None
    opts_out: bool = False


@dataclass(frozen=True, slots=True)
class Alias:
    """The provider names one person in two ways. From then on, the database finds the number by the address.

    An Inbound with phone and address says the same, and needs no Alias beside it.

    Args:
        address: of the person at the provider, up to 200 characters, which does not show the number.
        phone: E.164 with +; None when the provider does not name it here.
        message_id: ours, of a message that went to this person: its number is that of the message.
        previous: the address that this one replaces, because the person has another number now.
        at: when the provider named both, in Unix seconds by its clock; None when it did not say.
    """

    address: str
    phone: str | None = None
    message_id: str | None = None
    previous: str | None = None
    at: float | None = None


@dataclass(frozen=True, slots=True)
class TemplateReport:
    """The provider reports that a template of the account has changed; None for what has not.

    Args:
        name: of the template.
        language: as the list of templates writes it: pt_BR.
        status: in the words of the list: APPROVED, PAUSED …
        category: in the words of the provider.
        quality: in the words of the provider.
    """

    name: str
    language: str
    status: str | None = None
    category: str | None = None
    quality: str | None = None


@dataclass(frozen=True, slots=True)
class AccountChanged:
    """The provider reports that something about the account has changed: it is to be asked again."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One report of a call that is not understood; others may be. The reason is for the caller."""

    reason: str


Fact = Receipt | ConnectionChange | Inbound | Alias | TemplateReport | AccountChanged | Refused


class WebhookRefused(RetomaError):
    """A call to the webhook receiver that must not be believed.

    Args:
        message: what is wrong with it.
        http_status: 401 wrong or missing signature, 400 not understood, 408 too slow,
            413 too long, 503 too many long ones at once.
    """

    def __init__(self, message: str, http_status: int) -> None:
        super().__init__(message)
        self.http_status = http_status


@runtime_checkable
class AnswersHandshake(Protocol):
    """A transport whose provider asks, before it calls the receiver, whether the address is meant for it."""

    def answer_handshake(self, query: Mapping[str, str]) -> str:
        """The answer to the provider's GET; query has the parameters of its address.

        Raises:
            WebhookRefused: the caller does not know the token of the channel, or asks for something else.
        """
        ...


class Template(NamedTuple):
    """One template, as a provider lists it.

    Args:
        name: of the template.
        language: pt_BR.
        status: in the words of the provider. Only APPROVED can be sent.
        category: in the words of the provider, or None.
        quality: in the words of the provider, or None.
        named: whether its variables have names instead of numbers.
        components: header, body, buttons and cards: [{"type": "BODY", "text": "Olá {{1}}"}].
    """

    name: str
    language: str
    status: str
    category: str | None
    quality: str | None
    named: bool
    components: list[object]


@runtime_checkable
class ListsTemplates(Protocol):
    """A transport whose provider approves templates and lists them (retoma.transport_reading)."""

    async def list_templates(self) -> list[Template]:
        """All templates of the account.

        Raises:
            RetomaError: there is no list; the message says why, without a secret.
        """
        ...


class Medium(NamedTuple):
    """A stored file, to be uploaded.

    Args:
        name: under which it is stored; shown to nobody.
        mimetype: image/png.
        data: its bytes. Never logged.
    """

    name: str
    mimetype: str
    data: bytes


@runtime_checkable
class UploadsMedia(Protocol):
    """A transport whose provider keeps files that messages name (retoma.transport.keeps_media_for)."""

    async def upload_medium(self, medium: Medium) -> str:
        """Upload a file, and return the id by which a content names it: {"media": {"id": …}}.

        Raises:
            RetomaError: the provider has not taken it; the message says why, without a secret or its bytes.
        """
        ...


class Sends(Protocol):
    """What a lease asks of a transport."""

    async def send(self, message: Message) -> SendResult:
        """Send once, as a transport does."""
        ...


class Transport(Protocol):
    """One provider with the settings of one channel. Used by one event loop; close it with aclose."""

    async def send(self, message: Message) -> SendResult:
        """Send once. Never raises for trouble of the provider or the network; cancellation passes through."""
        ...

    async def lookup(self, message_id: str, phone: str, address: str | None = None) -> Lookup:
        """Ask the provider whether it has the message with our id; phone and address: as in Message.

        Where the chat matters, all of its names are asked about, and absent means under none of them.
        """
        ...

    async def check_number(self, phone: str) -> NumberCheck:
        """Ask the provider whether the number (E.164 with +) can be reached."""
        ...

    def require_signature(self, headers: Mapping[str, str]) -> None:
        """Refuse a call whose head alone shows that it is not signed; headers have lower-case names.

        It is asked before the body is read. A signature that is there is checked by parse_webhook.

        Raises:
            WebhookRefused: the channel has a key, and the head has nothing that could be a signature.
        """
        ...

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Fact]:
        """Turn a call from the provider into facts; headers have lower-case names.

        One report that is not understood becomes a Refused, and the others count.

        Raises:
            WebhookRefused: the signature is missing or wrong, or the body as a whole is not understood.
        """
        ...

    async def aclose(self) -> None:
        """Close idle connections."""
        ...


@dataclass(frozen=True, slots=True)
class Pairing:
    """Where the pairing of a sender account with its phone stands.

    Args:
        connected: the account works.
        phone: of the account, E.164 with +; None when it is not known.
        qr: the text of the QR code that the phone can scan now.
        code: what can be typed on the phone instead, when a number was given.
        state: of the account, in a word of the provider, for the operator.
    """

    connected: bool
    phone: str | None = None
    qr: str | None = None
    code: str | None = None
    state: str = ""


class PairingSession(Protocol):
    """One attempt to pair an account."""

    async def look(self) -> Pairing:
        """Ask where it stands, and start what has to be started. To be called every few seconds.

        Raises:
            RetomaError: it cannot succeed: no such account, a wrong key, no gateway at this address.
        """
        ...


@runtime_checkable
class Pairs(Protocol):
    """A transport whose accounts are paired with a phone."""

    def pair(self, phone: str | None) -> PairingSession:
        """Begin. phone: E.164 of the account, to get a code for it beside the QR code; None for none."""
        ...


@dataclass(frozen=True, slots=True)
class Description:
    """What a server says about itself. It is for people: what it can do is learnt from its answers.

    Args:
        server: its name and version, as in "WAHA 2026.8.1, engine GOWS".
        contradicts: settings of the channel that say something else, with the values that they should have.
    """

    server: str
    contradicts: Mapping[str, str]


class Account(NamedTuple):
    """What a provider says of the account of a channel; None for what it does not say.

    Args:
        connected: whether the account works.
        reason: its state in a word of the provider, for the operator.
        server: name and version of a gateway.
        quality: what people think of its messages, in the words of the provider.
        people_per_day: to how many people it may begin a conversation in any 24 hours.
        rate_per_s: messages per second.
    """

    connected: bool | None = None
    reason: str | None = None
    server: str | None = None
    quality: str | None = None
    people_per_day: int | None = None
    rate_per_s: float | None = None


@runtime_checkable
class ReadsAccount(Protocol):
    """A transport whose provider can be asked about the account (retoma.transport_reading)."""

    async def read_account(self) -> Account:
        """Ask, without changing anything.

        Raises:
            RetomaError: it did not say; the message says why, without a secret.
        """
        ...


@runtime_checkable
class Describes(Protocol):
    """A transport whose server says which version it is."""

    async def describe(self) -> Description | None:
        """Ask the server; None when it does not say."""
        ...
