"""Erasing: all that the calls of one person hold is removed, and no bytes of it are left behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, and_, delete, func, select, update

from ..database import Database
from ..rollups import forget, restore, withdraw
from ..rows import name_text
from ..search.index import names as search_tables
from ..tables import calls, cassette_entries, cassettes
from .plan import number_of_payloads, payload_bytes, with_payloads
from .removing import Removed, Sleep, Turns, hold_cassettes, remove
from .space import shorten_log, vacuum
from .unfinished import begin_erasing, end_erasing, erasings_left
from .unreferenced import collect_unreferenced, forget_scraps

Progress = Callable[[int, int], None]

_c = calls.c
# What says whose a call was, or may quote what was said in it.
_NAMES: Final = {
    "user_id": None,
    "session_id": None,
    "trace_id": None,
    "span_id": None,
    "response_id": None,
    "error_message": None,
    "cassette": None,
    "tags": "{}",
    "notes": "[]",
    "content": "erased",
}
_TABLES: Final = ("calls", "payloads", "former_payloads", "blobs", "nodes", "dictionaries", "used")
_REWRITTEN: Final = f"VACUUM {', '.join(_TABLES)}, rollups, value_numbers, cost_changes, cassette_entries"


class Person(Struct, frozen=True):
    """Whose calls: those of a user, of a session, or of a user in a session."""

    user: str | None = None
    session: str | None = None

    def owns(self) -> ColumnElement[bool]:
        """The condition on `calls`."""
        wanted = ((_c.user_id, self.user), (_c.session_id, self.session))
        return and_(*(column == name_text(value) for column, value in wanted if value is not None))


class Holdings(Struct, frozen=True):
    """What a store holds of a person; `cassettes` says how many entries of each are their calls.

    `unfinished` says that an erasing was interrupted, of whomever: what it left, the next one removes.
    """

    calls: int
    payloads: int
    payload_bytes: int
    since_us: int | None
    until_us: int | None
    cassettes: Mapping[str, int]
    unfinished: bool = False


class Erased(Struct):
    """What was removed.

    `rewritten` says that the file was written anew, `log_empty` that its log was emptied. Of the journal, files may
    still hold what is stored since, or was kept aside: `journal` names them.
    """

    calls: int = 0
    payloads: int = 0
    entries: int = 0
    cassettes: list[str] = []
    rewritten: bool = False
    log_empty: bool = True
    journal: list[str] = []


def holdings(connection: Connection, person: Person) -> Holdings:
    """Count what there is of a person."""
    counted = (
        select(
            func.count(),
            number_of_payloads(),
            func.coalesce(func.sum(payload_bytes()), 0),
            func.min(_c.started_us),
            func.max(_c.started_us),
        )
        .select_from(with_payloads())
        .where(person.owns())
    )
    number, bodies, size, since_us, until_us = connection.execute(counted).one()
    entries = (
        select(cassette_entries.c.cassette, func.count())
        .join(calls, _c.id == cassette_entries.c.call_id)
        .where(person.owns())
        .group_by(cassette_entries.c.cassette)
        .order_by(cassette_entries.c.cassette)
    )
    named = {str(name): int(count) for name, count in connection.execute(entries)}
    return Holdings(number, bodies, int(size), since_us, until_us, named, erasings_left(connection))


def erase(
    database: Database,
    person: Person,
    *,
    keep_numbers: bool,
    rewrite: bool,
    progress: Progress,
    sleep: Sleep = time.sleep,
) -> Erased:
    """Remove a person's calls, and what cassettes have of them; with `keep_numbers` rows without names stay.

    With `rewrite` a SQLite file is written anew, since pages may still hold what was removed from them
    earlier. It goes on until there is nothing left, so that what is recorded meanwhile goes as well.
    """
    with database.read() as connection:
        held = holdings(connection, person)
    done = Erased()
    turns, erasing = Turns(database, sleep), begin_erasing(database)
    while ids := _some(database, person, turns.size):
        begun = time.monotonic()
        with database.write() as connection:
            if database.is_sqlite:
                connection.exec_driver_sql("PRAGMA secure_delete=ON")
            _erase(connection, ids, done, keep_numbers=keep_numbers)
        progress(done.calls, held.calls)
        turns.took(time.monotonic() - begun)
    with database.write() as connection:
        done.cassettes = _drop_empty(connection, list(held.cassettes))
        _forget_name(connection, person)
    collect_unreferenced(database)
    forget_scraps(database)
    _rewrite(database, done, rewrite=rewrite)
    end_erasing(database, erasing)
    done.log_empty = shorten_log(database)
    return done


def _some(database: Database, person: Person, limit: int) -> list[str]:
    with database.read() as connection:
        return list(connection.scalars(select(_c.id).where(person.owns()).limit(limit)))


def _erase(connection: Connection, ids: Sequence[str], done: Erased, *, keep_numbers: bool) -> None:
    hold_cassettes(connection)
    mine = cassette_entries.c.call_id.in_(ids)
    done.entries += connection.execute(delete(cassette_entries).where(mine)).rowcount
    removed = remove(connection, ids, payloads_only=keep_numbers)
    if keep_numbers:
        values: dict[str, Any] = {**_NAMES, "operation_id": _c.id}
        withdraw(connection, _c.id.in_(ids))
        rows = connection.execute(update(calls).where(_c.id.in_(ids)).values(values)).rowcount
        restore(connection, _c.id.in_(ids))
        removed = Removed(rows, removed.payloads)
    done.calls += removed.calls
    done.payloads += removed.payloads


def _forget_name(connection: Connection, person: Person) -> None:
    """Leave no figures under a name whose calls are all gone, not even where others removed calls by hand."""
    names = {"user": person.user, "session": person.session}
    (dimension, name), *more = [(key, value) for key, value in names.items() if value is not None]
    if not more and (text := name_text(name)) is not None:
        forget(connection, dimension, text, person.owns())


def _drop_empty(connection: Connection, names: Sequence[str]) -> list[str]:
    """Cassettes that have nothing left; their names."""
    used = select(cassette_entries.c.cassette)
    empty = list(
        connection.scalars(
            select(cassettes.c.name).where(cassettes.c.name.in_(names), cassettes.c.name.not_in(used))
        )
    )
    connection.execute(delete(cassettes).where(cassettes.c.name.in_(empty)))
    return sorted(empty)


def _rewrite(database: Database, done: Erased, *, rewrite: bool) -> None:
    """Let the bytes go too, but for those in the log, as far as that can be done from here."""
    if not database.is_sqlite:
        with database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql(", ".join((_REWRITTEN, *search_tables(connection))))
        return
    if rewrite:
        vacuum(database)
        done.rewritten = True
