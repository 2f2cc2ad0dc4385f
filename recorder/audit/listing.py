"""Calls page by page: which ones, in which order, and how to go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ..ledger.filters import Where
from ..ledger.ordering import Mark, Order

if TYPE_CHECKING:
    from ..ledger import Store

PAGE = 50
NEWEST_FIRST = Order()


class Wanted(Struct, frozen=True):
    """Which calls: within a period, of which conditions and tags hold, and that have `search` in what names them."""

    since_us: int | None = None
    until_us: int | None = None
    where: Where = ()
    tags: Mapping[str, str] = {}
    search: str = ""


class CallsPage(Struct, frozen=True):
    """Calls as rows of `v_calls`; `next` is the mark of the page after this one, None where it is the last."""

    calls: tuple[Mapping[str, Any], ...]
    next: Mark | None


def calls_page(
    store: Store, wanted: Wanted, order: Order = NEWEST_FIRST, after: Mark | None = None, size: int = PAGE
) -> CallsPage:
    """One page of the calls that are wanted, which costs the same wherever in a million it stands."""
    found = store.page(
        size + 1,
        order,
        after=after,
        search=wanted.search,
        since_us=wanted.since_us,
        until_us=wanted.until_us,
        where=wanted.where,
        tags=wanted.tags,
    )
    shown = found[:size]
    last = shown[-1] if len(found) > size else None
    return CallsPage(tuple(shown), None if last is None else (last["mark"], last["seq"]))


def attempts(store: Store, call: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The calls of the same operation, first attempt first."""
    found = store.calls(limit=50, newest_first=False, where={"operation_id": call["operation_id"]})
    return sorted(found, key=lambda row: (row["attempt"] or 0, row["started_at"]))


def newest_number(store: Store) -> int:
    """The number of the call that came in last; 0 where there is none."""
    newest = store.calls(limit=1, after_seq=0)
    return newest[0]["seq"] if newest else 0
