"""Cuts the text of a file into its documents, in one pass, since files are large."""

from __future__ import annotations

import re
from typing import NamedTuple

from ...errors import CassetteError

END = "...\n"
_AT_MARGIN = re.compile("\n[^ \n]")
_SEPARATOR = re.compile(r"---[ \t]*\n")


class Piece(NamedTuple):
    """One document of a text: where it begins and ends, and where the response in it begins.

    That is 0 where something else than the ending comes after the response, unlike in what we write.
    """

    whole: str
    start: int
    end: int
    response: int

    @property
    def text(self) -> str:
        """The document."""
        return self.whole[self.start : self.end]

    @property
    def head(self) -> str:
        """What comes before the response."""
        return self.whole[self.start : self.response]

    @property
    def line(self) -> int:
        """The line on which the document begins."""
        return self.whole.count("\n", 0, self.start) + 1


def cut_documents(text: str, name: str) -> tuple[str, list[Piece]]:
    """The preamble and the documents after it; raises CassetteError where the end is missing."""
    first, *others = _cut(text, _end(text, name))
    preamble = first.text
    if others and all(not line or line.startswith("#") for line in preamble.split("\n")):
        return preamble + others[0].text, others[1:]  # formatters let a file begin with `---`
    return preamble, others


def _end(text: str, name: str) -> int:
    """Where the last line begins."""
    if text.endswith(f"\n{END}"):
        return len(text) - len(END)
    body = text.rstrip()
    if not body.endswith("\n..."):
        raise CassetteError(
            f"{name}:{body.count(chr(10)) + 1}: the file ends without its last line `...`, so it may have been "
            "cut off; get it back from git, or add that line if it is whole"
        )
    return len(body) - len("...")


def _cut(text: str, end: int) -> list[Piece]:
    pieces, start, response = [], 0, 0
    margins = [found.start() + 1 for found in _AT_MARGIN.finditer(text, 0, end)]
    for at in [0, *margins] if text.startswith("-") else margins:
        sign = text[at]
        if sign == "-" and (separator := _SEPARATOR.match(text, at, end)):
            pieces.append(Piece(text, start, at, response))
            start, response = separator.end(), 0
        elif sign == "r" and text.startswith("response:\n", at):
            response = at
        elif response and not text.startswith("ending:", at):
            response = 0
    pieces.append(Piece(text, start, end, response))
    return pieces
