"""The list of templates of an account, page by page."""

from collections.abc import Mapping

from yarl import URL

from retoma.errors import RetomaError
from retoma.transports.base import Template
from retoma.transports.http.client import Answer, HttpClient
from retoma.transports.whatsapp_cloud.answers import provider_code

_FIELDS = "name,language,status,category,parameter_format,components,quality_score"
_PER_PAGE = 100
# An account has 6,000 templates at most. A provider whose pages never end must not keep a runner.
_MOST_PAGES = 100


async def list_templates(http: HttpClient, url: URL) -> list[Template]:
    """All templates.

    Args:
        http: to the provider, with the header of the token.
        url: of the list.

    Raises:
        RetomaError: a page is no page of templates.
    """
    templates: list[Template] = []
    query = {"fields": _FIELDS, "limit": str(_PER_PAGE)}
    for _ in range(_MOST_PAGES):
        answer = await http.get_json(url.with_query(query).raw_path_qs)
        page = _page(answer)
        templates += [template for item in page if (template := _template(item)) is not None]
        after = _next(answer)
        if after is None:
            return templates
        query["after"] = after
    raise RetomaError("The list of templates does not end.", hint="Tell the makers of Retoma.")


def _page(answer: Answer) -> list[object]:
    data = answer.field("data")
    if answer.ok and isinstance(data, list):
        return data
    error = answer.field("error")
    code = provider_code(error.get("code")) if isinstance(error, Mapping) else None
    raise RetomaError(
        f"The provider gives no list of templates ({code or answer.code or 'unreadable_answer'}).",
        hint="The settings waba_id and access_token decide it: the token needs whatsapp_business_management.",
    )


def _next(answer: Answer) -> str | None:
    """The cursor of the next page; None on the last one, which has no address of a next page."""
    paging = answer.field("paging")
    cursors = paging.get("cursors") if isinstance(paging, Mapping) and paging.get("next") else None
    after = cursors.get("after") if isinstance(cursors, Mapping) else None
    return after if isinstance(after, str) and after else None


def _template(item: object) -> Template | None:
    if not isinstance(item, Mapping):
        return None
    name, language, status = (_text(item, key) for key in ("name", "language", "status"))
    if name is None or language is None or status is None:
        return None
    quality, components = item.get("quality_score"), item.get("components")
    return Template(
        name,
        language,
        status,
        category=_text(item, "category"),
        quality=_text(quality, "score") if isinstance(quality, Mapping) else None,
        named=item.get("parameter_format") == "NAMED",
        components=components if isinstance(components, list) else [],
    )


def _text(item: Mapping[str, object], key: str) -> str | None:
    value = item.get(key)
    return value if isinstance(value, str) and value else None
