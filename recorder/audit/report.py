"""How many calls there were, how they went, how long they took, what they used and cost: by group, and in total."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from ..ledger import figures as at
from ..ledger.figures import Figures
from ..ledger.filters import Where
from ..ledger.question import in_order, question
from .uncollected import uncollected

if TYPE_CHECKING:
    from ..ledger import Store
    from ..ledger.histogram_sum import Sum

Key = tuple[str | None, ...]
Money = tuple[tuple[str, int], ...]
"""One sum a currency, in pico-units of it."""

_PERCENTS = (50, 95, 99)
_IN_TIME = ("day", "hour")
_TOKENS = tuple((f"{name}_tokens", *at.tokens_at(name)) for name in at.TOKENS)


class Percentiles(Struct, frozen=True):
    """What 50, 95 and 99 of 100 calls did not exceed, by nearest rank, at most one percent off."""

    p50: float
    p95: float
    p99: float


class ReportRow(Struct, frozen=True, kw_only=True):
    """The figures of one group, or of all calls (`total`, with an empty `key`).

    `key` has one value for each thing grouped by; None where a call has none. Replayed calls are
    counted in `replayed` and left out of every other figure but `saved_pico`, which says what they would have cost.
    Tokens are None where no call of the group has them; `without_usage` says of how many calls those sums know
    nothing. Percentiles are over all calls that have that time, however they ended; `tokens_per_s` are output tokens,
    from the first one on where the answer was streamed. Money is one sum a currency, in exact integers;
    `without_cost` says of how many calls it knows nothing. `retried` are attempts after the first.
    `cache_saved_pico` is what caching made calls cheaper by, where their prices tell.
    """

    key: Key
    calls: int = 0
    replayed: int = 0
    errors: int = 0
    errors_by_type: tuple[tuple[str, int], ...] = ()
    incomplete: int = 0
    cancelled: int = 0
    interrupted: int = 0
    retried: int = 0
    input_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    without_usage: int = 0
    cache_hit_rate: float | None = None
    duration_s: Percentiles | None = None
    first_chunk_s: Percentiles | None = None
    first_token_s: Percentiles | None = None
    tokens_per_s: Percentiles | None = None
    cost_pico: Money = ()
    without_cost: int = 0
    retried_pico: Money = ()
    cancelled_pico: Money = ()
    cache_saved_pico: Money = ()
    saved_pico: Money = ()
    total: bool = False

    @property
    def error_rate(self) -> float | None:
        """The share of calls that failed; None without calls."""
        return self.errors / self.calls if self.calls else None


class Report(Struct, frozen=True):
    """The groups in their order, as many as were asked for, how many more there are, and the total of all."""

    rows: tuple[ReportRow, ...]
    more: int
    total: ReportRow


@uncollected()
def report(
    store: Store,
    by: Sequence[str] = ("model",),
    since_us: int | None = None,
    until_us: int | None = None,
    where: Where | None = None,
    tags: Mapping[str, str] | None = None,
    limit: int | None = None,
) -> Report:
    """Figures of the calls within a period, by group.

    `by` names what to group by: model, provider, host, day, hour, user, session, outcome, error, status, operation,
    `tag:` and a tag's name, or `tag` for each tag with each of its values. The model is the served one, else the
    requested one; days and hours are those of UTC. Where these are among them rows stand in the order of their keys,
    else by number of calls. `where` compares columns of `v_calls`, and `model` in the sense above. Raises ValueError
    for a name in `by` that it does not know.
    """
    asked = question(by, since_us, until_us, where or (), tags or {})
    in_time = any(name in _IN_TIME for name in by)
    found = store.figures(asked, limit)
    groups = found.groups
    keys = sorted(groups, key=in_order if in_time else lambda key: (-groups[key].calls, in_order(key)))
    shown = keys if limit is None else keys[:limit]
    return Report(
        tuple(row_of(key, groups[key]) for key in shown),
        len(keys) - len(shown) + found.more,
        row_of((), found.total, total=True),
    )


def row_of(key: Key, figures: Figures, *, total: bool = False) -> ReportRow:
    """The row that figures make."""
    counts = dict(zip(at.OUTCOMES, figures.counts, strict=False))
    tokens = {name: _known(figures.counts, place, known) for name, place, known in _TOKENS}
    duration, first_chunk, first_token, speed = figures.times
    return ReportRow(
        key=key,
        calls=figures.calls,
        replayed=figures.counts[at.REPLAYED],
        errors=counts["error"],
        errors_by_type=tuple(
            sorted(
                ((name, n) for name, n in figures.errors.items() if n), key=lambda pair: (-pair[1], pair[0])
            )
        ),
        incomplete=counts["incomplete"],
        cancelled=counts["cancelled"],
        interrupted=counts["interrupted"],
        retried=figures.counts[at.RETRIED],
        **tokens,
        without_usage=figures.counts[at.WITHOUT_USAGE],
        cache_hit_rate=_rate(tokens["cached_tokens"], figures.counts[at.INPUT_OF_CACHED]),
        duration_s=_percentiles(duration, 1e6),
        first_chunk_s=_percentiles(first_chunk, 1e6),
        first_token_s=_percentiles(first_token, 1e6),
        tokens_per_s=_percentiles(speed, 1e3),
        cost_pico=_money(figures, at.COST, at.PRICED),
        without_cost=figures.counts[at.UNPRICED],
        retried_pico=_money(figures, at.RETRIED_COST, at.RETRIED_COST),
        cancelled_pico=_money(figures, at.CANCELLED_COST, at.CANCELLED_COST),
        cache_saved_pico=_money(figures, at.CACHE_SAVED, at.CACHE_KNOWN),
        saved_pico=_money(figures, at.REPLAYS_SAVED, at.REPLAYS),
        total=total,
    )


def _known(counts: Sequence[int], place: int, known: int) -> int | None:
    return counts[place] if counts[known] else None


def _rate(cached: int | None, whole: int) -> float | None:
    return None if cached is None or not whole else cached / whole


def _money(figures: Figures, place: int, known: int) -> Money:
    """One sum a currency, of those in which any call has an amount."""
    return tuple((currency, sums[place]) for currency, sums in sorted(figures.money.items()) if sums[known])


def _percentiles(times: Sum, scale: float) -> Percentiles | None:
    found = times.percentiles(_PERCENTS)
    return None if found is None else Percentiles(*(value / scale for value in found))
