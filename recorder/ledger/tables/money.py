"""The tables of what calls cost and may cost."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, SmallInteger, Table, Text

from .conventions import ID, SERIAL, metadata

# Rates are decimal numbers as text: SQLite would make floating-point numbers of them.
prices = Table(
    "prices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("model", Text, nullable=False),
    Column("provider", Text),
    Column("host", Text),
    Column("currency", Text, nullable=False),
    Column("valid_from_us", BigInteger),
    Column("valid_to_us", BigInteger),
    Column("hours", Text),
    Column("input", Text),
    Column("cached", Text),
    Column("cache_write", Text),
    Column("output", Text),
    Column("reasoning", Text),
    Column("request", Text),
    Column("source", Text, nullable=False),
    Column("looked_up", Text),
    Column("note", Text, nullable=False),
    Column("own", SmallInteger, nullable=False),
    Column("enabled", SmallInteger, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)

holidays = Table(
    "holidays",
    metadata,
    Column("country", Text, primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("days", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("looked_up", Text),
    Column("own", SmallInteger, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)

cost_changes = Table(
    "cost_changes",
    metadata,
    Column("seq", SERIAL, primary_key=True, autoincrement=True),
    Column("call_id", ID, nullable=False, index=True),
    Column("at_us", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("former_cost_pico", BigInteger),
    Column("former_currency", Text),
    Column("former_cost_source", Text, nullable=False),
    Column("former_price_id", Text),
    Column("former_cost_note", Text),
    Column("cost_pico", BigInteger),
    Column("currency", Text),
    Column("cost_source", Text, nullable=False),
    Column("price_id", Text),
    Column("cost_note", Text),
    ForeignKeyConstraint(["call_id"], ["calls.id"], ondelete="CASCADE").ddl_if(dialect="sqlite"),
)

budgets = Table(
    "budgets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("limit_pico", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("filters", Text, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)
