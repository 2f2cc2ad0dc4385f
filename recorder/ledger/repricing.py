"""Past calls priced anew by the book as it is now, with what they were said to cost before kept beside."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Select, bindparam, func, select

from ..pricing import IMPORTED, Book, Cost
from .access import reading, writing
from .conditions import as_stored
from .database import Database
from .filters import filtered
from .prices import load_book
from .rollups import restore, withdraw
from .rows import cost_columns
from .subjects import COLUMNS, COST, FACTS, SAVED, read_wires, subject_of_row
from .tables import calls, cost_changes
from .views import model_name

Progress = Callable[[int, int], None]

_BATCH = 500
_c = calls.c


class Difference(Struct):
    """What changed for one model in one currency: how many calls, and their sums before and after.

    A sum is None where no call had a cost. Replayed calls are among the calls, and not in the sums.
    """

    calls: int = 0
    before_pico: int | None = None
    after_pico: int | None = None

    @property
    def pico(self) -> int:
        """How much more it is after than before."""
        return (self.after_pico or 0) - (self.before_pico or 0)


class Repricing(Struct):
    """How many calls were looked at and got another cost, and the difference by model and currency.

    `priced` had no cost before, `unpriced` have none now. A currency is None where there is no cost on that side.
    """

    checked: int = 0
    changed: int = 0
    priced: int = 0
    unpriced: int = 0
    differences: dict[tuple[str | None, str], Difference] = {}


def reprice(
    database: Database,
    *,
    since_us: int | None,
    until_us: int | None,
    model: str | None,
    dry_run: bool,
    progress: Progress,
) -> Repricing:
    """Price calls anew, in batches of a short transaction each, so that a writer can go on beside.

    A cost that the provider reported stays, and what came with cassettes gets none. Calls that are stored while this
    runs are left alone: they are priced by the same book. What was interrupted can be run again.
    """
    done = Repricing()
    with reading(database) as connection:
        book = load_book(connection)
        counts: Any = select(func.count(), func.max(_c.seq))
        counts = _wanted(counts, database, since_us, until_us, model)
        total, newest = connection.execute(counts).one()
    last = 0
    while last < (newest or 0):
        query = _wanted(select(*COLUMNS), database, since_us, until_us, model)
        query = query.where(_c.seq > last, _c.seq <= newest).order_by(_c.seq).limit(_BATCH)
        with reading(database) as connection:
            rows = connection.execute(query).mappings().all()
            changes = list(_changes(connection, book, rows, done))
        if not rows:
            break
        if changes and not dry_run:
            # The lock is held for the writing alone, so that others get their turn.
            with writing(database) as connection:
                _apply(connection, changes)
        last = rows[-1]["seq"]
        done.checked += len(rows)
        progress(done.checked, total)
    return done


def _wanted(
    query: Select[Any], database: Database, since_us: int | None, until_us: int | None, model: str | None
) -> Select[Any]:
    query = filtered(
        query, since_us=since_us, until_us=until_us, where={}, tags={}, sqlite=database.is_sqlite
    ).where(_c.cost_source.not_in(("provider", IMPORTED)))
    return query if model is None else query.where(model_name == as_stored("model", model))


_Change = tuple[Mapping[Any, Any], dict[str, Any], str | None]
"""A row, its new values, and why its cost changed; None where it did not, but for a note."""


def _changes(
    connection: Connection, book: Book, rows: Sequence[Mapping[Any, Any]], done: Repricing
) -> Iterator[_Change]:
    """What to write, row by row; counted on the way."""
    read = read_wires(connection, [row["id"] for row in rows if row["cost_note"] is None])
    for row in rows:
        subject = subject_of_row(row)
        if (found := read.get(row["id"])) is not None:
            subject = replace(subject, **found)
        cost = book.cost(subject)
        values = cost_columns(cost) | {name: getattr(subject, name) for name in FACTS}
        if all(values[name] == row[name] for name in COST[:-1]):
            if any(values[name] != row[name] for name in (*FACTS, SAVED, "cost_note")):
                yield row, values, None
            continue
        _count(done, row, values)
        yield row, values, _reason(row, cost)


def _count(done: Repricing, row: Mapping[Any, Any], values: Mapping[str, Any]) -> None:
    done.changed += 1
    before, after = row["cost_pico"], values["cost_pico"]
    done.priced += before is None
    done.unpriced += after is None
    model = row["response_model"] or row["request_model"]
    currencies = {name for name in (row["currency"], values["currency"]) if name is not None}
    for currency in currencies:
        difference = done.differences.setdefault((model, currency), Difference())
        difference.calls += 1
        if row["replayed"]:
            continue
        if before is not None and row["currency"] == currency:
            difference.before_pico = before + (difference.before_pico or 0)
        if after is not None and values["currency"] == currency:
            difference.after_pico = after + (difference.after_pico or 0)


def _reason(row: Mapping[Any, Any], cost: Cost) -> str:
    """Why a cost is another one now, in a few words."""
    if cost.pico is None:
        return cost.note or "no price any more"
    if row["cost_pico"] is None:
        return f"priced by {cost.source}, and unpriced before"
    if row["cost_source"] == cost.source:
        return f"{cost.source} has other rates than before"
    return f"priced by {cost.source}, and by {row['cost_source']} before"


def _apply(connection: Connection, changes: Sequence[_Change]) -> None:
    """Write the changes of rows whose cost is still the one that was read, and the history of those."""
    read = {row["seq"]: tuple(row[name] for name in COST) for row, _, _ in changes}
    query = select(_c.seq, *(_c[name] for name in COST)).where(_c.seq.in_(read)).with_for_update()
    same = {row.seq for row in connection.execute(query) if tuple(row)[1:] == read[row.seq]}
    changes = [change for change in changes if change[0]["seq"] in same]
    if not changes:
        return
    changed = _c.seq.in_([row["seq"] for row, _, _ in changes])
    withdraw(connection, changed)
    update = calls.update().where(_c.seq == bindparam("of_seq"))
    connection.execute(update, [{"of_seq": row["seq"], **values} for row, values, _ in changes])
    restore(connection, changed)
    history = _history(changes, time.time_ns() // 1000)
    if history:
        connection.execute(cost_changes.insert(), history)


def _history(changes: Sequence[_Change], at_us: int) -> list[dict[str, Any]]:
    """The rows of `cost_changes`: one for each change that has a reason."""
    return [
        {
            "call_id": row["id"],
            "at_us": at_us,
            "reason": reason,
            **{f"former_{name}": row[name] for name in COST},
            **{name: values[name] for name in COST},
        }
        for row, values, reason in changes
        if reason is not None
    ]
