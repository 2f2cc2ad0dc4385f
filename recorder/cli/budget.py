"""`recorder budget`: what calls may cost in a day or a month, and whether they do."""

from __future__ import annotations

import time
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.text import Text

from ..errors import BudgetError, StoreError
from . import options
from .budget_rows import (
    BUDGET,
    STANDING,
    about,
    budget_row,
    plain_budget,
    plain_standing,
    remarks,
    show_limit,
    standing_row,
)
from .console import output, say, write_text
from .report import roll_up
from .store import open_store
from .tables import print_footer, print_table
from .text import json_text, styled, styled_block

if TYPE_CHECKING:
    from ..ledger.budgets import Budget

app = typer.Typer(help="What calls may cost in a day or a month.", no_args_is_help=True)

_USAGE = 2
_LARGEST = Decimal(10) ** 15


@app.command("set")
def set_budget(
    name: Annotated[str, typer.Argument(help="What to call it; one of this name is replaced.")],
    limit: Annotated[str, typer.Option(metavar="AMOUNT", help="How much, such as 50 or 0.25.")],
    currency: Annotated[str, typer.Option(help="Costs in other currencies do not count.")] = "USD",
    per: Annotated[
        Literal["day", "month"], typer.Option(help="The period, by the calendar of UTC.")
    ] = "month",
    tag: options.Tags = None,
    user: Annotated[str | None, typer.Option(help="Only calls of this user.")] = None,
    session: Annotated[str | None, typer.Option(help="Only calls of this session.")] = None,
    model: Annotated[str | None, typer.Option(help="Only this model, as served, else as requested.")] = None,
    provider: Annotated[str | None, typer.Option(help="Only this provider.")] = None,
    host: Annotated[str | None, typer.Option(help="Only this host.")] = None,
    store: options.Store = None,
) -> None:
    """Set how much calls may cost; all calls, or those that the options name."""
    from ..ledger import Budgets
    from ..ledger.budgets import Budget

    if not name.strip():
        raise typer.BadParameter("a budget needs a name", param_hint="NAME")
    wanted = {
        "model": model,
        "provider": provider,
        "host": host,
        "user_id": user,
        "session_id": session,
    }
    budget = Budget(
        name,
        _pico(limit),
        currency.upper(),
        per,
        {column: value for column, value in wanted.items() if value is not None},
        options.pairs(tag, "--tag"),
    )
    Budgets(options.store_url(store)).set(budget)
    output().print(styled(f"{name}: {show_limit(budget)} per {per}{about(budget, ' for ')}"))


@app.command("list")
def list_budgets(store: options.Store = None, format: options.Format = "table") -> None:
    """List the budgets."""
    found = _budgets(options.store_url(store))
    if format == "json":
        write_text(json_text([plain_budget(budget) for budget in found]))
    elif found:
        print_table(output(), BUDGET, [budget_row(budget) for budget in found])
    else:
        say("No budgets yet. Set one: recorder budget set NAME --limit 50 --per month")


@app.command("remove")
def remove_budget(
    name: Annotated[str, typer.Argument(help="Which one.")], store: options.Store = None
) -> None:
    """Remove a budget."""
    from ..ledger import Budgets

    Budgets(options.store_url(store)).remove(name)
    output().print(styled(f"removed {name}"))


@app.command("check")
def check_budgets(
    names: Annotated[list[str] | None, typer.Argument(help="Which ones; all unless named.")] = None,
    store: options.Store = None,
    format: options.Format = "table",
) -> None:
    """Say what is spent. Exit code 0: all within their limits; 1: one is over; 2: nothing could be checked."""
    from .. import audit

    url = options.store_url(store)
    try:
        opened = open_store(url)
        roll_up(opened)
        found = _named(_budgets(url), names or ())
        now_us = time.time_ns() // 1000
        standings = [audit.standing(opened, budget, now_us) for budget in found]
    except (StoreError, BudgetError) as error:
        # Not 1, which says that a budget is over.
        say(Text("recorder: ", style="bold red").append_text(styled_block(str(error))))
        raise typer.Exit(_USAGE) from None
    if format == "json":
        write_text(json_text([plain_standing(each) for each in standings]))
    else:
        print_table(output(), STANDING, [standing_row(each) for each in standings])
        print_footer(output(), remarks(standings))
    if any(each.over for each in standings):
        raise typer.Exit(1)


def _budgets(url: str) -> list[Budget]:
    from ..ledger import Budgets

    return Budgets(url).all()


def _named(found: Sequence[Budget], names: Sequence[str]) -> list[Budget]:
    known = {budget.name: budget for budget in found}
    if missing := [name for name in names if name not in known]:
        raise BudgetError(f"there is no budget {missing[0]!r}; `recorder budget list` shows them")
    if not known:
        raise BudgetError("there is no budget to check; set one: recorder budget set NAME --limit 50")
    return [known[name] for name in names] if names else list(found)


def _pico(text: str) -> int:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount <= _LARGEST or amount * 10**12 % 1:
        raise typer.BadParameter(f"{text!r} is no amount of money, such as 50 or 0.25", param_hint="--limit")
    return int(amount * 10**12)
