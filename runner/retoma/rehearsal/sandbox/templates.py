"""The templates of an account of the Cloud API, as Meta lists them, and what it refuses to send.

Without a list, the sandbox takes every template.
"""

from collections.abc import Mapping, Sequence

from retoma.errors import RetomaError

_PER_PAGE = 25


def parse(document: object) -> list[Mapping[str, object]]:
    """The templates in a JSON list, in the form in which Meta lists them.

    Raises:
        RetomaError: one of them has no name, language or status.
    """
    if not isinstance(document, list) or not all(
        isinstance(item, Mapping)
        and all(isinstance(item.get(key), str) for key in ("name", "language", "status"))
        for item in document
    ):
        raise RetomaError(
            "The templates are not usable.",
            hint="Give a list of objects with name, language, status and components, as Meta lists them.",
        )
    return document


def page(
    templates: Sequence[Mapping[str, object]], address: str, query: Mapping[str, str]
) -> dict[str, object]:
    """One page of the list.

    Args:
        address: of the list, for the link to the next page.
        query: limit and after, the cursor that the page before gave.
    """
    begin = int(query.get("after") or 0)
    end = begin + max(int(query.get("limit") or _PER_PAGE), 1)
    cursors = {"before": str(begin), "after": str(end)}
    paging: dict[str, object] = {"cursors": cursors}
    if end < len(templates):
        paging["next"] = f"{address}?after={end}"
    return {"data": list(templates[begin:end]), "paging": paging}


def refusal(
    templates: Sequence[Mapping[str, object]], request: Mapping[str, object]
) -> dict[str, object] | None:
    """The error that Meta answers to a message with a template; None when it takes it.

    Args:
        request: the body of the request; one without a template is taken.
    """
    wanted = request.get("template")
    if not templates or not isinstance(wanted, Mapping):
        return None
    language = wanted.get("language")
    named = wanted.get("name"), language.get("code") if isinstance(language, Mapping) else None
    found = next((item for item in templates if (item["name"], item["language"]) == named), None)
    if found is None or found["status"] not in ("APPROVED", "PAUSED", "DISABLED"):
        return _error(132001, "Template name does not exist in the translation")
    if found["status"] != "APPROVED":
        paused = found["status"] == "PAUSED"
        return _error(132015 if paused else 132016, f"Template is {'paused' if paused else 'disabled'}")
    if _variables(found) != _parameters(wanted):
        return _error(132000, "Number of parameters does not match the expected number of params")
    return None


def _variables(template: Mapping[str, object]) -> int:
    """The variables in its body."""
    text = next((str(part.get("text")) for part in _parts(template, "BODY")), "")
    return text.count("{{")


def _parameters(message: Mapping[str, object]) -> int:
    given = [part.get("parameters") for part in _parts(message, "BODY")]
    return sum(len(parameters) for parameters in given if isinstance(parameters, list))


def _parts(holder: Mapping[str, object], kind: str) -> list[Mapping[str, object]]:
    parts = holder.get("components")
    return [
        part
        for part in (parts if isinstance(parts, list) else [])
        if isinstance(part, Mapping) and str(part.get("type")).upper() == kind
    ]


def _error(code: int, message: str) -> dict[str, object]:
    return {"error": {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code}}
