"""The tables of users and sessions by number, and of how many calls each of them has, packed by these numbers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, LargeBinary, SmallInteger, Table, UniqueConstraint

from .conventions import ID, SERIAL, metadata

# Numbers are given in the order in which values come, so that those of one time are near each other.
value_numbers = Table(
    "value_numbers",
    metadata,
    Column("number", SERIAL, primary_key=True, autoincrement=False),
    Column("dimension", ID, nullable=False),
    Column("value", ID, nullable=False),
    UniqueConstraint("dimension", "value"),
)

# `calls`, which were not replayed, and `replayed` are histograms of `recorder.ledger.histogram`: how many calls each
# value has, by where it is in its part of all numbers. Of users there are also those of each provider, host and model,
# which then is the `place`.
value_counts = Table(
    "value_counts",
    metadata,
    Column("dimension", ID, primary_key=True),
    Column("hours", SmallInteger, primary_key=True, autoincrement=False),
    Column("begins", BigInteger, primary_key=True, autoincrement=False),
    Column("place", ID, primary_key=True),
    Column("part", BigInteger, primary_key=True, autoincrement=False),
    Column("calls", LargeBinary, nullable=False),
    Column("replayed", LargeBinary, nullable=False),
)
