"""Why a request matches no recording: the nearest one, and each JSON path at which it differs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from .comparable import Comparable
from .json_paths import member

_SHOWN = 12
_WIDTH = 90
_ABSENT = object()


class Difference(Struct, frozen=True):
    """One place at which two requests differ; values are shortened JSON, or `absent`."""

    path: str
    recorded: str
    asked: str

    def __str__(self) -> str:
        return f"{self.path}: recorded {self.recorded}, asked {self.asked}"


def compare(recorded: Comparable, asked: Comparable) -> list[Difference]:
    """Every difference, in the order of the recorded request."""
    sides = (
        *((name, value, asked.parts[name]) for name, value in recorded.parts.items()),
        *(
            (f"header {name}", recorded.headers.get(name, _ABSENT), asked.headers.get(name, _ABSENT))
            for name in sorted({*recorded.headers, *asked.headers})
        ),
    )
    found = [Difference(name, _show(left), _show(right)) for name, left, right in sides if left != right]
    return found + list(_walk("$", recorded.body, asked.body))


def nearest(recordings: Sequence[Comparable], asked: Comparable) -> tuple[int, list[Difference]] | None:
    """The index of the recording with the fewest differences, and these; None without recordings.

    A different method, URL or header weighs more than anything in a body.
    """
    best: tuple[int, list[Difference]] | None = None
    best_weight = 0
    for index, recorded in enumerate(recordings):
        found = compare(recorded, asked)
        weight = len(found) + sum(1000 for difference in found if not difference.path.startswith("$"))
        if best is None or weight < best_weight:
            best, best_weight = (index, found), weight
    return best


def explain(differences: Sequence[Difference]) -> str:
    """The differences as lines, the first dozen of them."""
    lines = [f"  {difference}" for difference in differences[:_SHOWN]]
    if len(differences) > _SHOWN:
        lines.append(f"  … and {len(differences) - _SHOWN} more")
    return "\n".join(lines)


def _walk(path: str, recorded: Any, asked: Any) -> Iterator[Difference]:
    stack = [(path, recorded, asked)]
    while stack:
        here, left, right = stack.pop()
        if isinstance(left, dict) and isinstance(right, dict):
            names = [*left, *(name for name in right if name not in left)]
            stack += [
                (f"{here}{member(name)}", left.get(name, _ABSENT), right.get(name, _ABSENT))
                for name in reversed(names)
            ]
        elif isinstance(left, list) and isinstance(right, list):
            size = max(len(left), len(right))
            stack += [
                (
                    f"{here}[{i}]",
                    left[i] if i < len(left) else _ABSENT,
                    right[i] if i < len(right) else _ABSENT,
                )
                for i in reversed(range(size))
            ]
        elif left is not right and (left != right or isinstance(left, bool) != isinstance(right, bool)):
            shown = _show(left), _show(right)
            yield Difference(here, *(shown if shown[0] != shown[1] else _around(left, right)))


def _show(value: Any) -> str:
    if value is _ABSENT:
        return "absent"
    text = json.dumps(value)
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}… ({len(text)} characters)"


def _around(left: Any, right: Any) -> tuple[str, str]:
    """Both values near the first character that differs, for long texts with the same beginning."""
    first, second = json.dumps(left), json.dumps(right)
    at = next(
        (i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
        min(len(first), len(second)),
    )
    start = max(0, at - 20)
    return f"…{first[start : at + 60]}… (from character {start})", f"…{second[start : at + 60]}…"
