"""How many calls filters leave, as rollups know it without a look at any call."""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from sqlalchemy import Connection

from .answers_of_rollups import Asked
from .database import Database
from .dimensions import dimension_of
from .figures import PRICED, REPLAYED, TIMES, TOKENS, Figures, tokens_at
from .filters import Filters
from .ordering import Sort
from .question import question
from .rollups import waiting

_FIRST_TOKEN: Final = TIMES.index("first_token")


class Expected(Struct, frozen=True):
    """How many calls there are, and how many of them have a value to be ordered by."""

    calls: int
    valued: int


def expected(connection: Connection, database: Database, sort: Sort, filters: Filters) -> Expected | None:
    """How many calls fit; None where rollups cannot tell."""
    asked = question(
        (),
        filters.get("since_us"),
        filters.get("until_us"),
        filters.get("where", ()),
        filters.get("tags", {}),
    )
    dimension = dimension_of(asked)
    if dimension is None or waiting(connection):
        return None
    figures = Asked(connection, database, asked, dimension).total()
    if figures.counts[REPLAYED]:
        # Of these it is not known which values they have.
        return None
    return Expected(figures.calls, _valued(figures, sort))


def _valued(figures: Figures, sort: Sort) -> int:
    if sort == "cost":
        return sum(amounts[PRICED] for amounts in figures.money.values())
    if sort == "first_token":
        return sum(figures.times[_FIRST_TOKEN].counts().values())
    if sort in TOKENS:
        return figures.counts[tokens_at(sort)[1]]
    return figures.calls
