"""Which encoding of one byte per character a list is in, from the words that are not ASCII.

Nothing in such a file says which it is. A wrong guess puts wrong letters into the names of people.
Where the words read well in two encodings, or in none, the operator chooses.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from retoma.errors import RetomaError

USUAL = "windows-1252"
_MOST_WORDS = 1000
_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_SHOWN = ("windows-1250", "windows-1254", "mac-roman", "cp866", "koi8-r", "shift_jis", "gb18030", "euc-kr")

_LATIN_LETTERS = "áàâãäåçéèêëíìîïñóòôõöúùûüÿß"
_LETTERS_OF_WINDOWS = frozenset(_LATIN_LETTERS + _LATIN_LETTERS[:-2].upper() + "Ÿæøœšžý" + "ÆØŒŠŽÝ")
_LETTERS_OF_DOS = frozenset(_LATIN_LETTERS + _LATIN_LETTERS[:-2].upper() + "ø" + "Ø")
# Quotes, dashes and signs.
_BEFORE_A_WORD = frozenset("\u201c\u2018\u201e\xbf\xa1\xab\u2022\u2013\u2014\xb4")
_IN_A_WORD = frozenset("\u2019\u2018\xb4\xb7\xa0\xad")
_BEHIND_A_WORD = frozenset("\u201d\u2019\xbb\xaa\xba\xb0\xae\u2122\u2026\xb4\u2013\u2014\xa0")
# How these letters go on tells them from others with the same byte: ção and Simões, but Märkte and Garçon.
_GOES_ON = {"õ": "eE", "ã": "oesiOESI", "œ": "uiUI", "ç": "aouáàâãóòôõúùûAOUÁÀÂÃÓÒÔÕÚÙÛ"}
_NEVER_BEFORE = {"ä": "e"}
_MAY_END = frozenset("ã")
_CYRILLIC = re.compile(
    "[\\u2116\\xab\\u201c\\u201e]?[\\u0400-\\u045f\\u0490\\u0491]+(?:\\u2019[\\u0400-\\u045f]+)?[\\xbb\\u201d\\u2026]?"
)


class Guess(NamedTuple):
    """An encoding, and a word that shows it."""

    encoding: str
    word: str


def guess_encoding(sample: bytes) -> Guess:
    """The encoding of some bytes, of which some are not ASCII.

    Raises:
        RetomaError: it cannot be told; with the words as each encoding reads them.
    """
    words = list(dict.fromkeys(_WORD.findall(sample)))[:_MOST_WORDS]
    judged = {name: _share(words, name, judge) for name, judge in _JUDGES.items()}
    best = max(judged.values())
    good = [name for name, share in judged.items() if share >= max(_GOOD, best - _CLOSE)]
    if len(good) != 1:
        raise _ask(words, good or [*_JUDGES, *_SHOWN])
    return Guess(good[0], _shown(words, good[0], 1))


# So many of the words must read well, and so much better than in the next encoding.
_GOOD = 0.7
_CLOSE = 0.15


def _share(words: list[bytes], encoding: str, judge: Callable[[str], bool | None]) -> float:
    """The part of the words that read well; words that say nothing speak for the usual encoding."""
    verdicts = []
    for word in words:
        try:
            verdicts.append(judge(word.decode(encoding)))
        except UnicodeDecodeError:
            verdicts.append(False)
    telling = [verdict for verdict in verdicts if verdict is not None]
    if not telling:
        return 1.0 if encoding == USUAL else 0.5
    return sum(telling) / len(telling)


def _in_windows(word: str) -> bool | None:
    return _is_latin(word, _LETTERS_OF_WINDOWS)


def _in_dos(word: str) -> bool | None:
    return _is_latin(word, _LETTERS_OF_DOS)


def _is_latin(word: str, letters: frozenset[str]) -> bool | None:
    word = word.lstrip("".join(_BEFORE_A_WORD)).rstrip("".join(_BEHIND_A_WORD))
    if word.isascii() or not any(map(str.isalpha, word)) or (len(word) <= 2 and letters.issuperset(word)):
        # A sign beside a word, or one or two letters: too little.
        return None
    if re.search(r"[^\x00-\x7f\u2019]{3}", word):
        return False
    return all(
        character.isascii()
        or (character in _IN_A_WORD and 0 < at < len(word) - 1)
        or (character in letters and _fits(word, at))
        for at, character in enumerate(word)
    )


def _fits(word: str, at: int) -> bool:
    """Whether a letter stands where a person would write it: JOÃO and João, but not JOãO and JoÃo."""
    letter, before, behind = word[at], word[:at], word[at + 1 :]
    if letter.isupper() and (before[-1:].islower() or (before[-1:].isupper() and behind[:1].islower())):
        return False
    if (
        letter.islower()
        and letter != "ß"
        and (behind[:1].isupper() or (len(before) > 1 and before[-2:].isupper()))
    ):
        return False
    if behind[:1].lower() in _NEVER_BEFORE.get(letter.lower(), ()):
        return False
    goes_on = _GOES_ON.get(letter.lower())
    if goes_on is None:
        return True
    return behind[0] in goes_on if behind[:1].isalpha() else letter.lower() in _MAY_END


def _in_cyrillic(word: str) -> bool | None:
    letters = "".join(filter(str.isalpha, word))
    if not _CYRILLIC.fullmatch(word) or not (letters[1:].islower() or letters.isupper()):
        return False
    return None if len(letters) <= 2 else True


_JUDGES: dict[str, Callable[[str], bool | None]] = {
    USUAL: _in_windows,
    "cp850": _in_dos,
    "windows-1251": _in_cyrillic,
}


def _ask(words: list[bytes], encodings: list[str]) -> RetomaError:
    samples: dict[str, str] = {}
    for encoding in encodings:
        try:
            sample = _shown(words, encoding, 3)
        except UnicodeDecodeError:
            continue
        if sample.isprintable():
            samples.setdefault(sample, encoding)
    choices = "; ".join(f"--encoding {encoding}: {sample}" for sample, encoding in samples.items())
    return RetomaError(
        "The file does not say which encoding it is in, and its words do not tell. Nothing was imported.",
        hint=f"Choose the one in which these words are right, or export the file as “CSV UTF-8”. {choices}",
    )


def _shown(words: list[bytes], encoding: str, count: int) -> str:
    return ", ".join(
        f"“{word[:40].decode(encoding)}”" for word in sorted(words, key=len, reverse=True)[:count]
    )
