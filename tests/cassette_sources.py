"""Requests, recordings, and a cassette kept in memory, for tests of what uses them."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence

from recorder.cassettes import Recorded
from recorder.cassettes.source import Change
from recorder.exchange import Ending, Exchange, Headers, Request, ResponseHead

from .drivers import URL


class MemoryCassette:
    """A `CassetteSource`, which keeps what it was given and what it was to reject."""

    def __init__(self, recordings: Sequence[Recorded] | None = None, name: str = "memory") -> None:
        self.name = name
        self.kept: tuple[Recorded, ...] | None = None if recordings is None else tuple(recordings)
        self.rejected: tuple[Recorded, ...] | None = None
        self._lock = threading.Lock()

    def load(self) -> tuple[Recorded, ...] | None:
        return self.kept

    def save(self, recordings: Sequence[Recorded]) -> None:
        self.kept = tuple(recordings)

    def update(self, change: Change) -> None:
        with self._lock:
            self.kept = tuple(change(self.kept))

    def reject(self, recordings: Sequence[Recorded]) -> str:
        self.rejected = tuple(recordings)
        return f"{self.name}.rej"


def request(url: str = URL, *, method: str = "POST", body: bytes = b"{}", headers: Headers = ()) -> Request:
    return Request(method, url, headers, body)


def ask(url: str = URL, **fields: object) -> Request:
    """A request with a JSON body of these members."""
    return request(url, body=json.dumps({"model": "m", **fields}).encode())


def a_recording(asked: Request, answer: str = "", *, lane: int = 0, credential: int = 0) -> Recorded:
    exchange = Exchange(
        asked, 1_700_000_000_000_000, Ending("complete"), ResponseHead(200), (answer.encode(),), (0,)
    )
    return Recorded(exchange, "", lane, credential)
