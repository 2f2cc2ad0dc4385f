"""An answer as it came: each chunk with its time, what it added, and where the stream stood still."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from ..body import chunk_ends, read_answer
from ..json_text import parse_json
from ..sse import read_events

if TYPE_CHECKING:
    from ..exchange import Exchange

Kind = Literal["reasoning", "answer", "other"]
_NANO = 1_000_000_000
_LEAST_STALL_S = 0.2
_TIMES_MEDIAN = 6
_MOST_STALLS = 5


class Piece(Struct, frozen=True):
    """One chunk: when it came, how many bytes it had on the wire, and the text that it brought."""

    at_s: float
    bytes: int
    kind: Kind
    text: str


class Stall(Struct, frozen=True):
    """A wait between two chunks that is much longer than the others."""

    from_s: float
    to_s: float


def read_pieces(exchange: Exchange) -> tuple[Piece, ...]:
    """The chunks of an answer in order. The text of an event belongs to the chunk that completes it."""
    answer = read_answer(exchange)
    ends = chunk_ends(exchange, answer)
    texts = _texts(answer.data)
    pieces = []
    place = start = 0
    for at_ns, chunk, end in zip(exchange.arrivals_ns, exchange.chunks, ends, strict=False):
        kind, words = "other", []
        while place < len(texts) and texts[place][0] <= end:
            kind = texts[place][1] if texts[place][2] else kind
            words.append(texts[place][2])
            place += 1
        text = "".join(words) if texts else answer.data[start:end].decode("utf-8", "replace")
        pieces.append(Piece(at_ns / _NANO, len(chunk), kind if texts else "answer", text))  # type: ignore[arg-type]
        start = end
    return tuple(pieces)


def stalls(pieces: Sequence[Piece]) -> tuple[Stall, ...]:
    """The longest waits within a stream, in the order of time; none in an even one."""
    gaps = [(after.at_s - before.at_s, before.at_s, after.at_s) for before, after in pairwise(pieces)]
    if not gaps:
        return ()
    least = max(_LEAST_STALL_S, _TIMES_MEDIAN * median(gap for gap, _, _ in gaps))
    longest = sorted((gap for gap in gaps if gap[0] >= least), reverse=True)[:_MOST_STALLS]
    return tuple(Stall(start, end) for _, start, end in sorted(longest, key=lambda gap: gap[1]))


def _texts(body: bytes) -> list[tuple[int, Kind, str]]:
    """For each event of a stream: where it ends, what it is and its text; empty where the body is no stream."""
    if b"data:" not in body[:4096]:
        return []
    found: list[tuple[int, Kind, str]] = []
    for event in read_events(body):
        reasoning, answer = _delta(event.data)
        found.append(
            (event.end, "answer" if answer else "reasoning" if reasoning else "other", reasoning + answer)
        )
    return found


def _delta(data: bytes) -> tuple[str, str]:
    try:
        value = parse_json(data)
    except ValueError:
        return "", ""
    reasoning, answer = [], []
    for delta in _deltas(value):
        reasoning += [
            delta[name] for name in ("reasoning_content", "reasoning") if isinstance(delta.get(name), str)
        ][:1]
        answer += [delta[name] for name in ("content", "refusal") if isinstance(delta.get(name), str)]
        answer += list(_arguments(delta.get("tool_calls")))
    return "".join(reasoning), "".join(answer)


def _strings(delta: dict[str, Any], *names: str) -> list[str]:
    return [delta[name] for name in names if isinstance(delta.get(name), str)]


def _deltas(value: Any) -> Iterator[dict[str, Any]]:
    choices = value.get("choices") if isinstance(value, dict) else None
    for choice in choices if isinstance(choices, list) else ():
        delta = choice.get("delta") if isinstance(choice, dict) else None
        if isinstance(delta, dict):
            yield delta


def _arguments(calls: Any) -> Iterator[str]:
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        for name in ("name", "arguments"):
            if isinstance(function, dict) and isinstance(function.get(name), str):
                yield function[name]
