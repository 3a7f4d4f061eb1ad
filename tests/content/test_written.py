"""Contents of several texts: each text is rendered in its place, and is what its field has to be."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from retoma.content.apart import render_all
from retoma.content.in_words import in_words
from retoma.content.process import RenderProcess
from retoma.content.renderer import compile_content
from retoma.content.results import RenderError
from retoma.content.written import Content, Written

PHONE = "+5511955500001"
LINE = r"\A( {0,4}[^ \n\r\t])* {0,4}\Z"


def row(*path: str | int, **more: object) -> dict[str, object]:
    """A text as the database lists it."""
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return {"path": list(path), "place": place.removeprefix("."), **more}


CONTENT: dict[str, object] = {
    "kind": "template",
    "name": "order",
    "language": "pt_BR",
    "body": ["{{ name }}", "R$ {{ price }}"],
    "header": {"image": {"link": "https://example.com/{{ name }}.jpg"}},
    "footer": "{{ note }}",
    "data": {"n": [1, None, "{{ note }}"]},
    "flags": [True, []],
}
TEXTS = [
    row("body", 0, required=True, pattern=LINE, words="has a line break", maximum=10),
    row("body", 1, required=True, maximum=10),
    row("header", "image", "link", required=True, pattern=r"\Ahttps?://[^ ]+\Z", words="is no address"),
    row("footer"),
    row("data", "n", 2, free=True),
]

PLAIN = Written(CONTENT, TEXTS)
FILTERED = Written({**CONTENT, "body": ["{{ name | append: '' }}", "R$ {{ price }}"]}, TEXTS)

BOTH = pytest.mark.parametrize("written", [PLAIN, FILTERED], ids=["plain", "liquid"])


@pytest.fixture
async def process() -> AsyncIterator[RenderProcess]:
    process = RenderProcess()
    yield process
    await process.aclose()


async def made(written: Written, process: RenderProcess, **variables: object) -> Content | RenderError:
    """What one recipient gets; variables has name, price and note unless it says otherwise."""
    given: Mapping[str, object] = {"name": "Ana", "price": "5", "note": "até já", **variables}
    async with asyncio.timeout(60):
        (result,) = await render_all(await compile_content(written, process), [(PHONE, dict(given))])
    return result


@BOTH
async def test_each_text_is_rendered_in_its_place_and_nothing_else_changes(
    written: Written, process: RenderProcess
) -> None:
    assert await made(written, process) == {
        "kind": "template",
        "name": "order",
        "language": "pt_BR",
        "body": ["Ana", "R$ 5"],
        "header": {"image": {"link": "https://example.com/Ana.jpg"}},
        "footer": "até já",
        "data": {"n": [1, None, "até já"]},
        "flags": [True, []],
    }


@BOTH
async def test_an_optional_text_that_is_blank_is_left_out_and_a_free_one_stays(
    written: Written, process: RenderProcess
) -> None:
    content = await made(written, process, note=" ")

    assert not isinstance(content, RenderError)
    assert "footer" not in content
    assert content["data"] == {"n": [1, None, " "]}


@BOTH
@pytest.mark.parametrize(
    ("variables", "code", "words"),
    [
        ({"name": " "}, "text_empty", "body[0] is empty"),
        ({"name": "Ana\nBia"}, "text_malformed", "body[0] has a line break"),
        ({"name": "A     B"}, "text_malformed", "body[0] has a line break"),
        ({"name": "Ana Maria Souza"}, "text_too_long", "body[0] has more than 10 characters"),
        ({"price": "1.234.567,00"}, "text_too_long", "body[1] has more than 10 characters"),
        ({"name": "Ana B"}, "text_malformed", "header.image.link is no address"),
    ],
)
async def test_what_a_recipient_makes_of_a_text_can_be_an_error_of_its_own(
    *, written: Written, process: RenderProcess, variables: dict[str, object], code: str, words: str
) -> None:
    error = await made(written, process, **variables)

    assert isinstance(error, RenderError)
    assert (error.code, error.words) == (code, words)
    assert error.outcome == code


async def test_a_content_without_texts_is_the_same_for_everybody(process: RenderProcess) -> None:
    content = {"kind": "template", "name": "hello", "language": "pt_BR"}

    assert await made(Written(content, []), process) == content


@pytest.mark.parametrize("liquid", ["Oi {{ name }}", "Oi {{ name | append: '' }}"])
async def test_the_limit_of_a_content_of_one_text_holds(liquid: str, process: RenderProcess) -> None:
    content = {"kind": "text", "text": liquid}
    written = Written(content, [row("text", required=True, maximum=6)])

    assert await made(written, process) == {"kind": "text", "text": "Oi Ana"}
    error = await made(written, process, name="Anna")
    assert isinstance(error, RenderError)
    assert error.code == "text_too_long"


async def test_a_text_of_one_variable_may_not_be_blank(process: RenderProcess) -> None:
    written = Written({"kind": "text", "text": " {{ name }}\n"}, [row("text", required=True)])

    error = await made(written, process, name="\u00a0")

    assert isinstance(error, RenderError)
    assert error.code == "text_empty"


def test_a_text_is_shown_as_it_is_and_any_other_kind_with_its_places() -> None:
    assert in_words({"kind": "text", "text": "Oi\nAna"}) == ["Oi", "Ana"]
    assert in_words({"kind": "list", "text": "a\nb", "sections": [{"rows": [{"id": "1"}]}], "x": True}) == [
        "(list)",
        "text: a",
        "  b",
        "sections[0].rows[0].id: 1",
        "x: True",
    ]
