"""A content as it is written, and what its Liquid texts become for one recipient.

Nothing here knows a kind of content or a field by its name. The database knows the shape of each kind, and
says of a content where its texts are and what each of them has to be (retoma.contents_to_check).
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from retoma.content.budget import LONGEST_TEXT
from retoma.content.results import RenderError

Content = Mapping[str, object]
"""A kind and its fields, as in the database, or as it is sent when its texts are rendered."""

_Path = tuple[str | int, ...]
_Maker = Callable[[Sequence[str | None]], Any]


@dataclass(frozen=True, slots=True)
class Text:
    """One Liquid text of a content.

    Args:
        path: names, and indexes from 0, from the content to the text.
        place: the same in words, for errors: buttons[2].title.
        liquid: the text as it is written.
        maximum: characters that it may have when it is rendered.
        required: it may not be blank; another one that is blank is left out with its name.
        free: it may be blank, and stays.
        pattern: what it has to match when it is rendered; None for any text.
        words: what is wrong with one that does not match, as in "is not an address".
    """

    path: _Path
    place: str
    liquid: str
    maximum: int = LONGEST_TEXT
    required: bool = True
    free: bool = False
    pattern: re.Pattern[str] | None = None
    words: str = ""

    def fitted(self, rendered: str) -> str | None:
        """The text as it is sent; None when it is left out.

        Raises:
            RenderError: it is not what it has to be.
        """
        if self.free:
            return rendered
        if not rendered.strip():
            if self.required:
                raise RenderError("text_empty", f"{self.place} is empty")
            return None
        if len(rendered) > self.maximum:
            raise RenderError("text_too_long", f"{self.place} has more than {self.maximum} characters")
        if self.pattern is not None and self.pattern.search(rendered) is None:
            raise RenderError("text_malformed", f"{self.place} {self.words}")
        return rendered


class Written:
    """A content and its Liquid texts.

    Args:
        content: as it is in the database.
        texts: as the database lists them beside it.
    """

    def __init__(self, content: Content, texts: Sequence[Mapping[str, Any]]) -> None:
        self.content = content
        self.texts = tuple(_text(content, row) for row in texts)
        self.key = key_of(content, texts)

    @cached_property
    def _make(self) -> _Maker:
        places = {text.path: number for number, text in enumerate(self.texts)}
        return _maker(self.content, (), places) or (lambda _texts: dict(self.content))

    def rendered(self, texts: Sequence[str]) -> Content:
        """The content with these texts in place of its own, in their order.

        Raises:
            RenderError: one of them is not what it has to be.
        """
        made: Content = self._make(
            [text.fitted(words) for text, words in zip(self.texts, texts, strict=True)]
        )
        return made


def key_of(content: Content, texts: object) -> str:
    """The same for the same content with the same texts."""
    return json.dumps([content, texts], sort_keys=True)


def _text(content: Content, row: Mapping[str, Any]) -> Text:
    path = tuple(row["path"])
    pattern = row.get("pattern")
    return Text(
        path,
        row["place"],
        _at(content, path),
        maximum=row.get("maximum", LONGEST_TEXT),
        required=row.get("required", False),
        free=row.get("free", False),
        pattern=None if pattern is None else re.compile(pattern),
        words=row.get("words", ""),
    )


def _at(content: Any, path: _Path) -> str:
    for step in path:
        content = content[step]
    return str(content)


def _maker(value: Any, path: _Path, places: Mapping[_Path, int]) -> _Maker | None:
    """From the rendered texts to this part of a content; None for a part without a text."""
    if path in places:
        number = places[path]
        return lambda texts: texts[number]
    if isinstance(value, Mapping):
        makers = {
            name: maker for name, part in value.items() if (maker := _maker(part, (*path, name), places))
        }
        return _object_maker(value, makers) if makers else None
    if isinstance(value, list):
        parts = [(part, _maker(part, (*path, number), places)) for number, part in enumerate(value)]
        return lambda texts: [part if maker is None else maker(texts) for part, maker in parts]
    return None


def _object_maker(value: Mapping[str, Any], makers: Mapping[str, _Maker]) -> _Maker:
    def make(texts: Sequence[str | None]) -> dict[str, Any]:
        made = dict(value)
        for name, maker in makers.items():
            part = maker(texts)
            if part is None:
                del made[name]
            else:
                made[name] = part
        return made

    return make
