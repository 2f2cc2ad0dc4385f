"""Budgets in a store: how much calls may cost in a day or a month, and which calls."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct
from sqlalchemy import Connection, select

from ..errors import BudgetError
from .access import reading, writing
from .database import open_database
from .rows import storable
from .tables import budgets
from .url import resolved, shown

Period = Literal["day", "month"]
COLUMNS: Final = ("model", "provider", "host", "user_id", "session_id")
"""What besides tags a budget can be about."""


class Budget(Struct, frozen=True):
    """A limit in pico-units of a currency for each day or month of UTC, for the calls that `where` and `tags` name."""

    name: str
    limit_pico: int
    currency: str = "USD"
    period: Period = "month"
    where: Mapping[str, str] = {}
    tags: Mapping[str, str] = {}


class Budgets:
    """The budgets of one store. Each method opens a connection of its own and closes it.

    What writes creates the store where there is none; what reads raises StoreNotFound.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._database = open_database(resolved(url))

    def all(self) -> list[Budget]:
        """All budgets, by name."""
        with reading(self._database) as connection:
            return _read(connection)

    def find(self, name: str) -> Budget:
        """The budget of that name. Raises BudgetError."""
        found = next((budget for budget in self.all() if budget.name == name), None)
        if found is None:
            raise BudgetError(f"{shown(self.url)} has no budget {name!r}; `recorder budget list` shows them")
        return found

    def set(self, budget: Budget) -> None:
        """Write a budget, in the place of one of the same name."""
        row = {
            "name": storable(budget.name),
            "limit_pico": str(budget.limit_pico),
            "currency": storable(budget.currency),
            "period": budget.period,
            "filters": storable(json.dumps({"where": dict(budget.where), "tags": dict(budget.tags)})),
            "changed_us": time.time_ns() // 1000,
        }
        with writing(self._database) as connection:
            connection.execute(budgets.delete().where(budgets.c.name == row["name"]))
            connection.execute(budgets.insert(), [row])

    def remove(self, name: str) -> None:
        """Remove a budget. Raises BudgetError."""
        self.find(name)
        with writing(self._database) as connection:
            connection.execute(budgets.delete().where(budgets.c.name == name))


def _read(connection: Connection) -> list[Budget]:
    return [_budget(row) for row in connection.execute(select(budgets).order_by(budgets.c.name)).mappings()]


def _budget(row: Mapping[Any, Any]) -> Budget:
    filters = json.loads(row["filters"])
    return Budget(
        row["name"],
        int(row["limit_pico"]),
        row["currency"],
        row["period"],
        filters.get("where", {}),
        filters.get("tags", {}),
    )
