"""How a live answer differs from the recorded one in what code relies on: not in what the model says."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from ..body import read_answer
from ..call import Call
from ..exchange import Exchange, header
from ..sse import read_events
from .answer_text import answer_lines, text_changes
from .shape import APPEARED, VANISHED, Shape, shape_changes, shape_of

_DONE = "[DONE]"
_AT_THE_END = ("outcome", "finish reason")


class AnswerDrift(Struct, frozen=True):
    """One difference: what differs (`status`, `model`, a JSON path), and how."""

    what: str
    change: str


def answer_drift(
    recorded: tuple[Exchange, Call], live: tuple[Exchange, Call], *, text: bool = False
) -> list[AnswerDrift]:
    """Everything that changed; with `text` also the answer's text, as lines of a diff.

    Where the live answer failed, that alone is told. Of a recording that its reader left early, only what
    it has counts.
    """
    (before, earlier), (after, later) = recorded, live
    cut_off = earlier.outcome not in ("ok", "error")
    if after.head is None:
        why = [text for text in (after.ending.exception or after.ending.kind, after.ending.message) if text]
        return [AnswerDrift("outcome", f"no answer came: {': '.join(why)}")]
    found = list(_differing(before, earlier, after, later))
    failed = after.head.status >= 400 and found and found[0].what == "status"
    if failed:
        return [*found[:1], *_error(later)]
    found += _body_drift(before, after)
    if cut_off:  # its reader left, so what came later is nothing new
        return [each for each in found if each.what not in _AT_THE_END and each.change != APPEARED]
    if text and (lines := text_changes(answer_lines(before, earlier), answer_lines(after, later))):
        found.append(AnswerDrift("text", "\n".join(lines)))
    return found


def _differing(before: Exchange, earlier: Call, after: Exchange, later: Call) -> Iterator[AnswerDrift]:
    for what, old, new in (
        ("status", earlier.http_status, later.http_status),
        ("outcome", earlier.outcome, later.outcome),
        ("content type", _content_type(before), _content_type(after)),
        ("model", earlier.answer.model, later.answer.model),
        ("finish reason", _reasons(earlier), _reasons(later)),
    ):
        if old != new:
            yield AnswerDrift(what, f"{_shown(old)} became {_shown(new)}")


def _error(call: Call) -> Iterator[AnswerDrift]:
    if call.error is not None:
        yield AnswerDrift("error", f"{call.error.type}: {call.error.message}")


def _body_drift(before: Exchange, after: Exchange) -> Iterator[AnswerDrift]:
    bodies = read_answer(before).data, read_answer(after).data
    streamed = _is_stream(before, bodies[0]), _is_stream(after, bodies[1])
    if streamed[0] != streamed[1]:
        yield AnswerDrift("stream", "stream became plain" if streamed[0] else "plain became stream")
        return
    if not streamed[0]:
        changes = shape_changes(shape_of([_parsed(bodies[0])]), shape_of([_parsed(bodies[1])]))
        yield from (AnswerDrift(path, change) for path, change in changes)
        return
    old, new = (_event_shapes(body) for body in bodies)
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in new or name not in old:
            yield AnswerDrift(_event(name), APPEARED if name in new else VANISHED)
            continue
        for path, change in shape_changes(old[name], new[name]):
            yield AnswerDrift(path if name == "message" else f"{_event(name)} {path}", change)


def _event_shapes(body: bytes) -> dict[str, Shape]:
    """The shape of the data of all events with one name; the closing sign counts as one of its own."""
    values: defaultdict[str, list[Any]] = defaultdict(list)
    for event in read_events(body):
        value = _parsed(event.data)
        name = _DONE if value == _DONE else (event.name or b"message").decode("utf-8", "replace")
        values[name].append(value)
    return {name: shape_of(each) for name, each in values.items()}


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return data.decode("utf-8", "replace")


def _event(name: str) -> str:
    return f"closing {name}" if name == _DONE else f"event {name}"


def _is_stream(exchange: Exchange, body: bytes) -> bool:
    kind = _content_type(exchange) or ""
    return kind == "text/event-stream" or (not kind and body.startswith((b"data:", b"event:")))


def _content_type(exchange: Exchange) -> str | None:
    if exchange.head is None or (value := header(exchange.head.headers, b"content-type")) is None:
        return None
    return value.decode("latin-1").partition(";")[0].strip().lower()


def _reasons(call: Call) -> str:
    return ", ".join(reason or "none" for reason in call.answer.finish_reasons)


def _shown(value: object) -> str:
    return "none" if value is None or value == "" else str(value)
