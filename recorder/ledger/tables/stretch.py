"""The table of stretches: between which bounds the numbers of calls lie that came in one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import BigInteger, Column, Table

from .conventions import metadata

BOUNDED: Final = ("started_us", "duration_us", "first_token_us", "cost_pico", "input_tokens", "output_tokens")
"""The columns of `calls` that have bounds."""


def _bounds() -> Iterator[Column[int]]:
    for name in BOUNDED:
        yield Column(f"least_{name}", BigInteger)
        yield Column(f"most_{name}", BigInteger)


# What lies between two bounds may have been removed since. Where no call has a number there are no bounds. SQLite has
# rows of complete stretches alone; a server, which numbers calls before others that it stores earlier, has one of every
# stretch with a call that is counted.
stretches = Table(
    "stretches",
    metadata,
    Column("stretch", BigInteger, primary_key=True, autoincrement=False),
    *_bounds(),
)
