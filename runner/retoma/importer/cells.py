"""The ways in which people and programs write a phone number into a cell, and the damage that they do to it.

What is left are digits, with + if the number has its country. Whether there is such a number is decided in
`phones` (docs/decisions/0030-phone-numbers.md).
"""

import re
import unicodedata
from urllib.parse import unquote

from retoma.importer.blanks import INVISIBLE, NOTHING


class PhoneError(Exception):
    """A cell that holds no number that can be used: `reason` is a stable code, `message` explains it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


NOT_A_NUMBER = ("not_a_number", "The cell does not hold a phone number.")


def clean(cell: str) -> str:
    """The digits of a cell, with + if it has one; raises PhoneError if digits alone would hide a fault."""
    cell = cell.strip(INVISIBLE)
    if len(cell) > _LONGEST:
        # A text of a hundred thousand characters would take seconds.
        raise PhoneError(*NOT_A_NUMBER)
    text = "".join(str(unicodedata.decimal(c, c)) for c in cell.translate(_NARROW)).strip(INVISIBLE)
    if text in NOTHING:
        text = ""
    # ="…" and a leading apostrophe keep Excel from calculating.
    text = re.sub(r'^="(.*)"$', r"\1", text).lstrip("'`\u00b4\u2018\u2019")
    text = _without_address(text)
    text = _without_fraction(_without_exponent(text))
    if not text:
        raise PhoneError("empty", "The phone cell is empty.")
    if _EXTENSION.search(text):
        raise PhoneError("extension", "The number has an extension; a message cannot reach one.")
    if sum(len(re.sub(r"\D", "", part)) >= _SHORTEST for part in _BETWEEN_NUMBERS.split(text)) > 1:
        raise PhoneError("several_numbers", "The cell holds several numbers; keep one.")
    number = "".join(c for c in text if not _is_punctuation(c))
    if not re.fullmatch(r"\+?[0-9]+", number):
        raise PhoneError(*NOT_A_NUMBER)
    return number


def looks_like_phone(cell: str) -> bool:
    """True for 8 to 15 digits in any writing of a number, and for such a number that a program damaged."""
    if len(cell) <= _LONGEST and _DATE.match(cell.strip()):
        return False
    try:
        return 8 <= len(clean(cell).lstrip("+")) <= 15
    except PhoneError as error:
        return error.reason in ("scientific_notation", "several_numbers", "extension", "hidden_number")


_SHORTEST = 7
_LONGEST = 1000
# The wide forms of ASCII that Japanese and Chinese keyboards write.
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
# Dashes, brackets, spaces and marks of writing direction: every script has its own.
_PUNCTUATION_CATEGORIES = frozenset(("Pd", "Ps", "Pe", "Zs", "Zl", "Zp", "Cf"))
# A minus, a Japanese vowel sign that looks like a dash, and two dots in the middle.
_PUNCTUATION = frozenset("./ \t\n\r\v\f\u2212\u30fc\u00b7\u2022")
_BETWEEN_NUMBERS = re.compile(r"[/;,|&\n\r]|:{2,}|(?<=\d)\s*(?=\+)|\s(?:e|y|et|und|and|ou|or|o|oder)\s")
_DATE = re.compile(
    r"(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:\d{4}|\d{2}))(?:[T\s].*)?$", re.DOTALL
)

# tel: is of vCards and links, p: of Facebook leads.
_SCHEME = re.compile(r"(?:tel|callto|sms|p|whatsapp)\s*:\s*(?!//)", re.IGNORECASE)
_LINK = re.compile(
    r"(?:https?://)?(?:www\.)?wa\.me/(?P<path>\+?\d+)/?(?:\?.*)?"
    r"|(?:https?://(?:api|web|www)\.whatsapp\.com/send/?|whatsapp://send/?)\?(?:.*&)?phone=(?P<query>[^&#]+).*",
    re.IGNORECASE,
)
_JID = re.compile(
    r"(?P<digits>\d+)(?:[._:]\d+)*@(?P<server>c\.us|s\.whatsapp\.net|hosted|lid|hosted\.lid)", re.IGNORECASE
)

_SCIENTIFIC = re.compile(r"[+-]?(?P<first>\d)(?:[.,](?P<rest>\d*))?E\+?(?P<exponent>\d{1,3})", re.IGNORECASE)
# People write 1195550.1234, so three or more digits behind the point are a fraction only behind ten or more.
_DECIMAL = re.compile(r"(?P<whole>\+?(?:\d{7,}(?=[.,]\d\d?\Z)|\d{10,}))[.,](?P<fraction>\d{1,6})")
_THOUSANDS = re.compile(
    r"(?P<whole>\+?\d{1,3}(?P<mark>[.,'\s])\d{3}(?:(?P=mark)\d{3})+)(?!(?P=mark))[.,](?P<fraction>\d{1,6})"
)
_EXTENSION = re.compile(
    r"[\d)]\W*(?:ext(?:ension|n)?|ramal|anexo|interno|poste|r|x|#)\W*\d{1,7}", re.IGNORECASE
)


def _is_punctuation(character: str) -> bool:
    return character in _PUNCTUATION or unicodedata.category(character) in _PUNCTUATION_CATEGORIES


def _without_address(text: str) -> str:
    """The number in a link or an id of WhatsApp, where it always has its country."""
    if link := _LINK.fullmatch(text):
        return "+" + (link["path"] or unquote(link["query"])).strip().lstrip("+")
    if jid := _JID.fullmatch(text):
        if jid["server"].lower().endswith("lid"):
            raise PhoneError(
                "hidden_number", "WhatsApp hides the number behind this id; ask the person for it."
            )
        return "+" + jid["digits"]
    return _SCHEME.sub("", text, count=1) if _SCHEME.match(text) else text


def _without_exponent(text: str) -> str:
    """A number that a program wrote as 1.1955501006E10, if all of its digits are there."""
    match = _SCIENTIFIC.fullmatch(text)
    if match is None:
        return text
    rest, exponent = match["rest"] or "", int(match["exponent"])
    if len(rest) < exponent:
        # 1.19555E10 may be a rounded number, and nothing tells it from a whole one.
        raise PhoneError(
            "scientific_notation",
            "The spreadsheet has shortened the number: its last digits may be lost. "
            "Format the column as text, enter the numbers again and export once more.",
        )
    return f"{match['first']}{rest[:exponent]}.{rest[exponent:] or '0'}"


def _without_fraction(text: str) -> str:
    """A number that a spreadsheet wrote with decimals or thousands, without them.

    A column with gaps becomes floats in pandas, and a column of numbers is shown with two decimals. Zeros
    lose no digit; any other fraction means that the number was calculated with.
    """
    match = _DECIMAL.fullmatch(text) or _THOUSANDS.fullmatch(text)
    if match is None:
        return text
    if match["fraction"].strip("0"):
        raise PhoneError(
            "decimal_number", "The number has decimals: a spreadsheet has changed it. Enter it again as text."
        )
    return re.sub(r"[^\d+]", "", match["whole"])
