"""How large a store is, by part, and what keeping content once saves."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Table, func, select, text
from sqlalchemy.exc import OperationalError

from ..search.index import looked_through
from ..search.index import names as search_tables
from ..tables import metadata, payloads

_CONTENT: Final = ("payloads", "blobs", "nodes", "dictionaries")
_PARTS: Final = ("calls", *_CONTENT, "former_payloads", "rollups")
_NOT_OURS: Final = "free"
_SEARCH: Final = "search_"


class Part(Struct, frozen=True):
    """One part of a store: its rows (None where that is no table of rows), and its bytes with all indexes."""

    name: str
    rows: int | None
    bytes: int


class Sizes(Struct, frozen=True):
    """The sizes of a store in bytes. `sent` is what bodies of requests and answers were; `kept` what keeps them."""

    parts: tuple[Part, ...]
    sent: int
    kept: int

    @property
    def total(self) -> int:
        """All parts together."""
        return sum(part.bytes for part in self.parts)

    @property
    def ratio(self) -> float | None:
        """How many bytes of bodies one byte of the store keeps; None where there are none."""
        return self.sent / self.kept if self.sent and self.kept else None


def sizes(connection: Connection) -> Sizes:
    """Measure a store. It takes time in proportion to its size."""
    sqlite = connection.dialect.name == "sqlite"
    measured = _pages(connection) if sqlite else _relations(connection)
    parts = [Part(name, _number(connection, metadata.tables[name]), measured.pop(name, 0)) for name in _PARTS]
    free = measured.pop(_NOT_OURS, 0)
    searched = {name: size for name, size in measured.items() if name.startswith(_SEARCH)}
    for name in searched:
        del measured[name]
    if searched:
        parts.append(Part("search", _number(connection, looked_through), sum(searched.values())))
    others = Part("others", None, sum(measured.values()))
    p = payloads.c
    sent = _sum(connection, p.request_size) + _sum(connection, p.response_size)
    kept = sum(part.bytes for part in parts if part.name in _CONTENT)
    return Sizes((*parts, others, *([Part(_NOT_OURS, None, free)] if sqlite else ())), sent, kept)


def _number(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def _sum(connection: Connection, column: ColumnElement[Any]) -> int:
    return int(connection.scalar(select(func.sum(column))) or 0)


def _pages(connection: Connection) -> dict[str, int]:
    """Bytes of pages by table, its indexes included, and of pages that are free."""
    query = (
        "SELECT coalesce(tbl_name, 'sqlite_master'), sum(pgsize) FROM dbstat('main', 1) AS stat "
        "LEFT JOIN sqlite_master AS item ON item.name = stat.name GROUP BY 1"
    )
    try:
        found = {name: int(size) for name, size in connection.exec_driver_sql(query)}
    except OperationalError:
        # Not every SQLite is built to tell; then at least what is kept in each row.
        found = {table.name: _length(connection, table) for table in metadata.sorted_tables}
    page = connection.exec_driver_sql("PRAGMA page_size").scalar() or 0
    free = connection.exec_driver_sql("PRAGMA freelist_count").scalar() or 0
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar() or 0
    # Pages that only say where others are (of files that can shrink) are in no table.
    rest = page * (pages - free) - sum(found.values())
    return {**found, "rest": rest, _NOT_OURS: page * free}


def _length(connection: Connection, table: Table) -> int:
    return sum(int(connection.scalar(select(func.sum(func.length(column)))) or 0) for column in table.c)


def _relations(connection: Connection) -> dict[str, int]:
    """Bytes by table, its partitions, indexes and long values included."""
    query = text(
        "SELECT pg_total_relation_size(cast(:name AS regclass)) + coalesce((SELECT sum(pg_total_relation_size(relid)) "
        "FROM pg_partition_tree(cast(:name AS regclass)) WHERE relid <> cast(:name AS regclass)), 0)"
    )
    return {
        name: int(connection.scalar(query, {"name": name}) or 0)
        for name in (*metadata.tables, *search_tables(connection))
    }
