"""The rows of a report: as a table that fits, and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from rich.text import Text

from ..amounts import show_money
from .calls import UNPRICED, counted
from .console import output
from .money import exact_units
from .tables import Cell, Column, lay_out, print_footer, print_line
from .text import styled, visible
from .times import UNKNOWN, show_duration

if TYPE_CHECKING:
    from ..audit import Money, Percentiles, Report, ReportRow

_SUMS = ("cost", "retried_cost", "cancelled_cost", "cache_saved", "saved")
_PICO = ("cost_pico", "retried_pico", "cancelled_pico", "cache_saved_pico", "saved_pico")
_PERCENTILES = {
    "duration_s": "duration_{}_s",
    "first_chunk_s": "first_chunk_{}_s",
    "first_token_s": "first_token_{}_s",
    "tokens_per_s": "tokens_per_s_{}",
}
_KINDS_OF_ERRORS = 3

_FIGURES = (
    Column("calls", "right"),
    Column("errors", "right"),
    Column("rate", "right", drop=9),
    Column("incomplete", "right", drop=4),
    Column("cancelled", "right", drop=3),
    Column("retried", "right", drop=5),
    Column("in", "right"),
    Column("cached", "right", drop=14),
    Column("out", "right"),
    Column("reasoning", "right", drop=8),
    Column("p50", "right", drop=18),
    Column("p95", "right", drop=17),
    Column("p99", "right", drop=13),
    Column("chunk p50", "right", drop=2),
    Column("chunk p95", "right", drop=1),
    Column("first p50", "right", drop=16),
    Column("first p95", "right", drop=15),
    Column("first p99", "right", drop=6),
    Column("tok/s p50", "right", drop=12),
    Column("tok/s p95", "right", drop=7),
    Column("saved", "right", drop=10),
    Column("cost", "right", drop=19),
)


def plain_report(names: Sequence[str], report: Report) -> list[dict[str, Any]]:
    """All rows for JSON output, the total last."""
    return [plain_row(names, row) for row in (*report.rows, report.total)]


def plain_row(names: Sequence[str], row: ReportRow) -> dict[str, Any]:
    """One row for JSON output: its key by name, then all figures."""
    figures = msgspec.structs.asdict(row)
    key = figures.pop("key")
    plain: dict[str, Any] = dict(zip(names, key, strict=False)) if key else dict.fromkeys(names)
    for name, value in figures.items():
        if (pattern := _PERCENTILES.get(name)) is not None:
            for percent in ("p50", "p95", "p99"):
                plain[pattern.format(percent)] = value and getattr(value, percent)
        elif name == "errors_by_type":
            plain[name] = dict(value)
        elif name not in _PICO:
            plain[name] = value
    plain["error_rate"] = row.error_rate
    for name, pico in zip(_SUMS, _PICO, strict=True):
        plain[name] = dict(_amounts(getattr(row, pico)))
    return plain


def print_report(names: Sequence[str], report: Report) -> None:
    """Print the table and what is to be said about it."""
    rows = (*report.rows, report.total)
    told = _told(report.total)
    chosen = [index for index, column in enumerate(_FIGURES) if column.title not in told]
    columns = [*key_columns(names), *(_FIGURES[index] for index in chosen)]
    cells = []
    for row in rows:
        figures = _cells(row)
        cells.append([*key_cells(names, row), *(figures[index] for index in chosen)])
    console = output()
    layout = lay_out(columns, cells, console.width)
    print_line(console, layout.header())
    for row, line in zip(rows, cells, strict=True):
        text = layout.line(line)
        if row.total:
            text.stylize("bold")
        print_line(console, text)
    print_footer(console, _remarks(report))


def key_columns(names: Sequence[str]) -> list[Column]:
    """The columns of what is grouped by."""
    floor = 24 if len(names) == 1 else 14
    titles = [f"{name} (UTC)" if name in ("day", "hour") else visible(name) for name in names]
    # A time must be read whole; so long as it is, it tells the rows apart.
    return [
        Column(title, floor=None if name in ("day", "hour") else floor)
        for name, title in zip(names, titles, strict=True)
    ]


def key_cells(names: Sequence[str], row: ReportRow) -> list[Cell]:
    """What a row is of."""
    if row.total:
        return [(Text("total" if index == 0 else ""),) for index in range(len(names))]
    return [(Text(UNKNOWN, style="dim") if value is None else styled(value),) for value in row.key]


def money_text(sums: Money) -> str:
    """The sum of each currency."""
    return " + ".join(show_money(amount, currency or None) for currency, amount in _amounts(sums))


def _told(total: ReportRow) -> set[str]:
    """The columns that would say nothing: none of the calls has any such figure."""
    silent = set()
    if not total.cost_pico:
        silent.add("cost")
    if not any(amount for _, amount in total.cache_saved_pico):
        silent.add("saved")
    if not total.retried:
        silent.add("retried")
    return silent


def _remarks(report: Report) -> list[str]:
    total = report.total
    parts = []
    if report.more:
        parts.append(f"{counted(report.more, 'more group')}: -n 0")
    for name, number in total.errors_by_type[:_KINDS_OF_ERRORS]:
        parts.append(f"{number:,} {styled(name)}")
    if len(total.errors_by_type) > _KINDS_OF_ERRORS:
        parts.append(f"{sum(number for _, number in total.errors_by_type[_KINDS_OF_ERRORS:]):,} other errors")
    if total.cache_hit_rate is not None:
        saved = f", {money_text(total.cache_saved_pico)} saved by it" if total.cache_saved_pico else ""
        parts.append(f"{total.cache_hit_rate:.1%} of input cached{saved}")
    if total.retried:
        parts.append(
            f"{counted(total.retried, 'retry').replace('retrys', 'retries')}{_of(total.retried_pico)}"
        )
    if total.cancelled and total.cancelled_pico:
        parts.append(f"{total.cancelled:,} cancelled{_of(total.cancelled_pico)}")
    if total.without_usage:
        parts.append(f"{counted(total.without_usage, 'call')} without usage, not in the token sums")
    if total.interrupted:
        parts.append(f"{total.interrupted:,} interrupted")
    if total.replayed:
        saved = f", {money_text(total.saved_pico)} saved" if total.saved_pico else ""
        parts.append(f"{total.replayed:,} replayed, not counted{saved}")
    if total.without_cost:
        parts.append(f"{counted(total.without_cost, 'call')} {UNPRICED}")
    return parts


def _of(sums: Money) -> str:
    return f" for {money_text(sums)}" if any(amount for _, amount in sums) else ""


def _cells(row: ReportRow) -> list[Cell]:
    """One cell for each of `_FIGURES`."""
    rate = row.error_rate
    texts = [
        Text(f"{row.calls:,}"),
        Text(f"{row.errors:,}", style="red" if row.errors else "dim"),
        Text(UNKNOWN if rate is None else f"{rate:.1%}", style="red" if rate else "dim"),
        *(
            Text(f"{number:,}", style="" if number else "dim")
            for number in (row.incomplete, row.cancelled, row.retried)
        ),
        _tokens(row.input_tokens),
        _cached(row),
        _tokens(row.output_tokens),
        _tokens(row.reasoning_tokens),
        *_times(row.duration_s),
        *_times(row.first_chunk_s)[:2],
        *_times(row.first_token_s),
        *(_speed(row.tokens_per_s, name) for name in ("p50", "p95")),
        styled(money_text(row.cache_saved_pico) or UNKNOWN, "" if row.cache_saved_pico else "dim"),
        _cost(row),
    ]
    return [text if isinstance(text, tuple) else (text,) for text in texts]


def _cost(row: ReportRow) -> Text:
    """The sum of each currency; where there is none, that nothing is priced."""
    if row.cost_pico:
        return styled(money_text(row.cost_pico))
    return Text(UNPRICED if row.without_cost else UNKNOWN, style="dim")


def _amounts(sums: Money) -> list[tuple[str, Decimal]]:
    """The sum of each currency, in its units, exactly."""
    return [(currency, exact_units(pico)) for currency, pico in sums]


def _tokens(count: int | None) -> Cell:
    if count is None:
        return (Text(UNKNOWN, style="dim"),)
    return (Text(f"{count:,}"),) if count < 10**6 else (Text(_short(count)),)


def _short(count: int) -> str:
    """A large number in about four digits."""
    for unit, name in ((10**12, "T"), (10**9, "G"), (10**6, "M")):
        if count >= unit:
            return f"{count / unit:,.1f}{name}"
    return f"{count:,}"


def _cached(row: ReportRow) -> Cell:
    """Cached tokens, with their share where there is room."""
    cell = _tokens(row.cached_tokens)
    if row.cache_hit_rate is None:
        return cell
    rate = f"{row.cache_hit_rate:.0%}"
    return (Text(f"{cell[0].plain} {rate:>4}"), Text(rate))


def _times(times: Percentiles | None) -> list[Text]:
    if times is None:
        return [Text(UNKNOWN, style="dim")] * 3
    return [Text(show_duration(seconds)) for seconds in (times.p50, times.p95, times.p99)]


def _speed(speed: Percentiles | None, name: str) -> Text:
    if speed is None:
        return Text(UNKNOWN, style="dim")
    return Text(f"{getattr(speed, name):,.{0 if getattr(speed, name) >= 99.5 else 1}f}")
