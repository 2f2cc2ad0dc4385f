"""New calls as they are stored, pushed to whoever looks at the list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ...audit.listing import calls_page
from ...errors import RecorderError
from ..filters import Filters, read_filters
from ..site import site_of
from .calls import COLUMNS, NUMBERS, read_columns, tags_of

if TYPE_CHECKING:
    from ...ledger.arrivals import Arrivals
    from ..site import Site

POLL_S: Final = 1.0
_BEAT: Final = 15


async def live(request: Request) -> Response:
    """Server-sent events: `calls` holds rows of the list as it is filtered, newest first."""
    site, filters = site_of(request), read_filters(request.query_params)
    return StreamingResponse(
        _events(request, site, filters, read_columns(request.query_params)), media_type="text/event-stream"
    )


async def _events(
    request: Request, site: Site, filters: Filters, columns: tuple[str, ...]
) -> AsyncIterator[str]:
    arrivals = await run_in_threadpool(_follow, site)
    yield "retry: 3000\n\n"
    quiet = 0
    while not site.ending.is_set() and not await request.is_disconnected():
        rows = await run_in_threadpool(new_rows, site, filters, columns, arrivals)
        if rows:
            yield event("calls", rows)
        quiet = 0 if rows else quiet + 1
        if quiet % _BEAT == _BEAT - 1:
            yield ": still here\n\n"
        await asyncio.sleep(POLL_S)


def _follow(site: Site) -> Arrivals:
    newest = site.store.calls(limit=1, after_seq=0)
    return site.store.follow(newest[0]["seq"] if newest else 0)


def new_rows(site: Site, filters: Filters, columns: tuple[str, ...], arrivals: Arrivals) -> str:
    """The rows of what has come in since the last time and fits; at most a page of them."""
    try:
        new = {call["seq"] for call in arrivals.next()}
        found = calls_page(site.store, filters.wanted).calls if new else ()
    except RecorderError:
        # The store is away for a while; what came in meanwhile comes later.
        return ""
    shown = [call for call in found if call["seq"] in new]
    if not shown:
        return ""
    return site.text(
        "rows.html",
        page={"calls": shown},
        columns=[(name, *COLUMNS[name]) for name in columns],
        numbers=NUMBERS,
        tags=tags_of(shown),
        after="",
    )


def event(name: str, data: str) -> str:
    """One server-sent event; each line of its data is one of its own."""
    return f"event: {name}\n" + "".join(f"data: {line}\n" for line in data.splitlines()) + "\n"
