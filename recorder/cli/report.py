"""`recorder report`: figures by model, provider, day or tag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from ..ledger.url import shown
from . import options
from .calls import UNPRICED, counted, print_losses, show_money
from .console import messages, output, say, write_text
from .money import exact_units
from .store import open_to_look
from .tables import Cell, Column, lay_out, print_footer, print_line
from .text import json_text, styled
from .times import UNKNOWN, show_duration

if TYPE_CHECKING:
    from ..audit import Percentiles, ReportRow

_FIGURES = (
    Column("calls", "right"),
    Column("errors", "right"),
    Column("rate", "right", drop=4),
    Column("incomplete", "right", drop=3),
    Column("cancelled", "right", drop=2),
    Column("in", "right"),
    Column("cached", "right", drop=6),
    Column("out", "right"),
    Column("reasoning", "right", drop=5),
    Column("p50", "right", drop=11),
    Column("p95", "right", drop=10),
    Column("p99", "right", drop=7),
    Column("first p50", "right", drop=9),
    Column("first p95", "right", drop=8),
    Column("first p99", "right", drop=1),
)
_COST = Column("cost", "right", drop=12)


def report(
    by: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="What to group by, with commas between: model, provider, day, host, user, session, "
            "outcome, operation, tag:NAME.",
        ),
    ] = "model",
    since: options.Since = None,
    until: options.Until = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=VALUE", help="Only calls whose column has this value; may be repeated."),
    ] = None,
    tag: options.Tags = None,
    store: options.Store = None,
    format: options.Format = "table",
) -> None:
    """Calls, errors, tokens, times and cost, by group and in total."""
    from .. import audit

    names = [name.strip() for name in by.split(",") if name.strip()]
    url = options.store_url(store)
    since_us = options.moment(since, "--since")
    until_us = options.moment(until, "--until", end=True)
    opened = open_to_look(url)
    try:
        rows = audit.report(
            opened,
            names,
            since_us,
            until_us,
            options.pairs(where, "--where"),
            options.pairs(tag, "--tag"),
        )
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--by") from None
    if format == "json":
        write_text(json_text([_plain(names, row) for row in rows]))
    elif len(rows) == 1:
        say(f"No calls in {shown(url)} to report on.")
    else:
        _print(names, rows)
    print_losses(messages() if format == "json" else output(), opened.losses())


def _plain(names: Sequence[str], row: ReportRow) -> dict[str, Any]:
    figures = asdict(row)
    key = figures.pop("key")
    del figures["cost_pico"], figures["saved_pico"]
    plain: dict[str, Any] = dict(zip(names, key, strict=False)) if key else dict.fromkeys(names)
    for name, value in figures.items():
        if name in ("duration_s", "first_token_s"):
            for percent in ("p50", "p95", "p99"):
                plain[f"{name.removesuffix('_s')}_{percent}_s"] = value and value[percent]
        else:
            plain[name] = value
    plain["error_rate"] = row.error_rate
    plain["cost"] = dict(_amounts(row.cost_pico))
    plain["saved"] = dict(_amounts(row.saved_pico))
    return plain


def _print(names: Sequence[str], rows: Sequence[ReportRow]) -> None:
    costs = any(row.cost_pico for row in rows)
    titles = ["day (UTC)" if name == "day" else name for name in names]
    floor = 24 if len(titles) == 1 else 14
    columns = [*(Column(title, floor=floor) for title in titles), *_FIGURES, *((_COST,) if costs else ())]
    cells = [[*_key(names, row), *_cells(row)] for row in rows]
    console = output()
    layout = lay_out(columns, cells, console.width)
    print_line(console, layout.header())
    for row, line in zip(rows, cells, strict=True):
        text = layout.line(line)
        if row.total:
            text.stylize("bold")
        print_line(console, text)
    _print_footer(rows[-1])


def _print_footer(total: ReportRow) -> None:
    parts = []
    if total.without_usage:
        parts.append(f"{counted(total.without_usage, 'call')} without usage, not in the token sums")
    if total.interrupted:
        parts.append(f"{total.interrupted} interrupted")
    if total.replayed:
        saved = f", {_money(total.saved_pico)} saved" if total.saved_pico else ""
        parts.append(f"{total.replayed} replayed, not counted{saved}")
    if total.without_cost:
        parts.append(f"{counted(total.without_cost, 'call')} {UNPRICED}")
    print_footer(output(), parts)


def _key(names: Sequence[str], row: ReportRow) -> list[Cell]:
    if row.total:
        return [(Text("total" if index == 0 else ""),) for index in range(len(names))]
    return [(Text(UNKNOWN, style="dim") if value is None else styled(value),) for value in row.key]


def _cells(row: ReportRow) -> list[Cell]:
    rate = row.error_rate
    texts = [
        Text(f"{row.calls:,}"),
        Text(f"{row.errors:,}", style="red" if row.errors else "dim"),
        Text(UNKNOWN if rate is None else f"{rate:.1%}", style="red" if rate else "dim"),
        Text(f"{row.incomplete:,}", style="" if row.incomplete else "dim"),
        Text(f"{row.cancelled:,}", style="" if row.cancelled else "dim"),
        *(
            _tokens(count)
            for count in (row.input_tokens, row.cached_tokens, row.output_tokens, row.reasoning_tokens)
        ),
        *_times(row.duration_s),
        *_times(row.first_token_s),
        _cost(row),
    ]
    return [(text,) for text in texts]


def _cost(row: ReportRow) -> Text:
    """The sum of each currency; where there is none, that nothing is priced."""
    if row.cost_pico:
        return styled(_money(row.cost_pico))
    return Text(UNPRICED if row.without_cost else UNKNOWN, style="dim")


def _money(sums: Sequence[tuple[str, int]]) -> str:
    return " + ".join(show_money(amount, currency or None) for currency, amount in _amounts(sums))


def _amounts(sums: Sequence[tuple[str, int]]) -> list[tuple[str, Decimal]]:
    """The sum of each currency, in its units, exactly."""
    return [(currency, exact_units(pico)) for currency, pico in sums]


def _tokens(count: int | None) -> Text:
    return Text(UNKNOWN, style="dim") if count is None else Text(f"{count:,}")


def _times(times: Percentiles | None) -> list[Text]:
    if times is None:
        return [Text(UNKNOWN, style="dim")] * 3
    return [Text(show_duration(seconds)) for seconds in (times.p50, times.p95, times.p99)]
