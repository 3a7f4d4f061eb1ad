"""The requests of Evolution GO for each kind of content."""

from collections.abc import Callable, Mapping
from functools import partial

from retoma.transports.evolution_common import file_name, most_answers
from retoma.transports.whatsapp_web_contents import Content, Request, is_voice, link, of_kind, optional


def request(content: Content) -> Request:
    """The request for a rendered content.

    Args:
        content: its fields, rendered.

    Raises:
        NotSupported: there is no such request. Buttons are among them: the server builds their JSON out of
            the words without quoting them, and cannot carry our id.
    """
    return of_kind(_REQUESTS, content)


def _text(content: Content) -> Request:
    return Request("text", {"text": content["text"]})


def _audio(content: Content) -> Request:
    # The server makes a voice note of every audio. Any other goes out as a file.
    return _media("audio" if is_voice(content) else "document", content)


def _media(kind: str, content: Content) -> Request:
    address = link(content.get("media"))
    shown = optional(caption=content.get("caption"), filename=file_name(kind, content, address))
    return Request("media", {"type": kind, "url": address, **shown})


def _poll(content: Content) -> Request:
    question, options = content["question"], content["options"]
    return Request("poll", {"question": question, "options": options, "maxAnswer": most_answers(content)})


_REQUESTS: Mapping[str, Callable[[Content], Request]] = {
    "text": _text,
    **{kind: partial(_media, kind) for kind in ("image", "video", "document")},
    "audio": _audio,
    "poll": _poll,
}
