"""`recorder reprice`: the costs of past calls, computed anew by the price book as it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from ..amounts import show_money
from . import options
from .calls import UNPRICED, counted
from .console import output, write_text
from .money import exact_units, maybe_units
from .progress import progress
from .tables import Cell, Column, print_footer, print_table
from .text import json_text, styled
from .times import UNKNOWN

if TYPE_CHECKING:
    from ..ledger.repricing import Difference, Repricing

_COLUMNS = (
    Column("model", floor=12, ceiling=60),
    Column("currency"),
    Column("calls", "right"),
    Column("before", "right"),
    Column("after", "right"),
    Column("difference", "right"),
)


def reprice(
    since: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="Calls from then on: 7d, 2026-11-01, 2026-11-01T12:00; `all` for all."
        ),
    ],
    until: options.Until = None,
    model: Annotated[str | None, typer.Option(help="Only this model, as served, else as requested.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    store: options.Store = None,
    format: options.Format = "table",
) -> None:
    """Price past calls anew. What they were said to cost is kept, with the reason; `recorder show` tells it.

    Costs that the provider itself reported stay. May run while calls are recorded, and be run again.
    """
    from ..ledger import PriceList

    since_us, until_us = options.period(None if since == "all" else since, until)
    with progress("pricing") as advance:
        done = PriceList(options.store_url(store)).reprice(
            since_us=since_us,
            until_us=until_us,
            model=model,
            dry_run=dry_run,
            progress=advance,
        )
    if format == "json":
        write_text(json_text(_plain(done, dry_run)))
        return
    if done.differences:
        print_table(output(), _COLUMNS, [_row(*key, each) for key, each in _sorted(done)])
    print_footer(output(), _summary(done, dry_run))


def _plain(done: Repricing, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "checked": done.checked,
        "changed": done.changed,
        "priced": done.priced,
        "unpriced": done.unpriced,
        "differences": [
            {
                "model": model,
                "currency": currency,
                "calls": each.calls,
                "before": maybe_units(each.before_pico),
                "after": maybe_units(each.after_pico),
                "difference": exact_units(each.pico),
            }
            for (model, currency), each in _sorted(done)
        ],
    }


def _sorted(done: Repricing) -> list[tuple[tuple[str | None, str], Difference]]:
    return sorted(done.differences.items(), key=lambda item: (item[0][0] or "", item[0][1]))


def _row(model: str | None, currency: str, each: Difference) -> list[Cell]:
    difference = show_money(exact_units(each.pico), currency)
    return [
        (Text(UNKNOWN, style="dim") if model is None else styled(model),),
        (styled(currency),),
        (Text(f"{each.calls:,}"),),
        (_amount(each.before_pico, currency),),
        (_amount(each.after_pico, currency),),
        (styled(f"+{difference}" if each.pico > 0 else difference, "bold" if each.pico else "dim"),),
    ]


def _amount(pico: int | None, currency: str) -> Text:
    return Text(UNPRICED, style="dim") if pico is None else styled(show_money(exact_units(pico), currency))


def _summary(done: Repricing, dry_run: bool) -> list[str]:
    """How many calls were looked at, and what became (or would become) of them."""
    parts = [
        f"{counted(done.checked, 'call')} checked",
        f"{done.changed:,} {'would change' if dry_run else 'changed'}",
    ]
    if done.priced:
        parts.append(f"{done.priced:,} unpriced before")
    if done.unpriced:
        parts.append(f"{done.unpriced:,} unpriced now")
    return [*parts, *(["nothing was written"] if dry_run else [])]
