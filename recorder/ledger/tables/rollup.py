"""The tables of rollups: sums over calls, which can be made again from them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, SmallInteger, Table, text

from .conventions import ID, metadata

# What `figures` has in it says `recorder.ledger.figures`, and `cuts` `recorder.ledger.kept_cells`; `calls` counts those
# that were not replayed. The cells of all time, which have no hours, are found by who has the most calls; of the others
# the calls of many values are summed up without a look at their figures, which are long.
rollups = Table(
    "rollups",
    metadata,
    Column("dimension", ID, primary_key=True),
    Column("hours", SmallInteger, primary_key=True, autoincrement=False),
    Column("begins", BigInteger, primary_key=True, autoincrement=False),
    Column("value", ID, primary_key=True),
    Column("calls", BigInteger, nullable=False),
    Column("replayed", BigInteger, nullable=False),
    Column("figures", LargeBinary, nullable=False),
    Column("cuts", LargeBinary, nullable=False),
)
Index(
    "ix_rollups_calls",
    rollups.c.dimension,
    rollups.c.calls.desc(),
    rollups.c.value,
    sqlite_where=text("hours = 0"),
    postgresql_where=text("hours = 0"),
)
Index(
    "ix_rollups_counts",
    *(rollups.c[name] for name in ("dimension", "hours", "begins", "value", "calls", "replayed")),
    sqlite_where=text("hours <> 0 AND dimension <> 'kind'"),
    postgresql_where=text("hours <> 0 AND dimension <> 'kind'"),
)

# Its one row names the calls that are not in the rollups yet: those numbered after one, up to another.
rollup_state = Table(
    "rollup_state",
    metadata,
    Column("after_seq", BigInteger, nullable=False),
    Column("upto_seq", BigInteger, nullable=False),
)
