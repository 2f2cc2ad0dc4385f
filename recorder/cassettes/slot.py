"""The places of calls that are being recorded."""

from __future__ import annotations

from collections.abc import Callable

from ..exchange import Exchange
from .credentials import Credentials, Sender
from .source import Recorded

Kept = Callable[[Exchange], Exchange | None]
"""What is kept of an exchange; None for one that is not."""


class Slot:
    """The place of a call that is being recorded, taken when it was asked for, and who asked."""

    __slots__ = ("call_id", "exchange", "lane", "sender")

    def __init__(self, lane: int, sender: Sender) -> None:
        self.lane = lane
        self.sender = sender
        self.call_id = ""
        self.exchange: Exchange | None = None

    def fill(self, exchange: Exchange, call_id: str) -> None:
        """The call ended; this is its recording."""
        self.exchange, self.call_id = exchange, call_id


class Slots:
    """All that one session records, in the order in which it was asked for."""

    def __init__(self, credentials: Credentials, kept: Kept | None = None) -> None:
        self._credentials = credentials
        self._kept = kept
        self._slots: list[Slot] = []

    def take(self, lane: int, sender: Sender) -> Slot:
        """A place for one more call."""
        slot = Slot(lane, sender)
        self._slots.append(slot)
        return slot

    def filled(self) -> int:
        """How many calls ended."""
        return sum(slot.exchange is not None for slot in self._slots)

    def recorded(self) -> list[Recorded]:
        """The calls that ended, as they are kept."""
        filled = [(slot, self._as_kept(slot)) for slot in self._slots]
        numbers = self._credentials.numbers(slot.sender for slot, exchange in filled if exchange is not None)
        return [
            Recorded(exchange, slot.call_id, slot.lane, numbers[slot.sender])
            for slot, exchange in filled
            if exchange is not None
        ]

    def _as_kept(self, slot: Slot) -> Exchange | None:
        exchange = slot.exchange
        return exchange if exchange is None or self._kept is None else self._kept(exchange)
