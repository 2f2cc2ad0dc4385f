"""The price book of one store as its user sees it: shown, changed, imported, checked, and applied to past calls."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import select

from ..errors import PriceError
from ..pricing import Cost, Pages, Price
from ..pricing.plain import change_price, check_price
from .access import reading, writing
from .database import open_database
from .price_checks import Finding, findings
from .prices import Import, fill_prices, load_book, load_pages, put_holidays, put_prices, remove_price
from .repricing import Progress, Repricing, reprice
from .subjects import COLUMNS, subject_of_row
from .tables import calls, cost_changes
from .url import resolved, shown


class PriceList:
    """The price book in a store. Each method opens a connection of its own and closes it.

    What writes creates the store where there is none; what reads raises StoreNotFound.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._database = open_database(resolved(url))

    def pages(self) -> Pages:
        """All rows and holidays, those that are switched off too."""
        with reading(self._database) as connection:
            return load_pages(connection)[0]

    def find(self, part: str) -> Price:
        """The row with this id, or the only one whose id begins so. Raises PriceError."""
        rows = self.pages().prices
        found = [row for row in rows if row.id == part] or [row for row in rows if row.id.startswith(part)]
        if len(found) == 1:
            return found[0]
        if not found:
            raise PriceError(
                f"{shown(self.url)} has no price row {part!r}; `recorder prices list --all` shows them"
            )
        raise PriceError(f"several price rows fit {part!r}: {', '.join(row.id for row in found[:5])}")

    def set(self, id: str, changes: Mapping[str, Any]) -> Price:
        """Change a row, or write a new one; from then on it is the user's own. Raises PriceError."""
        with writing(self._database) as connection:
            known = {row.id: row for row in load_pages(connection)[0].prices}
            row = known.get(id) or Price(id=id, model="", source="set by hand")
            try:
                row = check_price(replace(change_price(row, changes), own=True))
            except ValueError as error:
                raise PriceError(f"price row {id}: {error}") from None
            put_prices(connection, [row])
        return row

    def remove(self, id: str) -> Price | None:
        """Remove a row of the user's own; the curated one that comes back in its place, if there is one."""
        with writing(self._database) as connection:
            rows = {row.id: row for row in load_pages(connection)[0].prices}
            if id not in rows:
                raise PriceError(f"{shown(self.url)} has no price row {id!r}")
            if not rows[id].own:
                command = f"recorder prices set {shlex.quote(id)} --off"
                raise PriceError(f"price row {id!r} is a curated one; switch it off instead: {command}")
            remove_price(connection, id)
            return next((row for row in load_pages(connection)[0].prices if row.id == id), None)

    def switch(self, provider: str, currency: str) -> tuple[int, int]:
        """Let the curated rows of a provider in one currency hold, and no others; how many are on and off then."""
        with writing(self._database) as connection:
            rows = [
                row for row in load_pages(connection)[0].prices if row.provider == provider and not row.own
            ]
            if currency not in {row.currency for row in rows}:
                known = ", ".join(sorted({row.currency for row in rows})) or "none"
                raise PriceError(f"the book has no rows of {provider} in {currency}; there are: {known}")
            put_prices(connection, [replace(row, enabled=row.currency == currency) for row in rows])
        on = sum(row.currency == currency for row in rows)
        return on, len(rows) - on

    def refresh(self, *, reset: bool = False) -> Import:
        """Bring the curated rows to those of this recorder; with `reset` also those that the user changed."""
        with writing(self._database) as connection:
            return fill_prices(connection, reset=reset)

    def add(self, pages: Pages) -> Import:
        """Write the rows and holidays of a book as the user's own."""
        with writing(self._database) as connection:
            known = {row.id: row for row in load_pages(connection)[0].prices}
            rows = [replace(row, own=True) for row in pages.prices]
            put_prices(connection, rows)
            put_holidays(connection, [replace(year, own=True) for year in pages.holidays])
        changed = sum(row.id in known and known[row.id] != row for row in rows)
        return Import(sum(row.id not in known for row in rows), changed)

    def check(self, now_us: int) -> list[Finding]:
        """What is missing, contradictory or over."""
        with reading(self._database) as connection:
            return findings(connection, now_us)

    def reprice(
        self,
        *,
        since_us: int | None,
        until_us: int | None = None,
        model: str | None = None,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> Repricing:
        """Compute the costs of past calls anew, and keep what they were; see `Repricing`."""
        return reprice(
            self._database,
            since_us=since_us,
            until_us=until_us,
            model=model,
            dry_run=dry_run,
            progress=progress or (lambda done, total: None),
        )

    def explain(self, id: str) -> Cost | None:
        """How the cost of a call comes about, where the book still says the same as it did; else None."""
        with reading(self._database) as connection:
            row = connection.execute(select(*COLUMNS).where(calls.c.id == id)).mappings().first()
            if row is None or row["price_id"] is None:
                return None
            cost = load_book(connection).cost(subject_of_row(row))
        return cost if (cost.pico, cost.price_id) == (row["cost_pico"], row["price_id"]) else None

    def changes(self, id: str) -> Sequence[Mapping[str, Any]]:
        """What a call was said to cost before, oldest first, and why that changed."""
        query = select(cost_changes).where(cost_changes.c.call_id == id).order_by(cost_changes.c.seq)
        with reading(self._database) as connection:
            return [dict(row) for row in connection.execute(query).mappings()]
