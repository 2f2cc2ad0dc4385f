"""The calls: filtered, searched, sorted and paged, in the columns that the viewer chose."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from itertools import islice
from typing import Any, Final, cast, get_args

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ...audit.listing import calls_page, newest_number
from ...interchange.calls_csv import harmless
from ...ledger.ordering import Mark, Order, Sort
from ...ledger.selection import Selection
from ..filters import PERIODS, Filters, read_filters
from ..site import site_of

COLUMNS: Final[Mapping[str, tuple[str, Sort | None]]] = {
    "time": ("Time", "start"),
    "model": ("Model", None),
    "provider": ("Provider", None),
    "host": ("Host", None),
    "outcome": ("Outcome", None),
    "status": ("Status", None),
    "in": ("In", "input"),
    "cached": ("Cached", None),
    "out": ("Out", "output"),
    "reasoning": ("Reasoning", None),
    "first": ("First token", "first_token"),
    "took": ("Took", "duration"),
    "cost": ("Cost", "cost"),
    "session": ("Session", None),
    "user": ("User", None),
    "tags": ("Tags", None),
    "id": ("Id", None),
}
"""The columns: their titles, and what they sort by."""

CHOSEN: Final = ("time", "model", "outcome", "in", "cached", "out", "first", "took", "cost", "session")
NUMBERS: Final = frozenset({"status", "in", "cached", "out", "reasoning", "first", "took", "cost"})
_EXPORTED: Final[Mapping[str, tuple[str, ...]]] = {
    "time": ("started_at",),
    "model": ("request_model", "response_model"),
    "outcome": ("outcome", "error_type"),
    "status": ("http_status",),
    "in": ("input_tokens",),
    "cached": ("cached_tokens",),
    "out": ("output_tokens",),
    "reasoning": ("reasoning_tokens",),
    "first": ("first_token_s",),
    "took": ("duration_s",),
    "cost": ("cost", "currency"),
    "session": ("session_id",),
    "user": ("user_id",),
}
_MANY: Final = 500


def calls(request: Request) -> Response:
    """A page of calls; to htmx, which asks for the next one, its rows alone."""
    site, query = site_of(request), request.query_params
    filters, order, columns = read_filters(query), read_order(query), read_columns(query)
    live = order == Order() and "after" not in query and not filters.until
    # Asked before the calls: what comes in between is shown by now, or told of later, or both.
    seen = newest_number(site.store) if live else 0
    page = calls_page(site.store, filters.wanted, order, read_mark(query.get("after", "")))
    pairs = [*filters.pairs(), *_chosen(columns), *_sorted(order)]
    part = request.headers.get("hx-request") == "true" and "after" in query
    return site.render(
        request,
        "rows.html" if part else "calls.html",
        title="Calls",
        filters=filters,
        order=order,
        columns=[(name, *COLUMNS[name]) for name in columns],
        all_columns=COLUMNS,
        numbers=NUMBERS,
        page=page,
        tags=tags_of(page.calls),
        periods=PERIODS,
        pairs=pairs,
        after="" if page.next is None else write_mark(page.next),
        live=live,
        seen=seen,
        losses=0 if part else site.store.losses(),
    )


def export(request: Request) -> Response:
    """The calls that are shown, all pages of them, in the columns that are shown, oldest first."""
    site, query = site_of(request), request.query_params
    filters, columns = read_filters(query), read_columns(query)
    names = [name for column in columns for name in _EXPORTED.get(column, (column,))]
    as_csv = request.url.path.endswith(".csv")
    rows = _rows(site.store.url, filters)
    return StreamingResponse(
        _csv(names, rows) if as_csv else _lines(names, rows),
        media_type="text/csv; charset=utf-8" if as_csv else "application/jsonl",
        headers={"Content-Disposition": f"attachment; filename=calls.{'csv' if as_csv else 'jsonl'}"},
    )


def read_order(query: QueryParams) -> Order:
    """The order that is asked for; the newest first where none is."""
    name = query.get("sort", "start")
    return Order(cast(Sort, name) if name in get_args(Sort) else "start", query.get("dir") == "asc")


def read_columns(query: QueryParams) -> tuple[str, ...]:
    """The columns that are asked for, in their order."""
    asked = set(query.getlist("col"))
    return tuple(name for name in COLUMNS if name in asked) or CHOSEN


def read_mark(text: str) -> Mark | None:
    """Where the page before ended; None for what says nothing."""
    value, _, seq = text.partition("_")
    try:
        found = (None if value == "none" else int(value), int(seq))
    except ValueError:
        return None
    return found if all(abs(part or 0) < 2**63 for part in found) else None


def write_mark(mark: Mark) -> str:
    """Where a page ended, for an address."""
    return f"{'none' if mark[0] is None else mark[0]}_{mark[1]}"


def _chosen(columns: tuple[str, ...]) -> list[tuple[str, str]]:
    return [] if columns == CHOSEN else [("col", name) for name in columns]


def _sorted(order: Order) -> list[tuple[str, str]]:
    found = [] if order.sort == "start" else [("sort", str(order.sort))]
    return [*found, ("dir", "asc")] if order.ascending else found


def tags_of(calls: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The tags of each call, by its id."""
    found = {}
    for call in calls:
        value = json.loads(call["tags"]) if call["tags"] else {}
        found[call["id"]] = value if isinstance(value, dict) else {}
    return found


def _rows(url: str, filters: Filters) -> Iterator[Mapping[Any, Any]]:
    wanted = filters.wanted
    selection = Selection(
        url, since_us=wanted.since_us, until_us=wanted.until_us, where=wanted.where, tags=wanted.tags
    )
    for row in selection.rows():
        if not wanted.search or any(wanted.search in str(value) for value in row.values()):
            yield row


def _csv(names: list[str], rows: Iterable[Mapping[Any, Any]]) -> Iterator[bytes]:
    buffer = StringIO()
    writer = csv.writer(buffer)
    writer.writerow(names)
    yield buffer.getvalue().encode()
    for some in batched(rows, _MANY):
        buffer.seek(0)
        buffer.truncate()
        writer.writerows([harmless(row[name]) for name in names] for row in some)
        yield buffer.getvalue().encode("utf-8", "replace")


def _lines(names: list[str], rows: Iterable[Mapping[Any, Any]]) -> Iterator[bytes]:
    for some in batched(rows, _MANY):
        yield "".join(json.dumps({name: row[name] for name in names}) + "\n" for row in some).encode()


def batched(rows: Iterable[Mapping[Any, Any]], size: int) -> Iterator[list[Mapping[Any, Any]]]:
    """Rows in lists of at most so many."""
    rows = iter(rows)
    while some := list(islice(rows, size)):
        yield some
