"""The figures of the overview, each beside that of the period before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from ...amounts import UNKNOWN, show_instant
from ...audit.comparison import difference
from ..wording import percent, pico, short

if TYPE_CHECKING:
    from ...audit import Percentiles, ReportRow

_PICO: Final = 10**12
_NO_COMPARISON: Final = 1_000


class Figure(Struct, frozen=True):
    """One figure of the period, with what it was before; `verdict` is better, worse or neither."""

    title: str
    text: str
    under: str = ""
    change: str = ""
    verdict: str = ""


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
