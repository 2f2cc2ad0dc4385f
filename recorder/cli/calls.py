"""Calls as rows of a table: what `ls` and `tail` show of each."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from ..amounts import show_money
from .tables import Cell, Column
from .text import styled
from .times import UNKNOWN, show_duration, show_moment

ID_LENGTH = 8
OUTCOME_STYLES = {
    "ok": "green",
    "error": "bold red",
    "cancelled": "yellow",
    "incomplete": "yellow",
    "interrupted": "magenta",
}
JSON_COLUMNS = ("finish_reasons", "tags", "notes")

_PATH = re.compile(r"[\w.-]+(/[\w.:@-]+)+")

COLUMNS = (
    Column("time", floor=11, typical=14),
    Column("id", typical=ID_LENGTH),
    Column("model", floor=12, ceiling=60, typical=24),
    Column("provider", floor=6, ceiling=20, drop=1, typical=8),
    Column("outcome", floor=13, ceiling=40, typical=16),
    Column("in", "right", drop=5, typical=6),
    Column("cached", "right", drop=2, typical=6),
    Column("out", "right", drop=6, typical=6),
    Column("first", "right", drop=3, typical=6),
    Column("took", "right", typical=6),
)
UNPRICED = "unpriced"
COST = Column("cost", "right", drop=4, typical=8)


def columns_for(calls: Iterable[Mapping[str, Any]]) -> tuple[Column, ...]:
    """The columns of these calls: the cost only where one is known."""
    return (*COLUMNS, COST) if any(call.get("cost") is not None for call in calls) else COLUMNS


def call_row(call: Mapping[str, Any]) -> tuple[Cell, ...]:
    """One cell a column, the cost last."""
    return (
        tuple(Text(spelling, style="dim") for spelling in show_moment(call["started_at"])),
        (styled(call["id"][-ID_LENGTH:], "cyan"),),
        _model(call["request_model"], call["response_model"]),
        (_optional(call["provider"], "dim"),),
        _outcome(call),
        (_count(call["input_tokens"]),),
        (_count(call["cached_tokens"]),),
        (_count(call["output_tokens"]),),
        (_time(call["first_token_s"]),),
        (_time(call["duration_s"]),),
        (_money(call.get("cost"), call.get("currency")),),
    )


def summary(calls: Sequence[Mapping[str, Any]]) -> list[str]:
    """The parts of a footer: how many calls, how they went, tokens and cost of those not replayed."""
    outcomes = Counter(call["outcome"] for call in calls)
    live = [call for call in calls if not call["replayed"]]
    parts = [counted(len(calls), "call")]
    if errors := outcomes.pop("error", 0):
        parts.append(counted(errors, "error"))
    parts += [f"{number} {styled(name)}" for name, number in outcomes.items() if name != "ok"]
    if replayed := len(calls) - len(live):
        parts.append(f"{replayed} replayed")
    for name, title in (("input_tokens", "in"), ("output_tokens", "out")):
        if known := [call[name] for call in live if call[name] is not None]:
            parts.append(f"{sum(known):,} {title}")
    costs: Counter[str] = Counter()
    for call in live:
        if call.get("cost") is not None:
            costs[call.get("currency") or ""] += call["cost"]
    parts += [show_money(amount, currency) for currency, amount in sorted(costs.items())]
    if unpriced := sum(call.get("cost") is None for call in live):
        parts.append(f"{unpriced:,} {UNPRICED}")
    return parts


def plain_call(call: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of `v_calls` for JSON output; the lists and objects among them as such."""
    return {name: _decoded(name, value) for name, value in call.items() if name != "seq"}


def outcome_text(call: Mapping[str, Any]) -> Text:
    """The outcome in its colour, and what is worth knowing beside it."""
    text = styled(call["outcome"], OUTCOME_STYLES.get(call["outcome"], ""))
    if call.get("error_type"):
        text.append(" ").append_text(styled(call["error_type"], "red"))
    return text


def counted(number: int, noun: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def print_losses(console: Console, losses: int) -> None:
    """Say how many calls are missing from what was printed, if any are."""
    if losses:
        console.print(Text(f"{counted(losses, 'call')} could not be stored", style="bold red"))


def _model(requested: str | None, served: str | None) -> Cell:
    """The served model; where another was asked for, both, as far as there is room."""
    name = served or requested
    if name is None:
        return (Text(UNKNOWN, style="dim"),)
    spellings = [styled(name)]
    if requested and served and requested != served:
        spellings.insert(0, styled(requested, "dim").append(" → ", "dim").append_text(styled(served)))
    if _PATH.fullmatch(name):
        spellings.append(styled(name.rpartition("/")[2]))
    return tuple(spellings)


def _outcome(call: Mapping[str, Any]) -> Cell:
    """Outcome and error type; where room is short, the error type alone, which says as much."""
    text = outcome_text(call)
    spellings = [text]
    if call["outcome"] == "error" and call.get("error_type"):
        short = call["error_type"].rpartition(".")[2]
        spellings += [styled(call["error_type"], "bold red"), styled(short, "bold red")]
    if call["replayed"]:
        spellings.insert(0, text.copy().append(" replayed", "dim"))
    elif (call["attempt"] or 1) > 1:
        spellings.insert(0, text.copy().append(f" #{call['attempt']}", "dim"))
    return tuple(spellings)


def _decoded(name: str, value: Any) -> Any:
    return json.loads(value) if name in JSON_COLUMNS and isinstance(value, str) else value


def _optional(value: str | None, style: str = "") -> Text:
    return Text(UNKNOWN, style="dim") if value is None else styled(value, style)


def _count(number: int | None) -> Text:
    if number is None:
        return Text(UNKNOWN, style="dim")
    return Text(f"{number / 1e6:.1f}M" if number >= 1_000_000 else str(number))


def _time(seconds: float | None) -> Text:
    return Text(show_duration(seconds), style="dim" if seconds is None else "")


def _money(amount: float | None, currency: str | None) -> Text:
    return Text(UNPRICED, style="dim") if amount is None else styled(show_money(amount, currency))
