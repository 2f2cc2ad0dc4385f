"""What `verify` would send: how many requests of which model to which host, and what they may cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from ..amounts import show_money
from ..exchange import endpoint
from .calls import counted
from .tables import Column, print_line, print_table
from .text import styled
from .times import UNKNOWN

if TYPE_CHECKING:
    from ..call import Call
    from ..cassettes import Recorded
    from ..exchange import Exchange, Headers, Request
    from ..interchange.contents import Entry
    from ..interchange.expense import Expense, Price

_COLUMNS = (
    Column("host", floor=16, ceiling=40),
    Column("model", floor=12, ceiling=40),
    Column("calls", "right"),
    Column("in", "right"),
    Column("out", "right"),
    Column("cost", "right"),
)


@dataclass(frozen=True, slots=True)
class Resend:
    """One recording, and the request that is sent for it."""

    entry: Entry
    recorded: Exchange
    call: Call
    request: Request


@dataclass(frozen=True, slots=True)
class Plan:
    """All that would be sent, why the rest would not, and the price that things have."""

    resends: tuple[Resend, ...]
    left_out: Counter[str]
    price: Price | None
    has_credentials: bool

    @property
    def expense(self) -> Expense:
        """What it would cost with the usage that was recorded."""
        return _expense(self.resends, self.price)

    @property
    def places(self) -> list[str]:
        """The hosts that it would go to, with their ports where these are unusual."""
        return list(dict.fromkeys(_place(each.request.url) for each in self.resends))

    def reasons(self) -> list[str]:
        """Why recordings were left out, with their number."""
        return [
            f"{counted(number, 'recording')} left out, since {why}" for why, number in self.left_out.items()
        ]


def make_plan(
    recordings: Sequence[Recorded],
    chosen: Sequence[int] | None,
    size: int | None,
    base_url: str | None,
    credentials: Headers,
    price: Price | None,
) -> Plan:
    """Choose what to send: `chosen` entries, else all that recorded no failure; `size` of these."""
    from ..interchange.contents import read_entry
    from ..interchange.resending import FAILED, sample, to_send, why_not

    left_out: Counter[str] = Counter()
    numbers = []
    for number in chosen or range(1, len(recordings) + 1):
        why = why_not(recordings[number - 1].exchange)
        if why is None or (chosen and why == FAILED):
            numbers.append(number)
        else:
            left_out[why] += 1
    resends = []
    for number in numbers if size is None else sample(numbers, size):
        recorded = recordings[number - 1]
        request = to_send(recorded.exchange.request, base_url, credentials)
        resends.append(Resend(*_read(read_entry(number, recorded), recorded.exchange), request))
    return Plan(tuple(resends), left_out, price, bool(credentials))


def print_plan(console: Console, plan: Plan, name: str, limits: Sequence[str]) -> None:
    """Say what would be sent, before anybody is asked."""
    count = counted(len(plan.resends), "recorded request")
    console.print(Text(f"To verify {styled(name)}, {count} would be sent live:"), soft_wrap=True)
    groups: dict[tuple[str, str], list[Resend]] = {}
    for resend in plan.resends:
        key = _place(resend.request.url), resend.entry.request_model or UNKNOWN
        groups.setdefault(key, []).append(resend)
    rows = []
    for (host, model), resends in groups.items():
        numbers = (f"{len(resends):,}", *_tokens(resends), _money(_expense(resends, plan.price)))
        rows.append(tuple([(styled(each),) for each in (host, model, *numbers)]))
    print_table(console, _COLUMNS, rows)
    expense = plan.expense
    notes = plan.reasons()
    if expense.unknown:
        notes.append(
            f"{counted(expense.unknown, 'call')} of unknown cost: no usage was recorded, or no price is known"
        )
    notes.append("tokens and costs are those recorded; answers may be longer now")
    notes.append(f"limits: {', '.join(limits)}")
    if not plan.has_credentials:
        notes.append("no credentials are sent: give --api-key-env or --header if they are needed")
    for note in notes:
        print_line(console, Text(note, style="dim"))


def _read(read: tuple[Entry, Call], exchange: Exchange) -> tuple[Entry, Exchange, Call]:
    return read[0], exchange, read[1]


def _expense(resends: Sequence[Resend], price: Price | None) -> Expense:
    from ..interchange.expense import estimate

    return estimate([(each.call, each.entry.url) for each in resends], price)


def _place(url: str) -> str:
    host, port, _ = endpoint(url)
    return host if port in (80, 443) else f"{host}:{port}"


def _tokens(resends: Sequence[Resend]) -> tuple[str, str]:
    """Sums of what is known; a `+` says that there is more."""
    shown = []
    for column in ("input_tokens", "output_tokens"):
        values = [getattr(each.entry, column) for each in resends]
        known = [value for value in values if value is not None]
        shown.append(f"{sum(known):,}{'+' if len(known) < len(values) else ''}" if known else UNKNOWN)
    return shown[0], shown[1]


def _money(expense: Expense) -> str:
    if expense.unknown and not expense.known:
        return UNKNOWN
    return show_money(float(expense.known), "USD") + ("+" if expense.unknown else "")
