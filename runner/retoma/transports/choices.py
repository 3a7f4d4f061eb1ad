"""The words of a message and the choice from its buttons or list, as gateways to WhatsApp pass it on.

Baileys (WAHA NOWEB, Evolution API) and whatsmeow (WAHA GOWS, Evolution GO) use the names of WhatsApp's own
protocol (Message.proto), WEBJS those of WhatsApp Web. They disagree about upper and lower case.
"""

import json
from typing import NamedTuple


class Choice(NamedTuple):
    """The words that the person saw, and the value behind them."""

    text: str
    value: str | None


NOTHING = Choice("", None)
"""No choice."""

# By the kind of answer, without regard to case: where its words and its value are.
_ANSWERS = {
    "buttonsresponsemessage": ("selecteddisplaytext", "selectedbuttonid"),
    "templatebuttonreplymessage": ("selecteddisplaytext", "selectedid"),
    "listresponsemessage": ("title", "selectedrowid"),
}
_INTERACTIVE = "interactiveresponsemessage"
# Messages that hold another one: a disappearing chat, an edit.
_WRAPPERS = (
    *("ephemeralmessage", "viewoncemessage", "viewoncemessagev2", "documentwithcaptionmessage"),
    *("editedmessage", "protocolmessage"),
)
# What a person can send without words.
_SHOWN = (
    *("imagemessage", "videomessage", "ptvmessage", "audiomessage", "documentmessage", "stickermessage"),
    *("locationmessage", "livelocationmessage", "contactmessage", "contactsarraymessage"),
)
_DEEPEST = 5


def chosen(data: object) -> Choice:
    """The choice in an object that holds a `message`; empty when there is none."""
    facts = _lower(data)
    found = _in_message(facts.get("message"), _DEEPEST)
    if found != NOTHING:
        return found
    # WEBJS: on the message itself.
    return Choice("", _text(facts.get("selectedbuttonid")) or _row_id(facts.get("listresponse")))


def words(message: object) -> str | None:
    """What a person wrote: the text, or the caption of a picture or file.

    Args:
        message: of WhatsApp's protocol, as JSON.

    Returns:
        "" for a picture, voice note or the like without words; None for what nobody wrote: a reaction, a
        vote, a notice of the protocol.
    """
    return _words(message, _DEEPEST)


def _words(message: object, depth: int) -> str | None:
    facts = _lower(message)
    extended = _lower(facts.get("extendedtextmessage"))
    if text := _text(facts.get("conversation")) or _text(extended.get("text")):
        return text
    for kind in _SHOWN:
        if shown := _lower(facts.get(kind)):
            return _text(shown.get("caption")) or ""
    if depth:
        for wrapper in _WRAPPERS:
            inner = _lower(facts.get(wrapper))
            found = _words(inner.get("message") or inner, depth - 1) if inner else None
            if found is not None:
                return found
    return None


def _in_message(message: object, depth: int) -> Choice:
    facts = _lower(message)
    for kind, (words, value) in _ANSWERS.items():
        answer = _lower(facts.get(kind))
        if answer:
            # whatsmeow has the words one level deeper, under "Response".
            text = _text(answer.get(words)) or _text(_lower(answer.get("response")).get(words))
            return Choice(text or "", _text(answer.get(value)) or _row_id(answer))
    if interactive := _lower(facts.get(_INTERACTIVE)):
        return _in_interactive(interactive)
    if depth:
        for wrapper in _WRAPPERS:
            inner = _lower(facts.get(wrapper))
            found = _in_message(inner.get("message") or inner, depth - 1) if inner else NOTHING
            if found != NOTHING:
                return found
    return NOTHING


def _in_interactive(interactive: dict[str, object]) -> Choice:
    flow = _lower(interactive.get("nativeflowresponsemessage"))
    if not flow:
        flow = _lower(_lower(interactive.get("interactiveresponsemessage")).get("nativeflowresponsemessage"))
    text = _text(_lower(interactive.get("body")).get("text"))
    try:
        value = _text(_lower(json.loads(_text(flow.get("paramsjson")) or "null")).get("id"))
    except (ValueError, RecursionError):
        value = None
    return Choice(text or "", value)


def _row_id(answer: object) -> str | None:
    return _text(_lower(_lower(answer).get("singleselectreply")).get("selectedrowid"))


def _lower(value: object) -> dict[str, object]:
    """An object with its keys in lower case: the engines disagree about them. Empty for anything else."""
    return {str(key).lower(): inner for key, inner in value.items()} if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
