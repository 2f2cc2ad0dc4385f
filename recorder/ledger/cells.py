"""The cells of the rollups: which groups a call is counted in, by the hour and the day in which it began.

Every dimension is cut by provider, host and model as well. The plain one has nothing else. `kind` goes by how a call
was made and how it ended, `user`, `session` and `tag:<name>` by the value that a call has: calls without one are in
no cell of theirs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from .figures import FACTS, Tally, counted
from .intake import nothing
from .tables import calls

HOUR_US: Final = 3_600_000_000
HOUR, DAY, MONTH = 1, 24, 768
"""How many hours a cell is of; a month here is 32 days, counted from 1970."""

PLAIN, KIND, USER, SESSION, TAG = "", "kind", "user", "session", "tag:"
KINDS: Final = (
    *("operation", "stream", "http_status", "outcome", "error_type", "finish_reasons"),
    *("request_model", "response_model", "usage_source", "cost_source", "attempt"),
)
"""The columns of `calls` that a value of the dimension `kind` is made of, in this order."""

LONGEST, LONGEST_KIND = 300, 80
"""How many bytes of a text cells have: PostgreSQL cannot index rows of more than 2,704."""

FEW: Final = 16
"""How many calls or cells are worked on at a time, before others in the process get their turn."""

_PLACE: Final = ("id", "started_us", "provider", "host", "user_id", "session_id", "tags")
COUNTED: Final = (*_PLACE, *KINDS, *FACTS)
"""The columns that a call is counted by; some stand there twice."""

COUNTED_COLUMNS: Final = tuple(calls.c[name].label(f"{name}_{place}") for place, name in enumerate(COUNTED))
_FIRST_KIND = len(_PLACE)
_FIRST_FACT = _FIRST_KIND + len(KINDS)
_REQUESTED, _SERVED = (_FIRST_KIND + KINDS.index(name) for name in ("request_model", "response_model"))


class Cell(NamedTuple):
    """A group: a dimension and the value in it, the hours from `begins` on (since 1970), provider, host and model."""

    dimension: str
    hours: int
    begins: int
    value: str
    provider: str
    host: str
    model: str


def widths(dimension: str) -> tuple[int, ...]:
    """How many hours the cells of a dimension are of. Sessions are many and short, and have days only."""
    return (DAY,) if dimension == SESSION else (HOUR, DAY, MONTH)


def model_of(served: str | None, requested: str | None) -> str:
    """The model that answered, else the one that was asked for."""
    return served or requested or ""


def tag_text(value: Any) -> str | None:
    """A tag's value as text, the same in reports and filters; None where there is none."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def tally(rows: Iterable[Sequence[Any]], between: Callable[[], None] = nothing) -> dict[Cell, Tally]:
    """Count calls, each given by its `COUNTED` columns, in all cells that they belong to.

    `between` is called after every few calls.
    """
    found: dict[Cell, Tally] = {}
    for number, row in enumerate(rows, 1):
        if not number % FEW:
            between()
        call = counted(row, _FIRST_FACT)
        hour = row[1] // HOUR_US
        where = (_short(row[2]), _short(row[3]), _short(model_of(row[_SERVED], row[_REQUESTED])))
        _group(found, Cell(KIND, HOUR, hour, _kind(*row[_FIRST_KIND:_FIRST_FACT]), *where)).add(call)
        if row[4] is not None:
            _group(found, Cell(USER, HOUR, hour, _short(row[4]), *where)).add(call)
        if row[5] is not None:
            _group(found, Cell(SESSION, DAY, hour - hour % DAY, _short(row[5]), *where)).add(call)
        if row[6] != "{}":
            for name, value in tag_pairs(row[6]):
                _group(found, Cell(name, HOUR, hour, value, *where)).add(call)
    _fold(found, between)
    return found


def _fold(found: dict[Cell, Tally], between: Callable[[], None]) -> None:
    """All kinds together make the plain cells, and hours make days, and days make months."""
    for number, (cell, part) in enumerate(list(found.items()), 1):
        if not number % FEW:
            between()
        if cell.dimension == KIND:
            _group(found, cell._replace(dimension=PLAIN, value="")).join(part)
    for finer, wider in ((HOUR, DAY), (DAY, MONTH)):
        for number, (cell, part) in enumerate(list(found.items()), 1):
            if not number % FEW:
                between()
            if cell.hours == finer and cell.dimension != SESSION:
                begins = cell.begins - cell.begins % wider
                _group(found, cell._replace(hours=wider, begins=begins)).join(part)


def kind_values(text: str) -> list[Any]:
    """The values of `KINDS` in a value of the dimension `kind`."""
    values = json.loads(text)
    return values if isinstance(values, list) else []


def shortened(text: str, most: int = LONGEST) -> str:
    """A text as cells have it: of a longer one the beginning, and what tells it from others that begin so."""
    if len(text) <= most // 4 or len(data := text.encode()) <= most:
        return text
    mark = f"…{blake2b(data, digest_size=8).hexdigest()}"
    return data[: most - len(mark.encode())].decode(errors="ignore") + mark


_short = lru_cache(maxsize=4096)(shortened)


def _group(found: dict[Cell, Tally], cell: Cell) -> Tally:
    known = found.get(cell)
    if known is None:
        known = found[cell] = Tally()
    return known


@lru_cache(maxsize=4096)
def _kind(*values: Any) -> str:
    """The values as text, which has to fit into an index."""
    parts = [shortened(value, LONGEST_KIND) if isinstance(value, str) else value for value in values]
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=4096)
def tag_pairs(text: str) -> tuple[tuple[str, str], ...]:
    """The tags of a call as dimensions, and their values."""
    tags = json.loads(text)
    if not isinstance(tags, dict):
        return ()
    pairs = ((name, tag_text(value)) for name, value in tags.items())
    return tuple((shortened(TAG + name), shortened(value)) for name, value in pairs if value is not None)
