"""The index: one row for each call that was looked through, and the terms in it, in the way of each database.

It is no part of the schema, since it can be made anew from what is stored at any time: it is there from the first
search on. SQLite's is a table of FTS5 without texts and positions; PostgreSQL's a `tsvector`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    Select,
    Table,
    column,
    inspect,
    select,
    table,
    text,
)
from sqlalchemy import delete as deleting
from sqlalchemy.exc import OperationalError
from sqlalchemy.schema import CreateIndex, CreateTable, Index

from ...errors import StoreError
from ..content.presence import portions

FORM: Final = 1
"""Which texts are looked through, and how they become terms: an index of another form is made anew."""

# Its rows are found without an index beside only where SQLite's type is spelled so.
_SERIAL = BigInteger().with_variant(Integer, "sqlite")
_own = MetaData()
looked_through = Table(
    "search_calls",
    _own,
    Column("seq", _SERIAL, primary_key=True, autoincrement=False),
    Column("node", BigInteger),
    Column("top", BigInteger),
)
"""Calls by their number, with the nodes that are their turn: from `top` down to `node`."""

state = Table(
    "search_state",
    _own,
    Column("form", _SERIAL, primary_key=True, autoincrement=False),
    Column("upto_seq", BigInteger, nullable=False),
)

_NODES = Index("ix_search_calls_node", looked_through.c.node)
_WORDS: Final = "search_words"
_LOCK: Final = "SELECT pg_advisory_xact_lock(7165312418406)"
_FTS5: Final = (
    f"CREATE VIRTUAL TABLE {_WORDS} "
    "USING fts5(words, content='', tokenize='ascii', detail=none, columnsize=0)"
)
_OF_EACH: Final = f"CREATE VIRTUAL TABLE temp.search_terms USING fts5vocab(main, {_WORDS}, instance)"
_TSVECTOR: Final = (
    f"CREATE TABLE {_WORDS} (seq bigint PRIMARY KEY, words tsvector NOT NULL)",
    f"CREATE INDEX ix_{_WORDS}_words ON {_WORDS} USING gin (words)",
)
# PostgreSQL takes no more than a megabyte of one text.
_MOST_BYTES: Final = 500_000


class Document(Struct, frozen=True):
    """A call that was looked through, and what was found in it."""

    seq: int
    node: int | None
    top: int | None
    terms: Collection[str]


def exists(connection: Connection) -> bool:
    """Whether there is an index."""
    return inspect(connection).has_table(state.name)


def upto(connection: Connection, *, lock: bool = False) -> int | None:
    """The number of the last call that was looked through; None where there is no index of this form.

    With `lock`, whoever else fills the index or takes something out of it waits until this transaction ends.
    """
    if lock and connection.dialect.name != "sqlite":
        connection.exec_driver_sql(_LOCK)
    if not exists(connection):
        return None
    found = connection.scalar(select(state.c.upto_seq).where(state.c.form == FORM))
    return None if found is None else int(found)


def create(connection: Connection) -> None:
    """Make an empty index, in place of one of another form."""
    if upto(connection, lock=True) is not None:
        return
    drop(connection)
    try:
        for statement in (_FTS5,) if connection.dialect.name == "sqlite" else _TSVECTOR:
            connection.exec_driver_sql(statement)
    except OperationalError as error:
        if "no such module" not in str(error.orig):
            raise
        raise StoreError(
            f"this Python's SQLite {sqlite3.sqlite_version} was built without FTS5; search with another Python"
        ) from error
    for made in (looked_through, state):
        connection.execute(CreateTable(made))
    connection.execute(CreateIndex(_NODES))
    connection.execute(state.insert().values(form=FORM, upto_seq=0))


def drop(connection: Connection) -> None:
    """Remove the index, if there is one."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(_LOCK)
    for name in (_WORDS, looked_through.name, state.name):
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")


