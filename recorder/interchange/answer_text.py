"""The text of an answer, in lines that can be compared."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from typing import Any

from ..body import read_answer
from ..call import Call, Choice
from ..exchange import Exchange

_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+")  # noqa: RUF001 - full-width signs end sentences too


def answer_lines(exchange: Exchange, call: Call) -> list[str]:
    """What the model said, a sentence a line; where there is no choice, the body: JSON a member a line."""
    if call.answer.choices:
        return [line for choice in call.answer.choices for line in _choice(choice)]
    body = read_answer(exchange).data.decode("utf-8", "replace")
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False).split("\n")
    except (ValueError, RecursionError):
        return body.splitlines()


def text_changes(before: list[str], after: list[str]) -> list[str]:
    """What differs as lines of a unified diff, `…` between places; nothing where they are equal."""
    lines = list(difflib.unified_diff(before, after, n=1, lineterm=""))[3:]
    return ["…" if line.startswith("@@ ") else line for line in lines]


def _choice(choice: Choice) -> Iterator[str]:
    for title, text in (("reasoning", choice.reasoning), ("refusal", choice.refusal)):
        if text:
            yield f"({title})"
            yield from _sentences(text)
            yield f"(end of {title})"
    yield from _content(choice.content)
    legacy = () if choice.function_call is None else (choice.function_call,)
    for call in choice.tool_calls + legacy:
        yield f"calls {call.name or '?'} {call.arguments}"


def _content(content: str | list[Any] | None) -> Iterator[str]:
    if isinstance(content, str):
        yield from _sentences(content)
        return
    for part in content or ():
        text = part.get("text") if isinstance(part, dict) else part
        yield from _sentences(text if isinstance(text, str) else json.dumps(part, ensure_ascii=False))


def _sentences(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield from _SENTENCE_END.split(line)
