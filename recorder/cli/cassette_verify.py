"""`recorder cassette verify`: recorded requests are sent again, to see whether the provider still answers so."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from ..amounts import show_money
from ..errors import CassetteError
from . import options
from .calls import counted
from .cassette_diff import print_text_changes
from .cassette_place import open_cassette
from .cassette_plan import Plan, make_plan, print_plan
from .cassette_resend import credentials, verify_live
from .cassette_show import entry_numbers
from .console import messages, output, say, write_text
from .tables import print_footer
from .text import json_text, styled, visible

if TYPE_CHECKING:
    from ..interchange.expense import Price
    from .cassette_resend import Verified

_BUDGET = 1.0


def verify_cassette(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A cassette of the store, or a file.")],
    entries: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N", help="Only these entries: 3, 1,4 or 2-5. Default: all that recorded no failure."
        ),
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only so many, spread evenly.")
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Send elsewhere; what an SDK calls base URL.")
    ] = None,
    api_key_env: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The variable that holds the key, sent as `Authorization: Bearer`."
        ),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(
            metavar="'NAME: VALUE'", help="A header to send; $NAME in it is a variable. May be repeated."
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="USD",
            help="Stop before this is spent. Default: 1, where --max-calls is not given.",
        ),
    ] = None,
    price_per_mtok: Annotated[
        str | None,
        typer.Option(metavar="IN[,OUT]", help="Dollars a million tokens. Default: the price book."),
    ] = None,
    max_calls: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop after so many calls.")
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="Also compare what the model says.")] = False,
    timeout: Annotated[float, typer.Option(min=0.1, metavar="S", help="Seconds without a byte.")] = 60.0,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    store: options.Store = None,
    format: options.Format = "table",
) -> None:
    """Send recorded requests live, within a budget, and report how the answers changed; changes nothing.

    Exit code 1 if something drifted, or nothing could be sent.
    """
    given = credentials(api_key_env, header or [])
    price = _price(price_per_mtok)
    opened = open_cassette(name, options.store_url(store))
    chosen = entry_numbers(entries, len(opened.recordings), "--entries") if entries else None
    plan = make_plan(opened.recordings, chosen, sample, base_url, given, price)
    if not plan.resends:
        raise CassetteError(f"{name} has nothing to verify: {'; '.join(plan.reasons()) or 'it is empty'}")
    if budget is None and max_calls is None:
        budget = _BUDGET
    print_plan(messages(), plan, opened.name, _limits(budget, max_calls))
    _check_limits(plan, max_calls)
    if not yes and not typer.confirm("Send them?", err=True):
        say("Nothing was sent.")
        raise typer.Exit(1)
    verified = verify_live(plan, budget=budget, max_calls=max_calls, timeout_s=timeout, text=text)
    if format == "json":
        write_text(json_text([each.plain() for each in verified]))
    else:
        _print(verified)
    if any(each.drift for each in verified) or all(each.not_sent for each in verified):
        raise typer.Exit(1)


def _price(text: str | None) -> Price | None:
    from ..interchange.expense import fixed_price, listed_price

    if text is None:
        return listed_price(time.time_ns() // 1000)
    try:
        return fixed_price(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--price-per-mtok") from None


def _check_limits(plan: Plan, max_calls: int | None) -> None:
    """A usage error unless something bounds what this may cost."""
    if plan.has_credentials and len(plan.places) > 1:
        raise typer.BadParameter(
            f"the same credentials would go to {', '.join(map(visible, plan.places))}; choose entries of one host, "
            "or --base-url",
            param_hint="--entries",
        )
    if max_calls is None and plan.expense.unknown:
        raise typer.BadParameter(
            f"what {counted(plan.expense.unknown, 'call')} cost is unknown, so a budget alone bounds nothing: "
            f"give {'--price-per-mtok, or ' if plan.price is None else ''}--max-calls N as well",
            param_hint="--budget",
        )


def _limits(budget: float | None, max_calls: int | None) -> list[str]:
    """What is said of the limits before anybody is asked."""
    limits = [] if max_calls is None else [f"at most {counted(max_calls, 'call')}"]
    return limits if budget is None else [*limits, f"at most {show_money(budget, 'USD')}"]


def _print(verified: Sequence[Verified]) -> None:
    console = output()
    for each in verified:
        if not each.drift:
            continue
        title = Text().append("~ ", "bold yellow").append(f"{each.number} ", "cyan")
        console.print(
            title.append_text(styled(f"{each.method} {each.url} {each.model or ''}")), soft_wrap=True
        )
        for drift in each.drift:
            what = Text("  ").append_text(styled(drift.what, "bold")).append(":")
            if drift.what == "text":
                console.print(what)
                print_text_changes(console, drift.change.split("\n"))
            else:
                console.print(what.append(" ").append_text(styled(drift.change)), soft_wrap=True)
    for why, number in Counter(each.not_sent for each in verified if each.not_sent).items():
        say(f"{counted(number, 'request')} not sent: {why}", "yellow")
    print_footer(console, _totals(verified))


def _totals(verified: Sequence[Verified]) -> list[str]:
    sent = [each for each in verified if not each.not_sent]
    drifted = sum(bool(each.drift) for each in sent)
    parts = [f"{counted(len(sent), 'call')} sent", f"{drifted} drifted" if drifted else "no drift"]
    if left := len(verified) - len(sent):
        parts.append(f"{left} not sent")
    costs = [each.cost for each in sent if each.cost is not None]
    return [*parts, show_money(float(sum(costs)), "USD")] if costs else parts
