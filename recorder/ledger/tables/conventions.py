"""What all tables have in common: the names of their constraints, and the kinds of columns that ids are in."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, MetaData, Text, text

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

# SQLite numbers rows by itself only where the type is spelled INTEGER.
SERIAL = BigInteger().with_variant(Integer, "sqlite")
# By its bytes, as SQLite does it: ids sort by time.
ID = Text().with_variant(Text(collation="C"), "postgresql")


def sparse_index(column: str, condition: str, *more: str, beside: tuple[str, ...] = ()) -> Index:
    """An index of the rows alone that have something to be found by.

    What stands `beside` in it PostgreSQL has at hand too, as SQLite has the number of each row.
    """
    return Index(
        None,
        column,
        *more,
        sqlite_where=text(condition),
        postgresql_where=text(condition),
        postgresql_include=beside,
    )
