"""The place of a call that is being recorded."""

from __future__ import annotations

from ..exchange import Exchange
from .credentials import Sender


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
