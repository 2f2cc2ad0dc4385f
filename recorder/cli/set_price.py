"""`recorder prices set`: write a price row of one's own, or change one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from . import options
from .console import output, say
from .page import Page
from .price_table import print_price
from .text import styled

_NONE = "none"
_Rate = Annotated[str | None, typer.Option(metavar="RATE", help="For a million tokens.")]


def set_price(
    id: Annotated[str, typer.Argument(help="The id of the row: a new one, or one to change.")],
    model: Annotated[
        str | None, typer.Option(help="The model's whole name, or a pattern with `*`: 'deepseek-r1*'.")
    ] = None,
    host: Annotated[
        str | None, typer.Option(help="Only at this host: llm.corp.local, or *.corp.local.")
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Only at this provider.")] = None,
    currency: Annotated[
        str | None, typer.Option(help="Three letters. Default: USD.", show_default=False)
    ] = None,
    input: _Rate = None,
    output_: Annotated[
        str | None, typer.Option("--output", metavar="RATE", help="For a million tokens, reasoning included.")
    ] = None,
    cached: Annotated[
        str | None, typer.Option(metavar="RATE", help="Of input tokens read from a cache. Default: as input.")
    ] = None,
    cache_write: Annotated[
        str | None, typer.Option(metavar="RATE", help="Of input tokens written to one. Default: as input.")
    ] = None,
    reasoning: Annotated[
        str | None, typer.Option(metavar="RATE", help="Of reasoning tokens. Default: as output.")
    ] = None,
    request: Annotated[str | None, typer.Option(metavar="RATE", help="For each request.")] = None,
    from_: Annotated[str | None, typer.Option("--from", metavar="TIME", help="The first moment.")] = None,
    to: Annotated[str | None, typer.Option(metavar="TIME", help="The first moment no more.")] = None,
    hours: Annotated[
        str | None,
        typer.Option(
            help="Only then: 'Mon-Fri 09:00-12:00,14:00-18:00 Asia/Shanghai except CN'; 'by end' if the "
            "end of a call decides."
        ),
    ] = None,
    source: Annotated[str | None, typer.Option(help="Where the price is written down.")] = None,
    note: Annotated[str | None, typer.Option(help="What to say with every cost by this row.")] = None,
    on: Annotated[bool | None, typer.Option("--on/--off", help="Whether the row counts.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove a row of your own.")] = False,
    store: options.Store = None,
) -> None:
    """Write a price row, or change one; `none` takes a value away. Rows you changed stay yours.

    At a host that is no known cloud's, calls are priced by rows that name the host, or the provider as
    which you named it, and by no other.
    """
    from ..ledger import PriceList

    prices = PriceList(options.store_url(store))
    if remove:
        back = prices.remove(id)
        output().print(styled(f"removed {id}" + ("; the curated row is back" if back is not None else "")))
        return
    given: dict[str, Any] = {
        "model": model,
        "host": host,
        "provider": provider,
        "currency": currency,
        "input": input,
        "cached": cached,
        "cache_write": cache_write,
        "output": output_,
        "reasoning": reasoning,
        "request": request,
        "hours": hours,
        "source": source,
        "note": note,
        "from": _moment(from_, "--from"),
        "to": _moment(to, "--to"),
        "enabled": on,
    }
    changes = {name: None if value == _NONE else value for name, value in given.items() if value is not None}
    if not changes:
        raise typer.BadParameter(
            "say what to set, for example --host llm.corp.local --input 0.20 --output 0.80"
        )
    row = prices.set(id, changes)
    print_price(Page(output()), row, prices.pages().holidays)
    say("Past calls keep their cost until: recorder reprice --since TIME", "dim")


def _moment(text: str | None, option: str) -> int | str | None:
    return text if text == _NONE else options.moment(text, option)
