"""What a recipient gets, for a person to read."""

from collections.abc import Iterator, Mapping

from retoma.content.written import Content


def in_words(content: Content) -> list[str]:
    """The lines that show a content: a text as it is, of any other kind each field with its place.

    Args:
        content: a rendered content.
    """
    fields = {name: value for name, value in content.items() if name != "kind"}
    if len(fields) == 1 and isinstance(value := next(iter(fields.values())), str):
        return value.splitlines()
    return [f"({content['kind']})", *_fields(fields, "")]


def _fields(value: object, place: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _fields(part, f"{place}.{name}" if place else name)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _fields(part, f"{place}[{number}]")
    else:
        first, *others = str(value).splitlines() or [""]
        yield f"{place}: {first}"
        yield from (f"  {line}" for line in others)
