"""Why a call has no payload: it was never stored, or pruned, or is damaged."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, func, select

from ..tables import calls, prunings
from .removing import has_payload

_NEVER: Final = {
    "not stored": "the content of call {id} was not stored: its recorder has store_content=False",
    "sampled out": "the content of call {id} was not stored: its recorder keeps a sample of payloads",
    "not copied": "the content of call {id} was not there any more when the call was imported",
    "erased": "the content of call {id} was erased on request (recorder db erase)",
}


def why_missing(connection: Connection, id: str) -> str | None:
    """The sentence that says why a call has no payload; None where nobody knows, and it is damage."""
    row = connection.execute(select(calls.c.content, calls.c.started_us).where(calls.c.id == id)).first()
    if row is None:
        return None
    if (sentence := _NEVER.get(row.content)) is not None:
        return sentence.format(id=id)
    pruned = select(func.max(prunings.c.at_us)).where(prunings.c.before_us > row.started_us)
    if (at_us := connection.scalar(pruned)) is None:
        return None
    day = datetime.fromtimestamp(at_us / 1e6, UTC).date()
    return f"the content of call {id} was pruned on {day} (recorder db prune)"


def count_damaged(connection: Connection) -> int:
    """How many calls should have a payload and have none."""
    limit = select(func.coalesce(func.max(prunings.c.before_us), 0)).scalar_subquery()
    query = (
        select(func.count())
        .select_from(calls)
        .where(~has_payload(), calls.c.content == "kept", calls.c.started_us >= limit)
    )
    return int(connection.scalar(query) or 0)
