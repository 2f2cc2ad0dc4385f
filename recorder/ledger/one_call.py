"""One call of a store: found by a part of its id, with its details, its exchange and its place among the others."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import or_, select

from ..errors import CallNotFound, StoreError
from ..exchange import Exchange
from .access import reading
from .content.reading import read_exchange
from .database import Database
from .listing import LISTED
from .places import Place
from .retention.missing import why_missing
from .rows import storable
from .tables import calls
from .url import shown

_FEW: Final = 5
_DETAILS = (
    *("dialect", "ending", "error_message", "notes", "redacted"),
    *("total_tokens", "service_tier", "price_id", "cost_note"),
)
_more = {
    "first_byte_s": (calls.c.first_byte_us / 1e6).label("first_byte_s"),
    **{name: calls.c[name] for name in _DETAILS},
}


def find_id(database: Database, part: str) -> str:
    """The full id that begins or ends so; CallNotFound where there is none, or more than one."""
    part = storable(part).strip().lower()
    if not part:
        raise CallNotFound("no id was given; `recorder ls` shows the ids")
    ends = (calls.c.id.startswith(part, autoescape=True), calls.c.id.endswith(part, autoescape=True))
    query = select(calls.c.id).where(or_(*ends))
    with reading(database) as connection:
        # A whole id has an index; its ends are looked for in all calls.
        if connection.scalar(select(calls.c.seq).where(calls.c.id == part)) is not None:
            return part
        found = list(connection.scalars(query.order_by(calls.c.id).limit(_FEW + 1)))
    if len(found) == 1:
        return str(found[0])
    if not found:
        raise CallNotFound(f"no call in {shown(database.url)} has an id that begins or ends with {part!r}")
    rest = ", …" if len(found) > _FEW else ""
    raise CallNotFound(f"several calls fit {part!r}: {', '.join(found[:_FEW])}{rest}; give more of the id")


def details_of(database: Database, id: str) -> dict[str, Any]:
    """The row of `v_calls` with its `seq`, and details such as the error message."""
    query = select(*LISTED, *_more.values()).where(calls.c.id == id)
    with reading(database) as connection:
        row = connection.execute(query).mappings().first()
    if row is None:
        raise _not_found(database, id)
    return dict(row)


def exchange_of(database: Database, id: str) -> Exchange:
    """What went over the wire."""
    with reading(database) as connection:
        found = read_exchange(connection, id)
        known = (
            found is not None or connection.scalar(select(calls.c.seq).where(calls.c.id == id)) is not None
        )
        why = why_missing(connection, id) if found is None else None
    if not known:
        raise _not_found(database, id)
    if found is None:
        raise StoreError(why or f"the payload of call {id} was removed from {shown(database.url)}")
    return found


def place_of(database: Database, id: str) -> Place:
    """Where a call stands among all in the order of their starts."""
    query = select(calls.c.started_us, calls.c.seq).where(calls.c.id == id)
    with reading(database) as connection:
        row = connection.execute(query).first()
    if row is None:
        raise _not_found(database, id)
    return (row[0], row[1])


def _not_found(database: Database, id: str) -> CallNotFound:
    return CallNotFound(f"there is no call {id} in {shown(database.url)}; `recorder ls` shows the ids")
