"""The overview: where the money and the seconds go, over time and by model, beside the period before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from ... import audit
from ...amounts import UNKNOWN, show_instant
from ...audit.comparison import difference
from ..filters import PERIODS, period, read_filters
from ..site import site_of
from ..wording import percent, pico, short

if TYPE_CHECKING:
    from ...audit import Overview, Percentiles, ReportRow
    from ...ledger import Store

_MODELS: Final = 5
_PICO: Final = 10**12
_NO_COMPARISON: Final = 1_000
_DAY_S: Final = 86_400
_YEARS_US: Final = 400 * _DAY_S * 1_000_000


class Figure(Struct, frozen=True):
    """One figure of the period, with what it was before; `verdict` is better, worse or neither."""

    title: str
    text: str
    under: str = ""
    change: str = ""
    verdict: str = ""


def overview(request: Request) -> Response:
    """The page of a period; the last seven days unless the address says otherwise."""
    site = site_of(request)
    filters = read_filters(request.query_params, "7d")
    wanted = filters.wanted
    since_us, until_us = period(wanted)
    first_us = _first_us(site.store, until_us) if wanted.since_us is None else since_us
    # What the charts can hold; what began with the first call has no period before.
    since_us = max(first_us, until_us - _YEARS_US) if wanted.since_us is None else since_us
    found = audit.overview(site.store, since_us, until_us, wanted.where, wanted.tags)
    return site.render(
        request,
        "overview.html",
        title="Overview",
        filters=filters,
        periods=PERIODS,
        pairs=[("since", filters.since), *(pair for pair in filters.pairs() if pair[0] != "since")],
        found=found,
        cut=first_us < since_us,
        figures=figures(found.total, found.before),
        charts=charts(found) if found.series else [],
        losses=site.store.losses(),
        any_call=bool(found.total.calls or found.total.replayed or site.store.calls(limit=1)),
    )


def _first_us(store: Store, otherwise: int) -> int:
    """When the day of the first call began: of whole days no single call is read."""
    first = store.calls(limit=1, newest_first=False)
    return int(first[0]["started_at"] // _DAY_S * _DAY_S) * 1_000_000 if first else otherwise


def figures(now: ReportRow, before: ReportRow) -> list[Figure]:
    """The figures at the top, each with its change."""
    return [
        _figure("Spend", pico(now.cost_pico), _spend(now), _spend(before), _saved(now), less=True),
        _figure("Calls", f"{now.calls:,}", now.calls, before.calls, _replayed(now)),
        _figure("Errors", f"{now.errors:,}", now.error_rate, before.error_rate, _share(now), less=True),
        _figure("Tokens in", short(now.input_tokens), now.input_tokens, before.input_tokens),
        _figure(
            "Tokens out", short(now.output_tokens), now.output_tokens, before.output_tokens, _thought(now)
        ),
        _figure(
            "Cache hits",
            percent(now.cache_hit_rate),
            now.cache_hit_rate,
            before.cache_hit_rate,
            "of input",
            less=False,
        ),
        _times("Duration", now.duration_s, before.duration_s),
        _times("First token", now.first_token_s, before.first_token_s),
    ]


def charts(found: Overview) -> list[dict[str, Any]]:
    """The charts, as lists of numbers: times in epoch seconds, then a list for each line."""
    rows = {str(row.key[0]): row for row in found.series}
    marks = _marks(found)
    at = [_epoch_s(mark) for mark in marks]
    currency = _currency(found.total)

    def chart(
        name: str, unit: str, lines: Mapping[str, Callable[[ReportRow], Any]], **more: Any
    ) -> dict[str, Any]:
        data = [[None if mark not in rows else line(rows[mark]) for mark in marks] for line in lines.values()]
        return {
            "name": name,
            "unit": unit,
            "names": list(lines),
            "data": [at, *data],
            "step": found.step,
            **more,
        }

    def at_percent(field: str, which: str) -> Callable[[ReportRow], float | None]:
        return lambda row: None if (times := getattr(row, field)) is None else getattr(times, which)

    percents = ("p50", "p95", "p99")
    return [
        _by_model(found, marks, at, currency),
        chart(
            *("Calls", ""),
            {
                "ok": _went_well,
                "error": lambda row: row.errors,
                "other": lambda row: row.calls - row.errors - _went_well(row),
            },
            kind="bars",
        ),
        chart("Duration", "s", {name: at_percent("duration_s", name) for name in percents}),
        chart("First token", "s", {name: at_percent("first_token_s", name) for name in percents}),
        chart(
            *("Tokens", "k"),
            {
                "in": lambda row: row.input_tokens,
                "cached": lambda row: row.cached_tokens,
                "out": lambda row: row.output_tokens,
            },
        ),
        chart("Cache-hit rate", "%", {"cached share of input": lambda row: row.cache_hit_rate}),
    ]


def _by_model(found: Overview, marks: Sequence[str], at: Sequence[float], currency: str) -> dict[str, Any]:
    """Spend of the models that cost most, and of all others."""
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
    return {
        "name": f"Spend by model, {currency}",
        "unit": "$",
        "names": names,
        "data": [at, *lines],
        "step": found.step,
    }


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


def _went_well(row: ReportRow) -> int:
    return row.calls - row.errors - row.incomplete - row.cancelled - row.interrupted


def _otherwise(row: ReportRow) -> int:
    return row.incomplete + row.cancelled + row.interrupted


def _currency(row: ReportRow) -> str:
    return max(row.cost_pico, key=lambda pair: pair[1], default=("USD", 0))[0] or "USD"


def _amount(row: ReportRow, currency: str) -> int:
    return dict(row.cost_pico).get(currency, 0)


def _spend(row: ReportRow) -> float | None:
    """The sum where there is one currency: of two, nobody can say which period cost more."""
    return row.cost_pico[0][1] / _PICO if len(row.cost_pico) == 1 else None


def _saved(row: ReportRow) -> str:
    return f"caching saved {pico(row.cache_saved_pico)}" if row.cache_saved_pico else ""


def _replayed(row: ReportRow) -> str:
    return f"and {row.replayed:,} replayed" if row.replayed else ""


def _share(row: ReportRow) -> str:
    common = row.errors_by_type[0][0] if row.errors_by_type else ""
    return f"{percent(row.error_rate)}, mostly {common}" if common else "of calls" if row.calls else ""


def _thought(row: ReportRow) -> str:
    return f"{short(row.reasoning_tokens)} of it reasoning" if row.reasoning_tokens else ""


def _times(title: str, now: Percentiles | None, before: Percentiles | None) -> Figure:
    under = "" if now is None else f"p95 {show_instant(now.p95)} · p99 {show_instant(now.p99)}"
    text = UNKNOWN if now is None else show_instant(now.p50)
    return _figure(f"{title}, p50", text, _median(now), _median(before), under, less=True)


def _median(times: Percentiles | None) -> float | None:
    return None if times is None else times.p50


def _figure(
    title: str,
    text: str,
    now: float | None,
    before: float | None,
    under: str = "",
    *,
    less: bool | None = None,
) -> Figure:
    """`less` says whether less of it is better; None where neither is."""
    _, change = difference(now, before)
    if change is None or abs(change) > _NO_COMPARISON:
        return Figure(title, text, under)
    arrow = "▲" if change > 0.5 else "▼" if change < -0.5 else "="
    better = (change < 0) is less
    verdict = "" if less is None or abs(change) <= 0.5 else "better" if better else "worse"
    return Figure(title, text, under, f"{arrow} {abs(change):.0f}%", verdict)
