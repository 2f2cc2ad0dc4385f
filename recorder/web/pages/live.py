"""New calls as they are stored, pushed to whoever looks at the list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ...audit.listing import calls_page, newest_number
from ...errors import RecorderError
from ..filters import Filters, read_filters
from ..site import site_of
from .calls import COLUMNS, NUMBERS, read_columns, tags_of

if TYPE_CHECKING:
    from ...ledger.arrivals import Arrivals
    from ..site import Site

POLL_S: Final = 1.0
_BEAT: Final = 15
_MOST: Final = 1_000


async def live(request: Request) -> Response:
    """Server-sent events: `calls` holds rows of the list as it is filtered, newest first.

    They begin after the call that the page saw as the newest (`seen`), or, where the browser comes again,
    after the last one that it was told of.
    """
    site, query = site_of(request), request.query_params
    seen = _number(request.headers.get("last-event-id") or query.get("seen", ""))
    return StreamingResponse(
        _events(request, site, read_filters(query), read_columns(query), seen),
        media_type="text/event-stream",
    )


async def _events(
    request: Request, site: Site, filters: Filters, columns: tuple[str, ...], seen: int | None
) -> AsyncIterator[str]:
    arrivals = await run_in_threadpool(_follow, site, seen)
    yield "retry: 3000\n\n"
    quiet = 0
    while not site.ending.is_set() and not await request.is_disconnected():
        rows, newest = await run_in_threadpool(new_rows, site, filters, columns, arrivals)
        if rows:
            yield event("calls", rows, newest)
        quiet = 0 if rows else quiet + 1
        if quiet % _BEAT == _BEAT - 1:
            yield ": still here\n\n"
        await asyncio.sleep(POLL_S)


def _follow(site: Site, seen: int | None) -> Arrivals:
    newest = newest_number(site.store)
    return site.store.follow(newest if seen is None else min(max(seen, newest - _MOST), newest))


def new_rows(site: Site, filters: Filters, columns: tuple[str, ...], arrivals: Arrivals) -> tuple[str, int]:
    """The rows of what has come in since the last time and fits, at most a page of them, and the highest number."""
    try:
        new = {call["seq"] for call in arrivals.next()}
        found = calls_page(site.store, filters.wanted).calls if new else ()
    except RecorderError:
        # The store is away for a while; what came in meanwhile comes later.
        return "", 0
    shown = [call for call in found if call["seq"] in new]
    if not shown:
        return "", 0
    rows = site.text(
        "rows.html",
        page={"calls": shown},
        columns=[(name, *COLUMNS[name]) for name in columns],
        numbers=NUMBERS,
        tags=tags_of(shown),
        after="",
    )
    return rows, max(new)


def event(name: str, data: str, id: int) -> str:
    """One server-sent event; each line of its data is one of its own."""
    return f"event: {name}\nid: {id}\n" + "".join(f"data: {line}\n" for line in data.splitlines()) + "\n"


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
