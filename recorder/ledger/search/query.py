"""What people search for: words that must all be there, "phrases", beginnings* and -exceptions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

from msgspec import Struct

from .words import LONGEST_TERM, Word, composed, is_sign, terms_of, words

Mark = tuple[int, int]
"""Where a match begins and ends in a text."""

_PART = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)(?:"(?P<star>\*?)|$)|(?P<word>[^\s"]+))')
_WIDTH: Final = 160
_LEAD: Final = 50


class Phrase(Struct, frozen=True):
    """Words that stand one after the other; with `prefix`, the last of them is the beginning of one."""

    words: tuple[Word, ...]
    prefix: bool = False

    def find(self, sequence: Sequence[Word]) -> list[Mark]:
        """Where it stands in the words of a text."""
        mine, length = [word.folded for word in self.words], len(self.words)
        found = []
        for number, word in enumerate(sequence[: len(sequence) - length + 1]):
            if length > 1 and word.folded != mine[0]:
                continue
            *before, last = (each.folded for each in sequence[number : number + length])
            if before == mine[:-1] and (last == mine[-1] or (self.prefix and last.startswith(mine[-1]))):
                found.append((word.start, sequence[number + length - 1].end))
        return found


class Query(Struct, frozen=True):
    """Phrases of which all must be in what a call says, and phrases of which none may."""

    wanted: tuple[Phrase, ...]
    unwanted: tuple[Phrase, ...] = ()

    @property
    def terms(self) -> dict[str, bool]:
        """What an index must have of a call, and whether it is the beginning of a term only."""
        found: dict[str, bool] = {}
        for phrase in self.wanted:
            sequence = list(phrase.words)
            last = sequence.pop() if phrase.prefix else None
            found.update((term, False) for term in terms_of(sequence))
            if last is not None:
                found.update((term, found.get(term, True)) for term in terms_of([last]))
        return found

    @property
    def unwanted_terms(self) -> dict[str, bool]:
        """What an index must not have; longer phrases can only be told from texts."""
        single = [phrase for phrase in self.unwanted if len(phrase.words) == 1]
        short = [phrase for phrase in single if len(phrase.words[0].folded) < LONGEST_TERM]
        return {phrase.words[0].folded: phrase.prefix for phrase in reversed(short)}


class Snippet(Struct, frozen=True):
    """A piece of what was said, and where in it something was found."""

    text: str
    marks: tuple[Mark, ...]


def parse_query(text: str) -> Query:
    """Read what somebody typed. Raises ValueError where nothing is left to search for."""
    wanted: list[Phrase] = []
    unwanted: list[Phrase] = []
    for part in _PART.finditer(composed(text)):
        said = part["phrase"] if part["word"] is None else part["word"]
        sequence = tuple(words(said))
        if sequence:
            star = bool(part["star"]) or said.endswith("*")
            phrase = Phrase(sequence, star and not is_sign(sequence[-1].folded))
            (unwanted if part["minus"] else wanted).append(phrase)
    if not wanted:
        reason = "only says what is not wanted" if unwanted else "has no word in it"
        raise ValueError(f'{text!r} {reason}; give words, "a phrase", beginning* and -without')
    return Query(tuple(wanted), tuple(unwanted))


def match(query: Query, texts: Iterable[str]) -> Snippet | None:
    """What was found where in the texts of a call; None where it is not what is searched for."""
    said = [(text, list(words(text))) for text in map(composed, texts)]
    if any(phrase.find(sequence) for phrase in query.unwanted for _, sequence in said):
        return None
    best: tuple[int, str, list[Mark]] = (0, "", [])
    missing = set(range(len(query.wanted)))
    for text, sequence in said:
        marks = [phrase.find(sequence) for phrase in query.wanted]
        here = {number for number, found in enumerate(marks) if found}
        missing -= here
        if len(here) > best[0]:
            best = (len(here), text, sorted(set(chain.from_iterable(marks))))
    return None if missing else _cut(best[1], best[2])


def _cut(text: str, marks: list[Mark]) -> Snippet:
    """The surroundings of the first mark, in one line."""
    first = marks[0][0]
    start = 0 if first <= _LEAD else max(text.rfind(" ", 0, first - _LEAD + 15), first - _LEAD) + 1
    end = min(len(text), max(start + _WIDTH, marks[0][1]))
    piece = text[start:end]
    before, after = "…" if start else "", "…" if end < len(text) else ""
    shift = len(before) - start
    # Each white space becomes one blank, so that places stay.
    line = "".join(" " if sign.isspace() else sign for sign in piece)
    inside = tuple(
        (begin + shift, close + shift) for begin, close in marks if start <= begin and close <= end
    )
    return Snippet(before + line + after, inside)
