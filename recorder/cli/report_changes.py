"""A report beside that on the period before: as a table that fits, and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.text import Text

from .calls import counted
from .console import output
from .report_rows import key_cells, key_columns, money_text, plain_row
from .tables import Cell, Column, lay_out, print_footer, print_line
from .text import styled
from .times import UNKNOWN, show_duration

if TYPE_CHECKING:
    from ..audit import Change, Comparison, ReportRow

_COLUMNS = (
    Column("calls", "right"),
    Column("±", "right"),
    Column("error rate", "right", drop=8),
    Column("±", "right", drop=7),
    Column("out", "right", drop=4),
    Column("±", "right", drop=3),
    Column("p95", "right", drop=10),
    Column("±", "right", drop=9),
    Column("first p95", "right", drop=2),
    Column("±", "right", drop=1),
    Column("tok/s p50", "right", drop=6),
    Column("±", "right", drop=5),
    Column("cost", "right"),
    Column("before", "right", drop=11),
    Column("±", "right"),
)


def plain_comparison(names: Sequence[str], comparison: Comparison) -> dict[str, Any]:
    """Both periods for JSON output: each group as it is now, as it was before, and the differences."""
    return {
        "since": comparison.since_us / 1e6,
        "until": comparison.until_us / 1e6,
        "before": comparison.before_us / 1e6,
        "rows": [_plain(names, change) for change in (*comparison.rows, comparison.total)],
    }


def print_comparison(names: Sequence[str], comparison: Comparison) -> None:
    """Print the table: what is now, and by how much more or less that is than before."""
    changes = (*comparison.rows, comparison.total)
    columns = [*key_columns(names), *_COLUMNS]
    cells = [[*_key(names, change), *_cells(change)] for change in changes]
    console = output()
    layout = lay_out(columns, cells, console.width)
    print_line(console, layout.header())
    for change, line in zip(changes, cells, strict=True):
        text = layout.line(line)
        if change is comparison.total:
            text.stylize("bold")
        print_line(console, text)
    remarks = [f"{counted(comparison.more, 'more group')}: -n 0"] if comparison.more else []
    before = f"{_moment(comparison.before_us)} to {_moment(comparison.since_us)}"
    print_footer(console, [*remarks, f"± against {before} (UTC)"])


def _plain(names: Sequence[str], change: Change) -> dict[str, Any]:
    from ..audit import difference

    now, before = (None if row is None else plain_row(names, row) for row in (change.now, change.before))
    of = now or before or {}
    plain = {name: of.get(name) for name in names} | {"now": now, "before": before, "change": {}}
    for name in of:
        pair = [_number(row, name) for row in (now, before)]
        if any(value is not None for value in pair):
            more, percent = difference(*pair)
            plain["change"][name] = {"difference": more, "percent": percent}
    for currency in sorted({*(now or {}).get("cost", {}), *(before or {}).get("cost", {})}):
        amounts = [(row or {}).get("cost", {}).get(currency, Decimal()) for row in (now, before)]
        percent = float(100 * (amounts[0] - amounts[1]) / amounts[1]) if amounts[1] else None
        plain["change"][f"cost_{currency}"] = {"difference": amounts[0] - amounts[1], "percent": percent}
    return plain


def _number(row: dict[str, Any] | None, name: str) -> float | None:
    if row is None:
        return 0 if name in ("calls", "errors", "cancelled", "incomplete", "interrupted", "retried") else None
    value = row.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _key(names: Sequence[str], change: Change) -> list[Cell]:
    row = change.now or change.before
    assert row is not None, "a group is there now, or was before"
    return key_cells(names, row)


def _cells(change: Change) -> list[Cell]:
    """One cell for each of `_COLUMNS`."""
    now, before = change.now, change.before
    cells = [
        *_pair(_calls(now), _calls(before), "{:,}".format, good=None),
        *_points(now, before),
        *_pair(_output(now), _output(before), "{:,}".format, good=None),
        *_pair(_p95(now, "duration_s"), _p95(before, "duration_s"), show_duration, good=False),
        *_pair(_p95(now, "first_token_s"), _p95(before, "first_token_s"), show_duration, good=False),
        *_pair(_p50(now), _p50(before), "{:,.1f}".format, good=True),
        *_costs(now, before),
    ]
    return [(text,) for text in cells]


def _calls(row: ReportRow | None) -> int:
    return 0 if row is None else row.calls


def _output(row: ReportRow | None) -> int | None:
    return None if row is None else row.output_tokens


def _p95(row: ReportRow | None, name: str) -> float | None:
    times = None if row is None else getattr(row, name)
    return None if times is None else float(times.p95)


def _p50(row: ReportRow | None) -> float | None:
    return None if row is None or row.tokens_per_s is None else row.tokens_per_s.p50


def _pair(now: float | None, before: float | None, show: Any, *, good: bool | None) -> list[Text]:
    """A figure and its change in percent; `good` says whether more is better."""
    from ..audit import difference

    value = Text(UNKNOWN, style="dim") if now is None else Text(show(now))
    return [value, _percent(difference(now, before)[1], new=bool(now and not before), good=good)]


def _points(now: ReportRow | None, before: ReportRow | None) -> list[Text]:
    """The error rate and its change in percentage points."""
    rates = [None if row is None else row.error_rate for row in (now, before)]
    value = Text(UNKNOWN, style="dim") if rates[0] is None else Text(f"{rates[0]:.1%}")
    if rates[0] is None or rates[1] is None:
        return [value, Text(UNKNOWN, style="dim")]
    points = 100 * (rates[0] - rates[1])
    style = "dim" if abs(points) < 0.05 else "red" if points > 0 else "green"
    return [value, Text(f"{points:+.1f}pt", style=style)]


def _costs(now: ReportRow | None, before: ReportRow | None) -> list[Text]:
    sums = [dict(row.cost_pico) if row is not None else {} for row in (now, before)]
    texts = [
        styled(money_text(row.cost_pico)) if row is not None and row.cost_pico else Text(UNKNOWN, style="dim")
        for row in (now, before)
    ]
    currencies = {*sums[0], *sums[1]}
    if len(currencies) != 1:
        return [*texts, Text(UNKNOWN, style="dim")]
    (currency,) = currencies
    was, is_now = sums[1].get(currency, 0), sums[0].get(currency, 0)
    percent = 100 * (is_now - was) / was if was else None
    return [*texts, _percent(percent, new=bool(is_now and not was), good=False)]


def _percent(percent: float | None, *, new: bool, good: bool | None) -> Text:
    if percent is None:
        return Text("new" if new else UNKNOWN, style="dim")
    better = None if good is None else (percent > 0) == good
    style = "dim" if better is None or abs(percent) < 0.5 else "green" if better else "red"
    return Text(f"{percent:+,.0f}%", style=style)


def _moment(at_us: int) -> str:
    return f"{datetime.fromtimestamp(at_us // 1_000_000, UTC):%Y-%m-%d %H:%M}"
