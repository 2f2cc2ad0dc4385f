"""The price book: which row holds for what, and which calls have no price."""

from __future__ import annotations

import time

from starlette.requests import Request
from starlette.responses import Response

from ...ledger import PriceList
from ...pricing import Price
from ..site import site_of


def prices(request: Request) -> Response:
    """All rows, and what is missing; only those that hold now unless all are asked for."""
    site, query = site_of(request), request.query_params
    now_us = time.time_ns() // 1000
    book = PriceList(site.store.url)
    wanted, every = query.get("q", "").strip(), query.get("all") == "1"
    rows = [row for row in book.pages().prices if _fits(row, wanted)]
    shown = rows if every else [row for row in rows if row.enabled and row.valid_at(now_us)]
    return site.render(
        request,
        "prices.html",
        title="Prices",
        rows=sorted(shown, key=lambda row: (row.provider or "", row.model, row.valid_from_us or 0)),
        hidden=len(rows) - len(shown),
        search=wanted,
        every=every,
        now_us=now_us,
    )


def findings(request: Request) -> Response:
    """What is missing in the book or contradicts itself, apart from its rows: it looks at all calls."""
    site = site_of(request)
    found = PriceList(site.store.url).check(time.time_ns() // 1000)
    part = request.headers.get("hx-request") == "true"
    return site.render(
        request, "findings.html" if part else "price_findings.html", title="Price findings", findings=found
    )


def _fits(row: Price, wanted: str) -> bool:
    return not wanted or any(
        wanted.lower() in (text or "").lower() for text in (row.id, row.model, row.provider)
    )
