"""What the sandbox knows about numbers: where it differs from "on WhatsApp, under this number".

A control replaces all of it: {"+5511987650001": "+551187650001", "+5511987650002": "123@lid",
"+5511987650003": null}. null: not on WhatsApp.
"""

from collections.abc import Mapping

from retoma.errors import RetomaError


def parse(document: object) -> Mapping[str, str | None]:
    """The addresses by number.

    Raises:
        RetomaError: it is not an object of texts and nulls.
    """
    if not isinstance(document, dict) or not all(v is None or isinstance(v, str) for v in document.values()):
        raise RetomaError("Numbers are an object: from E.164 to an address, or to null.")
    return document


def address_of(phone: str, server: str, known: Mapping[str, str | None]) -> str | None:
    """The address of a number as a gateway writes it; None when it is not on WhatsApp.

    Args:
        phone: E.164.
        server: what follows after the @ of an address by number.
        known: see parse.
    """
    address = known.get(phone, phone)
    if address is None or "@" in address:
        return address
    return f"{address.removeprefix('+')}@{server}"
