"""Texts as words that can be compared: without case and accents, and scripts without spaces sign by sign."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

LONGEST_TERM: Final = 40
"""An index needs no more of a word; what is longer is mostly no word."""

# Thai, Lao, Burmese, Khmer, kana, Chinese signs, Hangul: no spaces between words, or endings that stick to them.
_SIGNS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
_ACCENTS = "\u0300-\u036f"
_WORD = re.compile(f"(?=[^\\W_])[{_SIGNS}]|(?:[^\\W_{_SIGNS}][{_ACCENTS}]*)+")
_SIGN = re.compile(f"[{_SIGNS}]")
_ACCENT = re.compile(f"[{_ACCENTS}]")
# Letters that Unicode does not take apart, though people type them without their strokes.
_STROKES = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "\u0131": "i", "æ": "ae", "œ": "oe"}
)
_ASCII_WORD = re.compile("[a-z0-9]+")


class Word(NamedTuple):
    """A word or a sign as it is compared, and where it stands in its text."""

    folded: str
    start: int
    end: int


def composed(text: str) -> str:
    """The text in the form to which the places of its words refer."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def words(text: str) -> Iterator[Word]:
    """The words of a composed text."""
    if text.isascii():
        for found in _ASCII_WORD.finditer(text.lower()):
            yield Word(found[0], *found.span())
        return
    for found in _WORD.finditer(text):
        if folded := _fold(found[0]):
            yield Word(folded, *found.span())


def is_sign(word: str) -> bool:
    """Whether a word is one sign of a script that is written without spaces."""
    return len(word) == 1 and _SIGN.match(word) is not None


def terms(texts: Iterable[str]) -> set[str]:
    """What an index keeps of texts: words, single signs, and pairs of neighbouring signs."""
    found: set[str] = set()
    for text in texts:
        if text.isascii():
            found.update([word[:LONGEST_TERM] for word in _ASCII_WORD.findall(text.lower())])
        else:
            found.update(terms_of([*words(composed(text))], signs=True))
    return found


def terms_of(sequence: Sequence[Word], *, signs: bool = False) -> Iterator[str]:
    """The terms of words in a row; of signs that have a neighbour the pairs, with `signs` also each by itself."""
    paired: set[int] = set()
    for number in range(1, len(sequence)):
        former, word = sequence[number - 1], sequence[number]
        if former.end == word.start and is_sign(former.folded) and is_sign(word.folded):
            paired.update((number - 1, number))
            yield former.folded + word.folded
    for number, word in enumerate(sequence):
        if signs or number not in paired:
            yield word.folded[:LONGEST_TERM]


@lru_cache(maxsize=65536)
def _fold(word: str) -> str:
    folded = _ACCENT.sub("", unicodedata.normalize("NFKD", word.casefold()))
    folded = unicodedata.normalize("NFC", folded).casefold()
    return "".join(filter(str.isalnum, folded.translate(_STROKES)))
