"""`recorder prices`: the price book of a store."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from . import options
from .calls import counted
from .console import output, say, write_text
from .page import Page
from .price_table import price_cells, price_columns, print_price
from .set_price import set_price
from .tables import print_footer, print_table
from .text import json_text, styled

if TYPE_CHECKING:
    from ..ledger import PriceList

app = typer.Typer(
    help="Look at the price book, change it, and find what is missing in it.", no_args_is_help=True
)
app.command("set")(set_price)


@app.command("list")
def list_prices(
    all: Annotated[
        bool, typer.Option("--all", help="Also rows of other times, and those switched off.")
    ] = False,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Rows that hold then, at any hour: 2026-09-12. Default: now."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Only rows that fit this model.")] = None,
    provider: Annotated[str | None, typer.Option(help="Only rows of this provider.")] = None,
    host: Annotated[str | None, typer.Option(help="Only rows of this host.")] = None,
    store: options.Store = None,
    format: options.Format = "table",
) -> None:
    """List price rows, those of today unless told otherwise."""
    at_us = options.moment(at, "--at") or _now_us()
    rows = _open(store).pages().prices
    found = [
        row
        for row in rows
        if (all or (row.enabled and row.valid_at(at_us)))
        and (model is None or row.fits(model))
        and (provider is None or row.provider == provider)
        and (host is None or row.host == host)
    ]
    if format == "json":
        from ..pricing import plain_price

        write_text(json_text([plain_price(row) for row in found]))
        return
    if not found:
        say("No price row fits.")
        return
    found.sort(
        key=lambda row: (row.provider or "", row.host or "", row.model, row.valid_from_us or 0, row.id)
    )
    print_table(output(), price_columns(found), [price_cells(row, found) for row in found])
    own = sum(row.own for row in found)
    parts = [f"{len(found)} of {counted(len(rows), 'row')}", *([f"{own} your own"] if own else [])]
    print_footer(output(), [*parts, *([] if all else ["the rest: --all"])])


@app.command()
def show(
    id: Annotated[str, typer.Argument(help="The id of a row, or any unique beginning of it.")],
    store: options.Store = None,
    format: options.Format = "table",
) -> None:
    """Show one price row in full, with its source."""
    opened = _open(store)
    row = opened.find(id)
    if format == "json":
        from ..pricing import plain_price

        write_text(json_text(plain_price(row)))
        return
    print_price(Page(output()), row, opened.pages().holidays)


@app.command("import")
def import_prices(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="Rows and holidays of your own: TOML, or the JSON of `prices list`. "
            "Default: the curated book of this recorder.",
            show_default=False,
        ),
    ] = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="Also take back what you changed in curated rows.")
    ] = False,
    store: options.Store = None,
) -> None:
    """Bring in a price book: the curated one as it is now, or one of your own."""
    if file is None:
        done = _open(store).refresh(reset=reset)
    elif reset:
        raise typer.BadParameter("is for the curated book, without a file", param_hint="--reset")
    else:
        from ..pricing import read_book

        done = _open(store).add(read_book(file))
    numbers = (("added", done.added), ("changed", done.changed), ("removed", done.removed))
    parts = [f"{number:,} {name}" for name, number in numbers if number]
    kept = f"; {counted(done.kept, 'row')} of yours kept" if done.kept else ""
    output().print(Text(f"{', '.join(parts) or 'up to date'}{kept}"))
    if parts:
        say("Past calls keep their cost until: recorder reprice --since TIME", "dim")


@app.command()
def currency(
    provider: Annotated[str, typer.Argument(help="The provider, such as deepseek.")],
    currency: Annotated[str, typer.Argument(help="What your account there is billed in, such as CNY.")],
    store: options.Store = None,
) -> None:
    """Say in which currency a provider bills you, where the curated book has several lists."""
    on, off = _open(store).switch(provider, currency.upper())
    text = f"{counted(on, 'row')} of {provider} in {currency.upper()} hold now; {counted(off, 'row')} are off"
    output().print(styled(text))


@app.command()
def check(store: options.Store = None, format: options.Format = "table") -> None:
    """Find models without a price, rows that overlap or ended, and holidays that end.

    Exit code 1 if costs are missing or wrong.
    """
    found = _open(store).check(_now_us())
    problems = sum(finding.problem for finding in found)
    if format == "json":
        write_text(
            json_text([{"kind": each.kind, "problem": each.problem, "text": each.text} for each in found])
        )
    elif not found:
        output().print(Text("fine: every call with usage has a cost, and no row contradicts another"))
    else:
        for finding in found:
            mark = Text("problem  ", "red") if finding.problem else Text("note     ", "dim")
            output().print(mark.append_text(styled(finding.text)), soft_wrap=True)
    if problems:
        raise typer.Exit(1)


def _open(store: str | None) -> PriceList:
    from ..ledger import PriceList

    return PriceList(options.store_url(store))


def _now_us() -> int:
    return time.time_ns() // 1000
