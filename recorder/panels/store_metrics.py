"""What only the store knows, in Prometheus' text format: how calls ended, what is unpriced or lost, how budgets stand.

All are gauges: what is pruned is counted no more, and Prometheus would take a falling counter for a restart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from .. import audit
from ..pricing import PICO

if TYPE_CHECKING:
    from ..audit import Standing
    from ..ledger import Store
    from ..ledger.budgets import Budget

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_Samples = Iterable[tuple[dict[str, str], float]]


def store_metrics(store: Store, budgets: Sequence[Budget], now_us: int) -> str:
    """The metrics of a store at a moment."""
    total = audit.report(store, ()).total
    odd = {
        "error": total.errors,
        "incomplete": total.incomplete,
        "cancelled": total.cancelled,
        "interrupted": total.interrupted,
    }
    outcomes = {"ok": total.calls - sum(odd.values()), **odd}
    standings = [audit.standing(store, budget, now_us) for budget in budgets]
    lines = (
        *_gauge(
            "calls", "Calls in the store.", [({"outcome": name}, count) for name, count in outcomes.items()]
        ),
        *_gauge("replayed_calls", "Calls that cassettes answered.", [({}, total.replayed)]),
        *_gauge("unpriced_calls", "Calls of which no cost is known.", [({}, total.without_cost)]),
        *_gauge("lost_calls", "Calls that could not be stored.", [({}, store.losses())]),
        *_budget_gauges(standings),
        *_gauge("written_timestamp_seconds", "When this was written.", [({}, now_us // 1_000_000)]),
    )
    return "\n".join(lines) + "\n"


def _budget_gauges(standings: Sequence[Standing]) -> Iterator[str]:
    names = [
        {"budget": each.budget.name, "currency": each.budget.currency, "period": each.budget.period}
        for each in standings
    ]
    limits = [each.budget.limit_pico / PICO for each in standings]
    spent = [each.spent_pico / PICO for each in standings]
    projected = [
        (name, each.projected_pico / PICO)
        for name, each in zip(names, standings, strict=True)
        if each.projected_pico is not None
    ]
    yield from _gauge(
        "budget_limit", "What may be spent in the running period.", zip(names, limits, strict=True)
    )
    yield from _gauge("budget_spent", "What is spent in the running period.", zip(names, spent, strict=True))
    yield from _gauge("budget_projected", "What will be spent by the end of the period.", projected)


def _gauge(name: str, about: str, samples: _Samples) -> Iterator[str]:
    yield f"# HELP recorder_{name} {about}"
    yield f"# TYPE recorder_{name} gauge"
    for labels, value in samples:
        inside = ",".join(f'{label}="{text.translate(_ESCAPES)}"' for label, text in labels.items())
        yield f"recorder_{name}{'{' + inside + '}' if inside else ''} {value:.15g}"
