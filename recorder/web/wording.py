"""Values as pages show them: times, amounts, and texts of models, which are hostile."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from markupsafe import Markup, escape

from ..amounts import UNKNOWN, exact_units, show_exactly, show_instant, show_money
from ..visible import UNSAFE, escaped, visible

LONGEST: Final = 20_000
_OUTCOMES: Final = frozenset({"ok", "error", "cancelled", "incomplete", "interrupted"})


def said(value: object, longest: int = LONGEST) -> Markup:
    """Any text, with what would be obeyed, reordered or hidden as a marked escape; cut where it is very long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    rest = len(text) - longest
    parts = []
    end = 0
    for match in UNSAFE.finditer(text[:longest]):
        parts += [
            escape(text[end : match.start()]),
            Markup('<span class="esc">'),
            escaped(match),
            Markup("</span>"),
        ]
        end = match.end()
    parts.append(escape(text[end:longest]))
    if rest > 0:
        parts.append(Markup('<span class="more">… {} more characters</span>').format(f"{rest:,}"))
    return Markup("").join(parts)


def line(value: object, longest: int = 300) -> Markup:
    """The same in one line."""
    return said(str(value).replace("\n", "\\n").replace("\t", "\\t"), longest)


def plain(value: object, longest: int = 300) -> str:
    """The same for an attribute or a title, where there is no markup."""
    text = str(value).replace("\n", "\\n").replace("\t", "\\t")
    return visible(text[:longest]) + ("…" if len(text) > longest else "")


def number(value: float | None) -> str:
    """A count, with commas."""
    return UNKNOWN if value is None else f"{value:,}"


def short(value: float | None) -> str:
    """A count in four signs or so: 950, 12.4k, 3.05M."""
    if value is None:
        return UNKNOWN
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}" if abs(value) < 100 * size else f"{value / size:.0f}{letter}"
    return f"{value:,}"


def percent(value: float | None) -> str:
    """A share of one in percent."""
    if value is None:
        return UNKNOWN
    return f"{100 * value:.2g}%" if 0 < value < 0.1 else f"{100 * value:.0f}%"


def money(amount: float | Decimal | None, currency: str | None = "USD") -> str:
    """A rounded amount; `unpriced` where nobody knows it."""
    return "unpriced" if amount is None else show_money(amount, currency)


def pico(sums: Any) -> str:
    """Exact sums, one a currency, rounded for people."""
    return " + ".join(show_money(exact_units(amount), currency) for currency, amount in sums) or UNKNOWN


def exactly(amount: int | None, currency: str | None) -> str:
    """An amount of pico-units with all its digits."""
    return UNKNOWN if amount is None else show_exactly(exact_units(amount), currency)


def moment(epoch_s: float | None, *, seconds: bool = True) -> str:
    """Local time with its date."""
    if epoch_s is None:
        return UNKNOWN
    try:
        found = datetime.fromtimestamp(epoch_s).astimezone()
    except (ValueError, OverflowError, OSError):
        return f"{epoch_s:.0f}"
    return f"{found:%Y-%m-%d %H:%M:%S}" if seconds else f"{found:%Y-%m-%d %H:%M}"


def day(at_us: int | None) -> str:
    """The day of epoch microseconds, in UTC."""
    return UNKNOWN if at_us is None else moment(at_us / 1e6, seconds=False)[:10]


def age(seconds: float | None) -> str:
    """How long ago: `2 minutes`, `5 hours`, `140 days`."""
    if seconds is None:
        return UNKNOWN
    for length, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count:,} {name}{'' if count == 1 else 's'}"
    return "under a minute"


def outcome_class(outcome: str) -> str:
    """The class that an outcome is coloured by."""
    return f"o-{outcome}" if outcome in _OUTCOMES else "o-other"


def size(count: int) -> str:
    """Bytes as people read them."""
    return (
        f"{count:,} B"
        if count < 10_000
        else f"{count / 1e3:,.0f} kB"
        if count < 10e6
        else f"{count / 1e6:,.1f} MB"
    )


FILTERS: Final = {
    "said": said,
    "line": line,
    "plain": plain,
    "number": number,
    "short": short,
    "percent": percent,
    "money": money,
    "pico": pico,
    "exactly": exactly,
    "moment": moment,
    "day": day,
    "age": age,
    "duration": show_instant,
    "outcome_class": outcome_class,
    "size": size,
}
