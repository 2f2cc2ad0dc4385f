"""Why a request matches no recording: the nearest one, and each JSON path at which it differs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest
from typing import Any

from msgspec import Raw, Struct

from .comparable import Comparable
from .json_paths import member
from .renaming import ID, TIME

_SHOWN = 12
_WIDTH = 90
_MOST = 300
_ELSEWHERE = 1000
_ABSENT = object()
_RENAMED = {json.dumps(mark)[1:-1]: mark[1:] for mark in (ID, TIME)}
"""How JSON spells the marks of renamed ids and times, and how people are shown them."""

_Path = tuple[Any, str | int] | None
"""Where a value stands: the path of what holds it, and its name or index there."""

_Place = tuple[_Path, Any, Any]
"""A path, and what stands there on both sides."""


class _Text(Struct, frozen=True):
    """A body that is no JSON."""

    text: str


class Difference(Struct, frozen=True):
    """One place at which two requests differ; values are shortened JSON, or `absent`."""

    path: str
    recorded: str
    asked: str

    def __str__(self) -> str:
        return f"{self.path}: recorded {self.recorded}, asked {self.asked}"


def compare(recorded: Comparable, asked: Comparable, most: int = sys.maxsize) -> list[Difference]:
    """The differences, in the order of the recorded request, at most so many of the bodies."""
    places = islice(_in_bodies(recorded, asked), most)
    return [
        *_outside(recorded, asked),
        *(Difference(_shown_path(path), *_shown(*two)) for path, *two in places),
    ]


def nearest(recordings: Sequence[Comparable], asked: Comparable) -> tuple[int, list[Difference]] | None:
    """The index of the recording with the fewest differences, and the first hundreds of these; None without recordings.

    A different method, URL or header weighs more than anything in a body.
    """
    best, best_weight = None, sys.maxsize
    for index, recorded in enumerate(recordings):
        weight = (_ELSEWHERE + 1) * len(_outside(recorded, asked))
        if weight < best_weight:
            enough = min(_MOST, best_weight - weight)
            weight += sum(1 for _ in islice(_in_bodies(recorded, asked), enough))
        if weight < best_weight:
            best, best_weight = index, weight
    return None if best is None else (best, compare(recordings[best], asked, _MOST))


def explain(differences: Sequence[Difference]) -> str:
    """The differences as lines, the first dozen of them."""
    lines = [f"  {difference}" for difference in differences[:_SHOWN]]
    if len(differences) > _SHOWN:
        more = len(differences) - _SHOWN
        lines.append(f"  … and {more} more" if len(differences) < _MOST else f"  … and more than {more} more")
    return "\n".join(lines)


def _outside(recorded: Comparable, asked: Comparable) -> list[Difference]:
    """The differences of all but the bodies."""
    sides = (
        *((name, value, asked.parts[name]) for name, value in recorded.parts.items()),
        *(
            (f"header {name}", recorded.headers.get(name, _ABSENT), asked.headers.get(name, _ABSENT))
            for name in sorted({*recorded.headers, *asked.headers})
        ),
    )
    return [Difference(name, *_shown(left, right)) for name, left, right in sides if left != right]


def _in_bodies(recorded: Comparable, asked: Comparable) -> Iterator[_Place]:
    """Where the bodies differ, found one at a time, as there may be many."""
    if recorded.text != asked.text:
        left, right = (_Text(each.body) if each.text else each.body for each in (recorded, asked))
        yield None, left, right
        return
    stack: list[Iterator[_Place]] = [iter([(None, recorded.body, asked.body)])]
    while stack:
        for path, left, right in stack[-1]:
            if isinstance(left, dict) and isinstance(right, dict):
                stack.append(_members(path, left, right))
                break
            if isinstance(left, list) and isinstance(right, list):
                stack.append(_elements(path, left, right))
                break
            if left is not right and (left != right or isinstance(left, bool) != isinstance(right, bool)):
                yield path, left, right
        else:
            stack.pop()


def _members(path: _Path, left: dict[str, Any], right: dict[str, Any]) -> Iterator[_Place]:
    for name, value in left.items():
        yield (path, name), value, right.get(name, _ABSENT)
    for name, value in right.items():
        if name not in left:
            yield (path, name), _ABSENT, value


def _elements(path: _Path, left: list[Any], right: list[Any]) -> Iterator[_Place]:
    for index, (mine, theirs) in enumerate(zip_longest(left, right, fillvalue=_ABSENT)):
        yield (path, index), mine, theirs


def _shown_path(path: _Path) -> str:
    steps: list[str] = []
    while path is not None:
        path, step = path
        steps.append(f"[{step}]" if isinstance(step, int) else member(step))
    return "".join(("$", *reversed(steps)))


def _shown(left: Any, right: Any) -> tuple[str, str]:
    """Both values, shortened; long ones with the same beginning from near the first character that differs."""
    first, second = _spell(left), _spell(right)
    shown = _shorten(first), _shorten(second)
    if shown[0] != shown[1]:
        return shown
    pairs = enumerate(zip(first, second, strict=False))
    at = next((i for i, (a, b) in pairs if a != b), min(len(first), len(second)))
    start = max(0, at - 20)
    return f"…{first[start : at + 60]}… (from character {start})", f"…{second[start : at + 60]}…"


def _shorten(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}… ({len(text)} characters)"


def _spell(value: Any) -> str:
    if value is _ABSENT:
        return "absent"
    if isinstance(value, _Text):
        return f"{json.dumps(value.text)} as text"
    spelled = bytes(value).decode() if isinstance(value, Raw) else json.dumps(value, default=_nearby)
    for mark, word in _RENAMED.items():
        spelled = spelled.replace(mark, word)
    return spelled


def _nearby(number: Raw) -> float:
    """What JSON has nearest to a number that no float can hold."""
    return float(bytes(number))
