"""Two calls beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...audit.comparison import difference
from ...audit.pair import pair
from ...audit.reading import Reading, read_call
from ...errors import CallNotFound
from ..site import Site, site_of

_ROWS = (
    ("Started", "started_at", "moment"),
    ("Model", "response_model", "line"),
    ("Outcome", "outcome", "line"),
    ("Took", "duration_s", "duration"),
    ("First token", "first_token_s", "duration"),
    ("Input", "input_tokens", "number"),
    ("Cached", "cached_tokens", "number"),
    ("Output", "output_tokens", "number"),
    ("Reasoning", "reasoning_tokens", "number"),
    ("Cost", "cost", "money"),
)


def page(request: Request) -> Response:
    """The page of two calls; with one of them or none, where to put the ids."""
    site, query = site_of(request), request.query_params
    problems: list[str] = []
    one, other = (_read(site, query.get(name, "").strip(), problems) for name in ("a", "b"))
    both = None if one is None or other is None else (one, other)
    compared = both if both and site.content and both[0].wire and both[1].wire else None
    return site.render(
        request,
        "compare.html",
        title="Compare",
        ids=(query.get("a", ""), query.get("b", "")),
        problems=problems,
        both=both,
        rows=[] if both is None else _rows(both[0].row, both[1].row),
        pair=None if compared is None else pair(*compared),
        near=[] if one is None else _near(site, one),
    )


def _read(site: Site, part: str, problems: list[str]) -> Reading | None:
    if not part:
        return None
    try:
        return read_call(site.store, site.store.find(part))
    except CallNotFound as error:
        problems.append(str(error))
        return None


def _near(site: Site, one: Reading) -> list[dict[str, Any]]:
    """Calls that one would be compared with: the newest of the same model that were not replayed."""
    where = {"model": one.row["response_model"] or one.row["request_model"] or "", "replayed": 0}
    return [call for call in site.store.calls(limit=12, where=where) if call["id"] != one.row["id"]]


def _rows(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, str, Any, Any, float | None]]:
    found = []
    for title, name, kind in _ROWS:
        numeric = kind in ("duration", "number", "money")
        change = difference(other[name], one[name])[1] if numeric else None
        found.append((title, kind, one[name], other[name], change))
    return found
