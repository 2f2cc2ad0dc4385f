"""The ledger: calls and their exchanges kept in SQL; the only door to it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .budgets import Budgets
    from .cassettes import StoreCassette
    from .price_list import PriceList
    from .retention import Retention
    from .store import Store
    from .url import check_url
    from .writer import Writer

__all__ = ["Budgets", "PriceList", "Retention", "Store", "StoreCassette", "Writer", "check_url"]

_HOMES = {
    "Budgets": ".budgets",
    "PriceList": ".price_list",
    "Retention": ".retention",
    "Store": ".store",
    "StoreCassette": ".cassettes",
    "Writer": ".writer",
    "check_url": ".url",
}


def __getattr__(name: str) -> Any:
    if (home := _HOMES.get(name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home, __name__), name)