def add(connection: Connection, documents: Iterable[Document], upto_seq: int) -> None:
    """Add calls, and say up to which number all are there."""
    kept = [(each, _fitting(each.terms)) for each in documents]
    if kept:
        rows = [{"seq": each.seq, "node": each.node, "top": each.top} for each, _ in kept]
        connection.execute(looked_through.insert(), rows)
        if connection.dialect.name == "sqlite":
            insert = f"INSERT INTO {_WORDS} (rowid, words) VALUES (:seq, :words)"
            connection.execute(
                text(insert), [{"seq": each.seq, "words": " ".join(said)} for each, said in kept]
            )
        else:
            insert = f"INSERT INTO {_WORDS} VALUES (:seq, array_to_tsvector(CAST(:words AS text[])))"
            connection.execute(text(insert), [{"seq": each.seq, "words": said} for each, said in kept])
    connection.execute(state.update().values(upto_seq=upto_seq))


def kept(connection: Connection, seqs: Collection[int]) -> dict[int, str | None]:
    """What the index has of some calls, for `remove`: SQLite must be told, and has to look for it in all of it."""
    if connection.dialect.name != "sqlite":
        return dict.fromkeys(seqs)
    connection.exec_driver_sql(_OF_EACH)
    try:
        wanted = select(text("doc, group_concat(term, ' ') AS words")).select_from(text("search_terms"))
        query = wanted.where(column("doc").in_(select(text("value FROM json_each(:seqs)")))).group_by(
            text("doc")
        )
        found = connection.execute(query, {"seqs": json.dumps(list(seqs))})
        words = {int(row.doc): str(row.words) for row in found}
        return {seq: words.get(seq) for seq in seqs}
    finally:
        connection.exec_driver_sql("DROP TABLE temp.search_terms")


def remove(connection: Connection, gone: Mapping[int, str | None]) -> None:
    """Take calls out, of which `kept` said what the index has."""
    for some in portions(gone):
        mine = looked_through.c.seq.in_(some)
        there = list(connection.scalars(select(looked_through.c.seq).where(mine)))
        connection.execute(deleting(looked_through).where(mine))
        if connection.dialect.name != "sqlite":
            words = table(_WORDS, column("seq"))
            connection.execute(deleting(words).where(words.c.seq.in_(there)))
        elif values := [{"seq": seq, "words": gone[seq]} for seq in there if gone[seq]]:
            insert = f"INSERT INTO {_WORDS} ({_WORDS}, rowid, words) VALUES ('delete', :seq, :words)"
            connection.execute(text(insert), values)


def leave_no_bytes(connection: Connection) -> None:
    """Have SQLite overwrite what this transaction removes from its pages."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")


def purge(connection: Connection) -> None:
    """Leave nothing of what was taken out, in an SQLite store; PostgreSQL's is vacuumed."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"INSERT INTO {_WORDS} ({_WORDS}) VALUES ('optimize')")


def with_terms(terms: Mapping[str, bool], without: Mapping[str, bool], *, sqlite: bool) -> Select[Any]:
    """The numbers of calls that have all terms, and none of others; true stands for whatever begins so.

    Terms are letters and digits only, so that they need no escapes.
    """
    if sqlite:
        key, condition, both, neither, star = "rowid", f"{_WORDS} MATCH :wanted", " AND ", " NOT ", "*"
        sign = '"'
    else:
        key, condition, both, neither, star = "seq", "words @@ CAST(:wanted AS tsquery)", " & ", " & !", ":*"
        sign = "'"
    spelled = both.join(f"{sign}{term}{sign}{star * prefix}" for term, prefix in terms.items())
    others = [f"{neither}{sign}{term}{sign}{star * prefix}" for term, prefix in without.items()]
    wanted = f"({spelled}){''.join(others)}"
    words = table(_WORDS, column(key))
    return select(words.c[key]).where(text(condition).bindparams(wanted=wanted))


def names(connection: Connection) -> tuple[str, ...]:
    """The tables that PostgreSQL has to vacuum and to measure."""
    return (looked_through.name, _WORDS, state.name) if exists(connection) else ()


def _fitting(terms: Collection[str]) -> list[str]:
    kept, room = [], _MOST_BYTES
    for term in sorted(terms):
        room -= len(term.encode()) + 8
        if room > 0:
            kept.append(term)
    return kept
