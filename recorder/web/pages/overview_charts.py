"""The charts of the overview, as lists of numbers: times in epoch seconds, then a list for each line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from ...amounts import UNKNOWN

if TYPE_CHECKING:
    from ...audit import Overview, ReportRow

_MODELS: Final = 5
_PICO: Final = 10**12
_PERCENTS: Final = ("p50", "p95", "p99")

_Lines = Mapping[str, Callable[["ReportRow"], Any]]


class _Series(Struct, frozen=True):
    """What all charts share: the times, as they are spelled and in epoch seconds, and the rows of those with calls."""

    step: str
    marks: list[str]
    at: list[float]
    rows: dict[str, ReportRow]


def charts(found: Overview) -> list[dict[str, Any]]:
    """All of them, in their order on the page; there have to be calls."""
    marks = _marks(found)
    rows = {str(row.key[0]): row for row in found.series}
    series = _Series(found.step, marks, [_epoch_s(mark) for mark in marks], rows)
    return [
        _by_model(found, series),
        _chart(series, "Calls", "", _ENDINGS, kind="bars"),
        _chart(series, "Duration", "s", {name: _at_percent("duration_s", name) for name in _PERCENTS}),
        _chart(series, "First token", "s", {name: _at_percent("first_token_s", name) for name in _PERCENTS}),
        _chart(series, "Tokens", "k", _TOKENS),
        _chart(series, "Cache-hit rate", "%", {"cached share of input": lambda row: row.cache_hit_rate}),
    ]


def _chart(series: _Series, name: str, unit: str, lines: _Lines, **more: Any) -> dict[str, Any]:
    """A chart with a line for each name; a gap where there are no calls."""
    rows = [series.rows.get(mark) for mark in series.marks]
    data = [[None if row is None else line(row) for row in rows] for line in lines.values()]
    return _drawn(series, name, unit, list(lines), data, **more)


def _drawn(
    series: _Series, name: str, unit: str, names: list[str], data: list[list[Any]], **more: Any
) -> dict[str, Any]:
    drawn = {"name": name, "unit": unit, "names": names, "data": [series.at, *data], "step": series.step}
    return {**drawn, **more}


def _at_percent(field: str, which: str) -> Callable[[ReportRow], float | None]:
    return lambda row: None if (times := getattr(row, field)) is None else getattr(times, which)


def _by_model(found: Overview, series: _Series) -> dict[str, Any]:
    """Spend of the models that cost most, and of all others."""
    marks, currency = series.marks, _currency(found.total)
    known = sorted(found.models, key=lambda row: -_amount(row, currency))
    first = [row.key[0] for row in known if _amount(row, currency)][:_MODELS]
    sums: dict[str | None, dict[str, float]] = {name: {} for name in first}
    rest: dict[str, float] = {}
    for row in found.by_model:
        mark, model = str(row.key[0]), row.key[1]
        into = sums.get(model, rest)
        into[mark] = into.get(mark, 0) + _amount(row, currency) / _PICO
    lines = [[kept.get(mark, 0) for mark in marks] for kept in sums.values()]
    names = [name or UNKNOWN for name in first]
    if any(rest.values()) or not lines:
        lines.append([rest.get(mark, 0) for mark in marks])
        names.append("others" if names else "all")
    return _drawn(series, f"Spend by model, {currency}", "$", names, lines)


def _marks(found: Overview) -> list[str]:
    """Every hour or day from the first with calls to the last, so that a pause is seen as one."""
    begin, end = (_time(str(row.key[0])) for row in (found.series[0], found.series[-1]))
    step = timedelta(hours=1) if found.step == "hour" else timedelta(days=1)
    spelled = "%Y-%m-%d %H:00" if found.step == "hour" else "%Y-%m-%d"
    return [f"{begin + index * step:{spelled}}" for index in range((end - begin) // step + 1)]


def _time(key: str) -> datetime:
    return datetime.fromisoformat(key).replace(tzinfo=UTC)


def _epoch_s(key: str) -> float:
    return _time(key).timestamp()


def _currency(row: ReportRow) -> str:
    return max(row.cost_pico, key=lambda pair: pair[1], default=("USD", 0))[0] or "USD"


def _amount(row: ReportRow, currency: str) -> int:
    return dict(row.cost_pico).get(currency, 0)


def _went_well(row: ReportRow) -> int:
    return row.calls - row.errors - row.incomplete - row.cancelled - row.interrupted


_ENDINGS: Final[_Lines] = {
    "ok": _went_well,
    "error": lambda row: row.errors,
    "other": lambda row: row.calls - row.errors - _went_well(row),
}
_TOKENS: Final[_Lines] = {
    "in": lambda row: row.input_tokens,
    "cached": lambda row: row.cached_tokens,
    "out": lambda row: row.output_tokens,
}
