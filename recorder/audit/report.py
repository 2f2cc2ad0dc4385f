"""How many calls there were, how they went, how long they took and what they used: by group, and in total."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..ledger import Store

Key = tuple[str | None, ...]

GROUPS: Mapping[str, tuple[str, ...]] = {
    "model": ("response_model", "request_model"),
    "provider": ("provider",),
    "day": ("started_us",),
    "host": ("host",),
    "user": ("user_id",),
    "session": ("session_id",),
    "outcome": ("outcome",),
    "operation": ("operation",),
}
"""What can be grouped by, besides `tag:<name>`, and the columns of `v_calls` that it is read from."""

_TAG = "tag:"
_TOKENS = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
_FIGURES = ("replayed", "outcome", "duration_s", "first_token_s", "cost_pico", "currency", *_TOKENS)
_MODEL = "model"


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Seconds that 50, 95 and 99 of 100 calls did not exceed, by nearest rank: each is a time really seen."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class ReportRow:
    """The figures of one group, or of all calls (`total`, with an empty `key`).

    `key` has one value for each thing grouped by; None where a call has none. Replayed calls are
    counted in `replayed` and left out of every other figure but `saved_pico`. Tokens are None where no call of the
    group has them; `without_usage` says of how many calls those sums know nothing. Percentiles are
    over all calls that have that time, however they ended. `cost_pico` holds one sum a currency, in exact
    integers; `without_cost` says of how many calls it knows nothing, and `saved_pico` what the replayed
    calls would have cost.
    """

    key: Key
    calls: int = 0
    replayed: int = 0
    errors: int = 0
    incomplete: int = 0
    cancelled: int = 0
    interrupted: int = 0
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    without_usage: int = 0
    duration_s: Percentiles | None = None
    first_token_s: Percentiles | None = None
    cost_pico: tuple[tuple[str, int], ...] = ()
    without_cost: int = 0
    saved_pico: tuple[tuple[str, int], ...] = ()
    total: bool = False

    @property
    def error_rate(self) -> float | None:
        """The share of calls that failed; None without calls."""
        return self.errors / self.calls if self.calls else None


@dataclass(slots=True)
class _Group:
    """What is added up while calls pass by."""

    outcomes: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    costs: Counter[str] = field(default_factory=Counter)
    saved: Counter[str] = field(default_factory=Counter)
    durations: array[float] = field(default_factory=lambda: array("d"))
    first_tokens: array[float] = field(default_factory=lambda: array("d"))
    replayed: int = 0
    without_usage: int = 0
    without_cost: int = 0


def report(
    store: Store,
    by: Sequence[str] = ("model",),
    since_us: int | None = None,
    until_us: int | None = None,
    where: Mapping[str, str | int] | None = None,
    tags: Mapping[str, str] | None = None,
) -> tuple[ReportRow, ...]:
    """One row a group, then the row of totals.

    `by` names what to group by: keys of `GROUPS`, or `tag:` and a tag's name. The model is the
    served one, else the requested one; the day is that of UTC, as in `v_calls_daily`. Where days are
    among them rows stand in the order of their keys, else by number of calls. Calls are read one
    after another; 16 bytes of each stay in memory, for exact percentiles. `where` compares columns of
    `v_calls`, and `model` in the sense above. Raises ValueError for a name in `by` that it does not know.
    """
    columns, read_key = _key_reader([_MODEL, *by])
    where = dict(where or {})
    model = where.pop(_MODEL, None)
    groups: dict[Key, _Group] = {}
    for row in store.iterate_calls(
        (*_FIGURES, *columns), since_us=since_us, until_us=until_us, where=where, tags=tags or {}
    ):
        served, *key = read_key(row[len(_FIGURES) :])
        if model is not None and served != model:
            continue
        group = groups.get(tuple(key))
        if group is None:
            group = groups[tuple(key)] = _Group()
        _add(group, row)
    found = [_figures(key, group) for key, group in groups.items()]
    found.sort(key=_by_key if "day" in by else _by_calls)
    return (*found, _figures((), _sum(groups.values()), total=True))


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The value at nearest rank `ceil(percent / 100 * n)` of values in ascending order."""
    return ordered[max(1, -(-percent * len(ordered) // 100)) - 1]


def _key_reader(names: Sequence[str]) -> tuple[list[str], Callable[[Sequence[Any]], Iterator[str | None]]]:
    """The columns that a key is read from, and what reads it from their values."""
    readers = [_reader(name) for name in names]
    ends = list(accumulate(len(columns) for columns, _ in readers))
    slices = [slice(end - len(columns), end) for end, (columns, _) in zip(ends, readers, strict=True)]

    def read_key(values: Sequence[Any]) -> Iterator[str | None]:
        return (read(*values[part]) for part, (_, read) in zip(slices, readers, strict=True))

    return [column for columns, _ in readers for column in columns], read_key


def _reader(name: str) -> tuple[tuple[str, ...], Callable[..., str | None]]:
    """The columns that one thing to group by needs, and how its value is read from them."""
    if name.startswith(_TAG) and len(name) > len(_TAG):
        tag = name.removeprefix(_TAG)
        return ("tags",), lambda tags: _tag(tags, tag)
    if name not in GROUPS:
        raise ValueError(f"cannot group by {name!r}; known are {', '.join(GROUPS)} and tag:<name>")
    readers: dict[str, Callable[..., str | None]] = {_MODEL: _model, "day": _day}
    return GROUPS[name], readers.get(name, _same)


def _same(value: str | None) -> str | None:
    return value


def _model(served: str | None, requested: str | None) -> str | None:
    return served or requested


def _day(started_us: int) -> str:
    return _date(started_us // 86_400_000_000)


@lru_cache(maxsize=4096)
def _date(day: int) -> str:
    return f"{datetime.fromtimestamp(day * 86400, UTC):%Y-%m-%d}"


def _tag(tags: str | Mapping[str, Any] | None, name: str) -> str | None:
    value = (_tags(tags) if isinstance(tags, str) else tags or {}).get(name)
    return value if value is None or isinstance(value, str) else json.dumps(value)


@lru_cache(maxsize=4096)
def _tags(text: str) -> Mapping[str, Any]:
    value = json.loads(text)
    return value if isinstance(value, dict) else {}


def _add(group: _Group, row: Sequence[Any]) -> None:
    replayed, outcome, duration, first_token, cost_pico, currency = row[:6]
    if replayed:
        group.replayed += 1
        if cost_pico is not None:
            group.saved[currency or ""] += cost_pico
        return
    group.outcomes[outcome] += 1
    if duration is not None:
        group.durations.append(duration)
    if first_token is not None:
        group.first_tokens.append(first_token)
    known = False
    for name, count in zip(_TOKENS, row[6:], strict=False):
        if count is not None:
            group.tokens[name] += count
            known = True
    group.without_usage += not known
    if cost_pico is None:
        group.without_cost += 1
    else:
        group.costs[currency or ""] += cost_pico


def _sum(groups: Iterable[_Group]) -> _Group:
    total = _Group()
    for group in groups:
        total.outcomes.update(group.outcomes)
        total.tokens.update(group.tokens)
        total.costs.update(group.costs)
        total.saved.update(group.saved)
        total.durations.extend(group.durations)
        total.first_tokens.extend(group.first_tokens)
        total.replayed += group.replayed
        total.without_usage += group.without_usage
        total.without_cost += group.without_cost
    return total


def _figures(key: Key, group: _Group, *, total: bool = False) -> ReportRow:
    return ReportRow(
        key=key,
        calls=group.outcomes.total(),
        replayed=group.replayed,
        errors=group.outcomes["error"],
        incomplete=group.outcomes["incomplete"],
        cancelled=group.outcomes["cancelled"],
        interrupted=group.outcomes["interrupted"],
        **{name: group.tokens.get(name) for name in _TOKENS},
        without_usage=group.without_usage,
        duration_s=_percentiles(group.durations),
        first_token_s=_percentiles(group.first_tokens),
        cost_pico=tuple(sorted(group.costs.items())),
        without_cost=group.without_cost,
        saved_pico=tuple(sorted(group.saved.items())),
        total=total,
    )


def _percentiles(times: array[float]) -> Percentiles | None:
    if not times:
        return None
    ordered = sorted(times)
    return Percentiles(*(percentile(ordered, percent) for percent in (50, 95, 99)))


def _by_key(row: ReportRow) -> tuple[tuple[bool, str], ...]:
    return tuple((value is None, value or "") for value in row.key)


def _by_calls(row: ReportRow) -> tuple[int, tuple[tuple[bool, str], ...]]:
    return -row.calls, _by_key(row)
