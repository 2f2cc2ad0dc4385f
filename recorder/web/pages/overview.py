"""The overview: where the money and the seconds go, over time and by model, beside the period before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response

from ... import audit
from ..filters import PERIODS, period, read_filters
from ..site import site_of
from .overview_charts import charts
from .overview_figures import figures

if TYPE_CHECKING:
    from ...ledger import Store

_DAY_S: Final = 86_400
_YEARS_US: Final = 400 * _DAY_S * 1_000_000


def overview(request: Request) -> Response:
    """The page of a period; the last seven days unless the address says otherwise."""
    site = site_of(request)
    filters = read_filters(request.query_params, "7d")
    wanted = filters.wanted
    since_us, until_us = period(wanted)
    first_us = _first_us(site.store, until_us) if wanted.since_us is None else since_us
    # What the charts can hold; what began with the first call has no period before.
    since_us = max(first_us, until_us - _YEARS_US) if wanted.since_us is None else since_us
    found = audit.overview(site.store, since_us, until_us, wanted.where, wanted.tags)
    return site.render(
        request,
        "overview.html",
        title="Overview",
        filters=filters,
        periods=PERIODS,
        pairs=[("since", filters.since), *(pair for pair in filters.pairs() if pair[0] != "since")],
        found=found,
        cut=first_us < since_us,
        figures=figures(found.total, found.before),
        charts=charts(found) if found.series else [],
        losses=site.store.losses(),
        any_call=bool(found.total.calls or found.total.replayed or site.store.calls(limit=1)),
    )


def _first_us(store: Store, otherwise: int) -> int:
    """When the day of the first call began: of whole days no single call is read."""
    first = store.calls(limit=1, newest_first=False)
    return int(first[0]["started_at"] // _DAY_S * _DAY_S) * 1_000_000 if first else otherwise
