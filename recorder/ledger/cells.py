"""The cells of the rollups: which groups a call is counted in, by the hour, the day, the month, and of all time.

The plain dimension has nothing but time. `kind` goes by how a call was made and how it ended, all of it together; what
is asked for most has a dimension by itself too. `user`, `session` and `tag:<name>` go by the value that a call has:
calls without one are in no cell of theirs, and those that have one are together in a cell of `any user` and the like.
Each cell is cut by provider, host and model; where these are very many, each cut has a row of its own, whose key is
that of its cell with the hours below zero and a mark behind the value.
"""

from __future__ import annotations

import json
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from .figures import FACTS
from .tables import calls

HOUR_US: Final = 3_600_000_000
QUARTER_US: Final = HOUR_US // 4
ALL, QUARTER, HOUR, DAY, FOUR_DAYS, MONTH = 0, -4, 1, 24, 96, 768
"""How many hours a cell is of, 0 for all time; a month here is 32 days, counted from 1970.

Of most dimensions there are quarters of hours too, four to an hour. They begin so many quarters after 1970.
"""

PLAIN, KIND, USER, SESSION, TAG, ANY = "", "kind", "user", "session", "tag:", "any "
IN_FOUR_DAYS: Final = (PLAIN, USER, ANY + USER)
"""The dimensions that have cells of four days: users, and what says how many calls have none."""

VALUES: Final = "values"
"""The dimension whose cells say how many values another one has."""

KINDS: Final = (
    *("operation", "stream", "http_status", "outcome", "error_type", "finish_reasons"),
    *("request_model", "response_model", "usage_source", "cost_source", "attempt"),
)
"""The columns of `calls` that a value of the dimension `kind` is made of, in this order."""

SINGLE: Final = ("operation", "http_status", "outcome", "error_type")
"""Those of them that have a dimension of their own, by the same name: of each a period has a few cells, of all kinds
together thousands. These cells are not cut."""

LONGEST, LONGEST_KIND = 300, 80
"""How many bytes of a text cells have: PostgreSQL cannot index rows of more than 2,704."""

BEFORE_MARK: Final = "\x1f"
_MARK_LENGTH: Final = 32
"""What stands between the value of a cell and the mark of a cut, and how long the mark is."""

FEW: Final = 16
"""How many calls or cells are worked on at a time, before others in the process get their turn."""

_PLACE: Final = ("id", "started_us", "provider", "host", "user_id", "session_id", "tags")
COUNTED: Final = (*_PLACE, *KINDS, *FACTS)
"""The columns that a call is counted by; some stand there twice."""

COUNTED_COLUMNS: Final = tuple(calls.c[name].label(f"{name}_{place}") for place, name in enumerate(COUNTED))
FIRST_KIND: Final = len(_PLACE)
FIRST_FACT: Final = FIRST_KIND + len(KINDS)
"""Where in `COUNTED` those of `KINDS` begin, and those of `FACTS`."""

Place = tuple[str, str, str]
"""Provider, host and model."""

NOWHERE: Final[Place] = ("", "", "")
"""The place of cells that are not cut by it."""


class Cell(NamedTuple):
    """A group: a dimension, the hours from `begins` on (since 1970), and the value in that dimension.

    `begins` of a quarter of an hour counts quarters.
    """

    dimension: str
    hours: int
    begins: int
    value: str


def row_of(cell: Cell, place: Place) -> Cell:
    """The key of the row that a cut of a cell has for itself."""
    return Cell(cell.dimension, -1 - cell.hours, cell.begins, f"{cell.value}{BEFORE_MARK}{_mark(place)}")


@lru_cache(maxsize=4096)
def _mark(place: Place) -> str:
    return blake2b("\0".join(place).encode(), digest_size=_MARK_LENGTH // 2).hexdigest()


def cell_of(row: Cell) -> Cell:
    """The cell that the row of a cut belongs to."""
    return Cell(row.dimension, -1 - row.hours, row.begins, row.value[: -1 - _MARK_LENGTH])


def widths(dimension: str) -> tuple[int, ...]:
    """How many hours the cells of a dimension are of, besides those of all time.

    Sessions are many and short. Users are many and long: of each as few cells as may be are to make a period.
    """
    if dimension in (SESSION, ANY + SESSION):
        return (HOUR,)
    return (HOUR, DAY, FOUR_DAYS, MONTH) if dimension in IN_FOUR_DAYS else (HOUR, DAY, MONTH)


def has_quarters(dimension: str) -> bool:
    """Whether a dimension has cells of quarters of hours: not where these would be about as many as its calls."""
    return dimension not in (KIND, USER, SESSION, ANY + USER, ANY + SESSION)


def kinds_of(dimension: str) -> tuple[str, ...]:
    """The columns of `KINDS` that the values of a dimension are made of."""
    if dimension == KIND:
        return KINDS
    return (dimension,) if dimension in SINGLE else ()


def many(dimension: str) -> bool:
    """Whether a dimension may have so many values that the figures of all would take long."""
    return dimension != PLAIN and not kinds_of(dimension)


def has_whole(cell: Cell) -> bool:
    """Whether a cell that is cut has the figures of all cuts together too: not where it is one of very many."""
    if cell.hours == QUARTER:
        return cell.dimension == PLAIN
    return cell.hours != HOUR or cell.dimension not in (USER, SESSION)


def model_of(served: str | None, requested: str | None) -> str:
    """The model that answered, else the one that was asked for."""
    return served or requested or ""


def tag_text(value: Any) -> str | None:
    """A tag's value as text, the same in reports and filters; None where there is none."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def kind_values(text: str) -> list[Any]:
    """The values of columns of `KINDS` in a value of a dimension that is made of these."""
    values = json.loads(text)
    return values if isinstance(values, list) else []


def shortened(text: str, most: int = LONGEST) -> str:
    """A text as cells have it: of a longer one the beginning, and what tells it from others that begin so."""
    if len(text) <= most // 4 or len(data := text.encode()) <= most:
        return text
    mark = f"…{blake2b(data, digest_size=8).hexdigest()}"
    return data[: most - len(mark.encode())].decode(errors="ignore") + mark


short = lru_cache(maxsize=4096)(shortened)
"""The same for texts that come again."""


@lru_cache(maxsize=4096)
def kind_text(*values: Any) -> str:
    """Values of columns of `KINDS` as text, which has to fit into an index."""
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
