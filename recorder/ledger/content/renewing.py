"""New dictionaries for all that a store holds, so that the former ones, with the scraps of text in them, can go."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Column, Connection, Table, bindparam, delete, func, select, update

from ..database import Database
from ..tables import blobs, collection, dictionaries, nodes, payloads
from .frames import Dictionaries, Press, newest_presses
from .learning import learn_pair
from .presence import exclusive_lock

Progress = Callable[[int, int], None]

_PAGE = 500
_FRAMES = ((blobs, "id", "data"), (nodes, "id", "messages"), (payloads, "call_id", "record"))


def renew_dictionaries(database: Database, progress: Progress | None = None) -> None:
    """Learn dictionaries from what the store holds now, press all of it with them, and delete the former ones.

    For who must erase something for good, after it was collected. In batches of a short transaction each, beside
    others who read and write; what was interrupted can be run again.
    """
    with database.read() as connection:
        learned = learn_pair(connection)
    with database.write() as connection:
        exclusive_lock(connection)
        newest = learned.insert(connection)
        # From here on, writers press with the new ones.
        connection.execute(update(collection).values(epoch=collection.c.epoch + 1))
    with database.read() as connection:
        presses = newest_presses(connection)
        total = sum(_former(connection, table, newest) for table, _, _ in _FRAMES)
    done = 0
    for table, key, data in _FRAMES:
        press = presses.records if table is payloads else presses.content
        while pressed := _press_some(database, table, table.c[key], table.c[data], press, newest):
            done += pressed
            if progress is not None:
                progress(min(done, total), total)
    with database.write() as connection:
        connection.execute(delete(dictionaries).where(dictionaries.c.id < newest))


def _former(connection: Connection, table: Table, newest: int) -> int:
    query = select(func.count()).select_from(table).where(table.c.form.between(1, newest - 1))
    return connection.scalar(query) or 0


def _press_some(
    database: Database, table: Table, key: Column[object], data: Column[bytes], press: Press, newest: int
) -> int:
    """Press some of the frames anew that need a former dictionary; how many these were."""
    with database.read() as connection:
        opened = Dictionaries(connection)
        query = select(key.label("key"), table.c.form, data.label("data"))
        rows = connection.execute(query.where(table.c.form.between(1, newest - 1)).limit(_PAGE)).all()
        frames = [(row.key, press.press(opened.open(row.form, row.data))) for row in rows]
    if frames:
        change = update(table).where(key == bindparam("of_key"))
        change = change.values({"form": bindparam("new_form"), data.name: bindparam("new_data")})
        with database.write() as connection:
            connection.execute(
                change,
                [{"of_key": of, "new_form": form, "new_data": data} for of, (form, data) in frames],
            )
    return len(frames)
