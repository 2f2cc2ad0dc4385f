"""The calls of a session or a trace in the order of time: what each cost, and what it added to the prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ..errors import StoreError
from .reading import read_wire

if TYPE_CHECKING:
    from ..call import Message
    from ..ledger import Store

MOST = 200
_READ = 60


class Turn(Struct, frozen=True):
    """One call: when it began after the first, the costs up to it, and the messages that it added.

    `cost_pico` has one sum a currency; `after` is the number of the turn whose messages it repeats, None where it
    repeats none; `added` is None where the content was not read.
    """

    call: Mapping[str, Any]
    begins_s: float
    cost: tuple[tuple[str, float], ...]
    after: int | None = None
    added: tuple[Message, ...] | None = None


class Conversation(Struct, frozen=True):
    """The turns, oldest first, how long they took altogether, and whether there are more."""

    turns: tuple[Turn, ...]
    length_s: float
    more: bool


def conversation(store: Store, where: Mapping[str, str], *, content: bool = True) -> Conversation:
    """The first calls of a session or trace; the content of so many is compared as takes no time to speak of."""
    found = store.calls(limit=MOST + 1, newest_first=False, where=where)
    calls = found[:MOST]
    if not calls:
        return Conversation((), 0.0, False)
    begin = calls[0]["started_at"]
    read: list[tuple[Message, ...] | None] = [
        _messages(store, call) if content and number < _READ else None for number, call in enumerate(calls)
    ]
    turns, costs = [], dict[str, float]()
    for number, call in enumerate(calls):
        if call["cost"] is not None and not call["replayed"]:
            currency = call["currency"] or ""
            costs[currency] = costs.get(currency, 0.0) + call["cost"]
        after, added = _compared(read, number)
        turns.append(Turn(call, call["started_at"] - begin, tuple(sorted(costs.items())), after, added))
    length = max(turn.begins_s + (turn.call["duration_s"] or 0) for turn in turns)
    return Conversation(tuple(turns), length, len(found) > MOST)


def _messages(store: Store, call: Mapping[str, Any]) -> tuple[Message, ...] | None:
    try:
        return read_wire(store.exchange(call["id"]), call["provider"]).messages
    except StoreError:
        return None


def _compared(
    read: Sequence[tuple[Message, ...] | None], number: int
) -> tuple[int | None, tuple[Message, ...] | None]:
    """The earlier turn with the longest prompt that this one begins with, and what comes after it."""
    own = read[number]
    if own is None:
        return None, None
    longest, after = 0, None
    for earlier in range(number):
        other = read[earlier]
        if other and longest < len(other) <= len(own) and own[: len(other)] == other:
            longest, after = len(other), earlier
    return after, own[longest:]
