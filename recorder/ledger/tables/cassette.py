"""The tables of cassettes: which calls each of them plays."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, ForeignKeyConstraint, Integer, Table, Text

from .conventions import ID, metadata

cassettes = Table(
    "cassettes",
    metadata,
    Column("name", Text, primary_key=True),
    Column("created_us", BigInteger, nullable=False),
)

# No cascade from calls: what a cassette refers to must not be pruned.
cassette_entries = Table(
    "cassette_entries",
    metadata,
    Column("cassette", Text, ForeignKey("cassettes.name", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("lane", Integer, nullable=False),
    Column("call_id", ID, nullable=False, index=True),
    Column("credential", Integer, nullable=False, server_default="0"),
    ForeignKeyConstraint(["call_id"], ["calls.id"]).ddl_if(dialect="sqlite"),
)
