"""`recorder report`: figures by model, time, user, session, tag and more."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import StoreError
from ..ledger.url import shown
from . import options
from .calls import print_losses
from .console import messages, output, say, write_text
from .progress import progress
from .report_changes import plain_comparison, print_comparison
from .report_rows import plain_report, print_report
from .store import open_to_look
from .text import json_text

if TYPE_CHECKING:
    from ..audit import Comparison, Report
    from ..ledger import Store

_LIMIT = 100


def report(
    by: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="What to group by, with commas between: model, provider, host, day, hour, user, session, "
            "outcome, error, status, operation, tag:NAME, or tag for every tag and value.",
        ),
    ] = "model",
    since: options.Since = None,
    until: options.Until = None,
    where: options.Where = None,
    tag: options.Tags = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Beside the period before, as long as this one; takes --since.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="How many groups; 0 for all.")] = _LIMIT,
    store: options.Store = None,
    format: options.Format = "table",
) -> None:
    """Calls, errors, tokens, caching, cost and times, by group and in total.

    Percentiles are at most one percent off; all else is exact. Days and hours are those of UTC.
    """
    from .. import audit

    names = list(dict.fromkeys(name.strip() for name in by.split(",") if name.strip()))
    url = options.store_url(store)
    since_us, until_us = options.period(since, until)
    if compare and since_us is None:
        raise typer.BadParameter("needs --since, which says how long the periods are", param_hint="--compare")
    filters = options.conditions(where), options.pairs(tag, "--tag")
    opened = open_to_look(url)
    roll_up(opened)
    found: Report | Comparison
    most = None if limit == 0 or format == "json" else limit
    try:
        if compare and since_us is not None:
            until_us = time.time_ns() // 1000 if until_us is None else until_us
            found = audit.compare(opened, names, since_us, until_us, *filters, limit=most)
        else:
            found = audit.report(opened, names, since_us, until_us, *filters, limit=most)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--by") from None
    if format == "json":
        write_text(json_text(_plain(names, found)))
    elif not found.rows:
        say(f"No calls in {shown(url)} to report on.")
    else:
        _print(names, found)
    print_losses(messages() if format == "json" else output(), opened.losses())


def _plain(names: Sequence[str], found: Report | Comparison) -> object:
    from ..audit import Report

    return plain_report(names, found) if isinstance(found, Report) else plain_comparison(names, found)


def _print(names: Sequence[str], found: Report | Comparison) -> None:
    from ..audit import Report

    if isinstance(found, Report):
        print_report(names, found)
    else:
        print_comparison(names, found)


def roll_up(store: Store) -> None:
    """Count what the rollups lack, which is so once in a store of an older version; without them it is only slower."""
    if store.rolled_up():
        return
    try:
        with progress("counting the calls of an older store, once") as advance:
            store.roll_up(advance)
    except StoreError as error:
        say(f"answered from the calls themselves: {error}", "dim")
