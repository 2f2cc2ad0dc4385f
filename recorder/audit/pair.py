"""Two calls beside each other: what differs in what was asked, what was said, and what it took."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from .reading import Reading

if TYPE_CHECKING:
    from ..call import Message

Mark = Literal["same", "removed", "added", "gap"]
_CONTEXT = 2
_LONGEST_LINE = 2_000
_MOST_LINES = 1_500


class Line(Struct, frozen=True):
    """One line of a difference; a gap says how many equal ones are left out."""

    mark: Mark
    text: str


class Pair(Struct, frozen=True):
    """Parameters as name, one value and the other; prompts and answers as lines."""

    parameters: tuple[tuple[str, str | None, str | None], ...]
    prompt: tuple[Line, ...]
    answer: tuple[Line, ...]


def pair(one: Reading, other: Reading) -> Pair:
    """What differs between two calls whose content is there."""
    parameters = _parameters(one), _parameters(other)
    names = list(dict.fromkeys([*parameters[0], *parameters[1]]))
    return Pair(
        tuple((name, parameters[0].get(name), parameters[1].get(name)) for name in names),
        difference_of(_prompt(one), _prompt(other)),
        difference_of(_answer(one), _answer(other)),
    )


def difference_of(one: str, other: str) -> tuple[Line, ...]:
    """The lines of two texts, with those that only one has marked, and long equal parts left out."""
    before, after = _lines(one), _lines(other)
    found: list[Line] = []
    for kind, start, end, begin, stop in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            found += _shortened(before[start:end], first=not start, last=end == len(before))
        else:
            found += [Line("removed", text) for text in before[start:end]]
            found += [Line("added", text) for text in after[begin:stop]]
    return tuple(found)


def _lines(text: str) -> list[str]:
    lines = [line[:_LONGEST_LINE] + ("…" if len(line) > _LONGEST_LINE else "") for line in text.split("\n")]
    return lines[:_MOST_LINES]


def _shortened(lines: list[str], *, first: bool, last: bool) -> Iterator[Line]:
    head, tail = 0 if first else _CONTEXT, 0 if last else _CONTEXT
    left_out = len(lines) - head - tail
    if left_out < 2:
        yield from (Line("same", text) for text in lines)
        return
    yield from (Line("same", text) for text in lines[:head])
    yield Line("gap", f"{left_out} equal lines")
    yield from (Line("same", text) for text in lines[len(lines) - tail :])


def _parameters(reading: Reading) -> dict[str, str]:
    if reading.wire is None:
        return {}
    values = {
        "host": reading.row["host"],
        **reading.wire.request.parameters,
        "tools": list(reading.wire.tools),
    }
    return {name: _text(value) for name, value in values.items() if value not in (None, [])}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _prompt(reading: Reading) -> str:
    return "\n".join(_message_lines(reading.wire.messages)) if reading.wire else ""


def _message_lines(messages: Iterable[Message]) -> Iterator[str]:
    for message in messages:
        yield f"[{message.role or 'no role'}]"
        yield from _spoken(message.reasoning, message.content, message.tool_calls)


def _answer(reading: Reading) -> str:
    if reading.wire is None:
        return ""
    lines: list[str] = []
    for choice in reading.wire.answer.choices:
        lines += _spoken(choice.reasoning, choice.content, choice.tool_calls)
        lines.append(f"[{choice.finish_reason or 'no finish reason'}]")
    return "\n".join(lines)


def _spoken(reasoning: str | None, content: Any, calls: Iterable[Any]) -> Iterator[str]:
    if reasoning:
        yield f"[reasoning] {reasoning}"
    parts = content if isinstance(content, list) else [] if content is None else [content]
    for part in parts:
        text = part.get("text") if isinstance(part, Mapping) else part
        yield text if isinstance(text, str) else _text(part)
    for call in calls:
        yield f"[calls {call.name or '?'}] {call.arguments}"
