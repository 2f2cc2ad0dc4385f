"""What a search found in a call, in a line of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.text import Text

from .calls import plain_call
from .text import styled

if TYPE_CHECKING:
    from ..ledger.search.query import Snippet

_FOUND = "bold yellow"
_INDENT = "    "


def snippet_line(call: Mapping[str, Any]) -> Text:
    """The snippet of a call that was found, what was searched for standing out."""
    snippet: Snippet = call["snippet"]
    line, end = Text(_INDENT), 0
    for start, stop in snippet.marks:
        if stop > end:
            line.append_text(styled(snippet.text[end : max(start, end)], "dim"))
            line.append_text(styled(snippet.text[max(start, end) : stop], _FOUND))
            end = stop
    return line.append_text(styled(snippet.text[end:], "dim"))


def plain_found(call: Mapping[str, Any]) -> dict[str, Any]:
    """A call for JSON output, with its snippet as text where it was searched for."""
    plain = plain_call(call)
    return {**plain, "snippet": plain["snippet"].text} if "snippet" in plain else plain
