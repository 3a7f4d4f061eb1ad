"""What Evolution API and Evolution GO have in common: fields of requests, answers, messages from people.

Both hand on what WhatsApp's protocol has (Message.proto), under names of their own.
"""

from collections.abc import Iterable

from retoma.transports import choices, whatsapp_web
from retoma.transports.base import Fact, Inbound, NumberCheck, Receipt, SendResult
from retoma.transports.http.client import Answer
from retoma.transports.whatsapp_web import BY_NUMBER, HIDDEN
from retoma.transports.whatsapp_web_contents import Content, link_name, text


def file_name(kind: str, content: Content, address: str) -> str:
    """The name under which a medium is shown; "" where it needs none.

    Args:
        kind: image, video, audio or document.
        content: its fields, rendered.
        address: of the medium, or "".
    """
    # Without a name the servers make one from the address, and Evolution API fails where it has no ending.
    return text(content, "filename") or (link_name(address) or "file" if kind == "document" else "")


def most_answers(content: Content) -> int:
    """How many options of a poll one person may choose; 0: as many as the person likes."""
    return 0 if content.get("multiple") is True else 1


def accepted(answer: Answer, given: str | None, message_id: str | None) -> SendResult:
    """The result of an answer that says yes, which has to show an id.

    Args:
        answer: with a status of 2xx.
        given: the id that it shows; None when it shows none.
        message_id: our id, if we gave it; None when this request cannot carry one.
    """
    if given is None:
        return SendResult("error", code="unreadable_answer", http_status=answer.status)
    return whatsapp_web.accepted(answer, given, message_id)


def number_check(exists: object, address: object, *others: object) -> NumberCheck:
    """What a server says about one number.

    Args:
        exists: whether WhatsApp knows it; anything but true and false says nothing.
        address: under which WhatsApp knows it.
        others: where else the server may name the hidden address of the person.
    """
    if not isinstance(exists, bool):
        return NumberCheck(None)
    if not exists:
        return NumberCheck(exists)
    return NumberCheck(exists, whatsapp_web.known_address(address), whatsapp_web.hidden_of(address, *others))


def own_message(provider_id: object, chat: object, at: float | None) -> list[Fact]:
    """The report of a message that the server sent, if it is one of ours.

    Args:
        provider_id: its id.
        chat: the address of the chat.
        at: Unix seconds.
    """
    message_id = whatsapp_web.our_id(provider_id) if isinstance(provider_id, str) else None
    if message_id is None:
        return []
    receipt = Receipt(message_id, str(provider_id), "server", None, at)
    return [receipt, *whatsapp_web.recipient_alias(chat, message_id, at)]


def inbound(
    message: object, chat: object, aliases: Iterable[object], provider_id: str | None, at: float | None
) -> list[Fact]:
    """The report of what a person wrote or chose; nothing from groups, and nothing that no person wrote.

    Args:
        message: of WhatsApp's protocol, as JSON.
        chat: the address of the chat.
        aliases: all addresses of the person, that of the chat among them.
        provider_id: the id of the message.
        at: Unix seconds.
    """
    if not isinstance(chat, str) or not chat.endswith((*BY_NUMBER, HIDDEN)):
        return []
    choice = choices.chosen({"message": message})
    words = choices.words(message)
    if words is None and choice == choices.NOTHING:
        return []
    # The hidden address (LID) is the alias under which an opt-out can come later.
    addresses = [alias for alias in aliases if isinstance(alias, str)]
    phone = next((found for address in addresses if (found := whatsapp_web.phone_of(address))), None)
    hidden = whatsapp_web.hidden_of(*addresses)
    written = words or choice.text
    return [Inbound(phone, written, provider_id, at, address=hidden or chat, button=choice.value)]
