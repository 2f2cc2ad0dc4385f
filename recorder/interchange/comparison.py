"""How two cassettes differ: requests added, removed and changed, and answers that became others."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from ..call import Call
from ..cassettes import Matching, Recorded
from ..cassettes.comparable import Comparable, comparable, digest
from ..cassettes.differences import Difference, compare
from ..dialects import SIGNIFICANT_HEADERS
from .answer_text import answer_lines, text_changes
from .contents import Entry, read_entry

_SCOPE = Matching().scope(SIGNIFICANT_HEADERS)
_MOST_PAIRS = 20_000
"""So many changed requests are compared with each other; beyond that their order pairs them."""


class Changed(Struct, frozen=True):
    """One entry in both: where its request differs, where its answer does, and the answers' text as a diff."""

    left: Entry
    right: Entry
    request: tuple[Difference, ...]
    answer: tuple[Difference, ...]
    text: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """For JSON output."""
        return {
            "left": self.left.number,
            "right": self.right.number,
            "method": self.right.method,
            "url": self.right.url,
            "request": [_plain(difference) for difference in self.request],
            "answer": [_plain(difference) for difference in self.answer],
            "text": list(self.text),
        }


class Comparison(Struct, frozen=True):
    """All that differs; `same` entries do not."""

    same: int = 0
    removed: tuple[Entry, ...] = ()
    added: tuple[Entry, ...] = ()
    changed: tuple[Changed, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not (self.removed or self.added or self.changed)

    def plain(self) -> dict[str, Any]:
        """For JSON output."""
        return {
            "equal": self.equal,
            "same": self.same,
            "removed": [entry.plain() for entry in self.removed],
            "added": [entry.plain() for entry in self.added],
            "changed": [each.plain() for each in self.changed],
        }


class _Side(Struct, frozen=True):
    recorded: Recorded
    entry: Entry
    call: Call
    asked: Comparable


def compare_cassettes(left: Sequence[Recorded], right: Sequence[Recorded]) -> Comparison:
    """Pair the entries of both: equal requests first, in their order, then the nearest of the rest.

    Requests are compared as in replay: order of keys, spacing and volatile headers do not count. Chunks
    and times do not count either.
    """
    sides = _sides(left), _sides(right)
    pairs, removed, added = _pair_equal(*sides)
    more, removed, added = _pair_nearest(removed, added)
    found = [_compare(one, other) for one, other in sorted([*pairs, *more], key=_by_number)]
    changed = tuple(each for each in found if each.request or each.answer or each.text)
    return Comparison(
        len(found) - len(changed),
        tuple(side.entry for side in removed),
        tuple(side.entry for side in added),
        changed,
    )


def _sides(recordings: Sequence[Recorded]) -> list[_Side]:
    return [
        _Side(recorded, *read_entry(number, recorded), comparable(recorded.exchange.request, _SCOPE))
        for number, recorded in enumerate(recordings, 1)
    ]


_Pairs = list[tuple[_Side, _Side]]


def _pair_equal(left: list[_Side], right: list[_Side]) -> tuple[_Pairs, list[_Side], list[_Side]]:
    waiting: defaultdict[bytes, deque[_Side]] = defaultdict(deque)
    for side in right:
        waiting[digest(side.asked)].append(side)
    pairs: _Pairs = []
    removed = []
    for side in left:
        if alike := waiting[digest(side.asked)]:
            pairs.append((side, alike.popleft()))
        else:
            removed.append(side)
    added = [side for queue in waiting.values() for side in queue]
    return pairs, removed, sorted(added, key=lambda side: side.entry.number)


def _pair_nearest(left: list[_Side], right: list[_Side]) -> tuple[_Pairs, list[_Side], list[_Side]]:
    """Requests to the same place, those with the fewest differences first."""
    candidates = list(_candidates(left, right))
    used: set[int] = set()
    pairs: _Pairs = []
    for _, _, one, other in sorted(candidates, key=lambda each: each[:2]):
        if id(one) not in used and id(other) not in used:
            used |= {id(one), id(other)}
            pairs.append((one, other))
    rest = [[side for side in sides if id(side) not in used] for sides in (left, right)]
    return pairs, rest[0], rest[1]


def _candidates(left: list[_Side], right: list[_Side]) -> Iterator[tuple[int, int, _Side, _Side]]:
    few = len(left) * len(right) <= _MOST_PAIRS
    for place, one in enumerate(left):
        others: Iterable[_Side] = right if few else right[place : place + 1]
        for other in others:
            if (one.entry.method, one.entry.path) == (other.entry.method, other.entry.path):
                distance = abs(one.entry.number - other.entry.number)
                yield len(compare(one.asked, other.asked)), distance, one, other


def _compare(left: _Side, right: _Side) -> Changed:
    return Changed(
        left.entry,
        right.entry,
        tuple(compare(left.asked, right.asked)),
        tuple(_answer_differences(left.entry, right.entry)),
        tuple(
            text_changes(
                answer_lines(left.recorded.exchange, left.call),
                answer_lines(right.recorded.exchange, right.call),
            )
        ),
    )


def _answer_differences(left: Entry, right: Entry) -> Iterator[Difference]:
    for name, before, after in (
        ("status", left.http_status, right.http_status),
        ("outcome", left.outcome, right.outcome),
        ("error", left.error_type, right.error_type),
        ("model", left.response_model, right.response_model),
        ("finish reasons", _reasons(left), _reasons(right)),
        ("streamed", left.stream, right.stream),
    ):
        if before != after:
            yield Difference(name, _shown(before), _shown(after))


def _reasons(entry: Entry) -> str:
    return ", ".join(reason or "none" for reason in entry.finish_reasons)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None or value == "" else str(value)


def _plain(difference: Difference) -> dict[str, str]:
    return {"path": difference.path, "left": difference.recorded, "right": difference.asked}


def _by_number(pair: tuple[_Side, _Side]) -> int:
    return pair[0].entry.number
