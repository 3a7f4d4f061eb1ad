"""What a person chose from buttons or a list, which WAHA leaves out of the body of a message.

The engines pass the message of WhatsApp on as it is, in `_data`: NOWEB and GOWS with the names of WhatsApp's
own protocol (Message.proto of Baileys and whatsmeow), WEBJS with those of WhatsApp Web.
"""

import json
from typing import NamedTuple


class Choice(NamedTuple):
    """The words that the person saw, and the value behind them."""

    text: str
    value: str | None


_NOTHING = Choice("", None)
# By the kind of answer, without regard to case: where its words and its value are.
_ANSWERS = {
    "buttonsresponsemessage": ("selecteddisplaytext", "selectedbuttonid"),
    "templatebuttonreplymessage": ("selecteddisplaytext", "selectedid"),
    "listresponsemessage": ("title", "selectedrowid"),
}
_INTERACTIVE = "interactiveresponsemessage"
# Messages that hold another one: a disappearing chat, an edit.
_WRAPPERS = ("ephemeralmessage", "viewoncemessage", "viewoncemessagev2", "editedmessage", "protocolmessage")
_DEEPEST = 5


def chosen(data: object) -> Choice:
    """The choice in the `_data` of a payload; empty when there is none."""
    facts = _lower(data)
    found = _in_message(facts.get("message"), _DEEPEST)
    if found != _NOTHING:
        return found
    # WEBJS: on the message itself.
    return Choice("", _text(facts.get("selectedbuttonid")) or _row_id(facts.get("listresponse")))


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
            found = _in_message(inner.get("message") or inner, depth - 1) if inner else _NOTHING
            if found != _NOTHING:
                return found
    return _NOTHING


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
