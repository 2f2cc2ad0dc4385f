"""Calls counted in all cells that they belong to: by the hour at first, from which the wider cells are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from .cells import (
    ALL,
    ANY,
    DAY,
    FEW,
    FIRST_FACT,
    FIRST_KIND,
    FOUR_DAYS,
    HOUR,
    IN_FOUR_DAYS,
    KIND,
    KINDS,
    MONTH,
    NOWHERE,
    PLAIN,
    QUARTER,
    QUARTER_US,
    SESSION,
    SINGLE,
    TAG,
    USER,
    Cell,
    Place,
    has_whole,
    kind_text,
    kind_values,
    model_of,
    short,
    tag_pairs,
    widths,
)
from .figures import Tally, counted
from .intake import nothing

_REQUESTED, _SERVED = (FIRST_KIND + KINDS.index(name) for name in ("request_model", "response_model"))

Between = Callable[[], None]


class Tallied(NamedTuple):
    """What calls come to in one cell, cut by provider, host and model; the whole too, where the cell is to have it."""

    parts: dict[Place, Tally]
    whole: Tally | None


Tallies = dict[Cell, Tallied]

_Key = tuple[str, int, str, Place]
"""A dimension, the hour in which a cell begins, a value, and what it is cut by."""

_Parts = dict[_Key, Tally]
_T = TypeVar("_T")


def tally(rows: Iterable[Sequence[Any]], between: Between = nothing) -> Tallies:
    """Count calls, each given by its `COUNTED` columns. `between` is called after every few calls."""
    kinds, quarters, hours = _by_time(_paced(rows, between))
    quarters |= _together(_of_kinds(kinds))
    quarters |= _any(quarters, [key for key in quarters if key[0].startswith(TAG)], between)
    named = list(hours)
    hours |= _hourly(kinds) | _hourly(quarters)
    hours |= _any(hours, named, between)
    long_ones = {key: part for key, part in hours.items() if DAY in widths(key[0])}
    days = _wider(_paced(long_ones.items(), between), DAY)
    fours = _wider(((key, part) for key, part in days.items() if key[0] in IN_FOUR_DAYS), FOUR_DAYS)
    months = _wider(days.items(), MONTH)
    short_ones = ((key, part) for key, part in hours.items() if key not in long_ones)
    always = _wider(chain(months.items(), _paced(short_ones, between)), ALL)
    return _by_cell({QUARTER: quarters, HOUR: hours, DAY: days, FOUR_DAYS: fours, MONTH: months, ALL: always})


def _by_cell(levels: Mapping[int, _Parts]) -> Tallies:
    cells: dict[Cell, dict[Place, Tally]] = {}
    for width, parts in levels.items():
        for (dimension, begins, value, place), part in parts.items():
            cells.setdefault(Cell(dimension, width, begins, value), {})[place] = part
    # Cells of several widths are often made of the same tallies.
    wholes: dict[tuple[int, ...], Tally] = {}
    found: Tallies = {}
    for cell, cut in cells.items():
        whole = None
        if has_whole(cell):
            same = tuple(map(id, cut.values()))
            whole = wholes.get(same) or wholes.setdefault(same, joint(list(cut.values())))
        found[cell] = Tallied(cut, whole)
    return found


def _by_time(rows: Iterable[Sequence[Any]]) -> tuple[_Parts, _Parts, _Parts]:
    """Calls by their kind and by their tags, of quarters of hours, and by user and session, of hours."""
    kinds: _Parts = {}
    quarters: _Parts = {}
    hours: _Parts = {}
    for row in rows:
        _, started_us, provider, host, user, session, tags, *_ = row
        call = counted(row, FIRST_FACT)
        quarter: int = started_us // QUARTER_US
        hour = quarter // -QUARTER
        place = (short(provider), short(host), short(model_of(row[_SERVED], row[_REQUESTED])))
        _tally(kinds, (KIND, quarter, kind_text(*row[FIRST_KIND:FIRST_FACT]), place)).add(call)
        if user is not None:
            _tally(hours, (USER, hour, short(user), place)).add(call)
        if session is not None:
            _tally(hours, (SESSION, hour, short(session), place)).add(call)
        if tags != "{}":
            for name, value in tag_pairs(tags):
                _tally(quarters, (name, quarter, value, place)).add(call)
    return kinds, quarters, hours


def _of_kinds(kinds: _Parts) -> Iterator[tuple[_Key, Tally]]:
    """What kinds of calls are counted in besides: all together, and by single columns, which are not cut."""
    columns = [(name, KINDS.index(name)) for name in SINGLE]
    for (_, begins, text, place), part in kinds.items():
        values = kind_values(text)
        yield (PLAIN, begins, "", place), part
        for name, column in columns:
            yield (name, begins, kind_text(values[column]), NOWHERE), part


def _any(parts: _Parts, keys: Iterable[_Key], between: Between) -> _Parts:
    """Those of some parts that have a value in a dimension together; they are often all calls, which are known."""
    found: dict[_Key, list[Tally]] = {}
    for key in keys:
        found.setdefault((ANY + key[0], key[1], "", key[3]), []).append(parts[key])
    together: _Parts = {}
    for key, some in found.items():
        between()
        whole = parts[PLAIN, key[1], "", key[3]]
        together[key] = whole if sum(part.calls for part in some) == whole.calls else joint(some)
    return together


def _hourly(quarters: _Parts) -> _Parts:
    return _together(
        ((of, at // -QUARTER, value, place), part) for (of, at, value, place), part in quarters.items()
    )


def _wider(parts: Iterable[tuple[_Key, Tally]], width: int) -> _Parts:
    """The same in wider cells."""
    return _together(_shifted(parts, width))


def _shifted(parts: Iterable[tuple[_Key, Tally]], width: int) -> Iterator[tuple[_Key, Tally]]:
    """Parts with the beginnings of the cells that they are in."""
    for (dimension, begins, value, place), part in parts:
        yield (dimension, begins - begins % width if width else 0, value, place), part


def _together(parts: Iterable[tuple[_Key, Tally]]) -> _Parts:
    """Those of the same key joined."""
    found: dict[_Key, list[Tally]] = {}
    for key, part in parts:
        known = found.get(key)
        if known is None:
            found[key] = [part]
        else:
            known.append(part)
    return {key: joint(some) for key, some in found.items()}


def joint(parts: Sequence[Tally]) -> Tally:
    """All that some tallies have counted; one alone is that itself, which is not to be changed."""
    if len(parts) == 1:
        return parts[0]
    whole = Tally()
    for part in parts:
        whole.join(part)
    return whole


def _tally(found: _Parts, key: _Key) -> Tally:
    known = found.get(key)
    if known is None:
        known = found[key] = Tally()
    return known


def _paced(items: Iterable[_T], between: Between) -> Iterator[_T]:
    for number, item in enumerate(items, 1):
        if not number % FEW:
            between()
        yield item
