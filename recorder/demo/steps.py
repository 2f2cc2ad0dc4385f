"""What arrives at the demo's upstream, and what it sends back, exactly."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import responses
from typing import Any, Literal, Self

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived: header pairs in wire order and spelling, body without transfer coding."""

    method: str
    path: str
    headers: Pairs
    body: bytes

    def header(self, name: str) -> str | None:
        """The first value of one header, or None; `name` in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Step:
    """One answer, exactly as it is written.

    Each of `body` is one HTTP chunk and one write (empty ones are left out: HTTP has none). `wait_s` passes
    before the head, `delays_s[n]` before chunk n. No header is added but the framing: with
    `transfer="length"` the whole length is announced, one more than is sent unless `then` is `end`, and
    chunks are mere writes. `then` says what follows the last chunk: the body's `end`; a `cut`, which closes
    in order but too early; a `reset` of the connection; or nothing (`hang`) until the client leaves or the
    upstream stops.
    """

    status: int = 200
    headers: Pairs = (("Content-Type", "application/json"),)
    body: tuple[bytes, ...] = ()
    wait_s: float = 0.0
    delays_s: tuple[float, ...] = ()
    then: Literal["end", "cut", "reset", "hang"] = "end"
    transfer: Literal["chunked", "length"] = "chunked"

    @classmethod
    def of_json(cls, value: Any, status: int = 200, headers: Pairs = ()) -> Self:
        """A JSON answer with a content length."""
        return cls(
            status, (("Content-Type", "application/json"), *headers), (dump(value),), transfer="length"
        )

    @classmethod
    def of_events(cls, *chunks: bytes, pause_s: float = 0.0) -> Self:
        """A stream of server-sent events, `pause_s` before each chunk."""
        headers = (("Content-Type", "text/event-stream; charset=utf-8"), ("Cache-Control", "no-cache"))
        return cls(200, headers, chunks, delays_s=(pause_s,) * len(chunks))

    def head(self) -> bytes:
        """Status line and headers as they are sent."""
        lines = [f"HTTP/1.1 {self.status} {responses.get(self.status, '')}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.transfer == "chunked":
            lines.append("Transfer-Encoding: chunked")
        elif not any(name.lower() == "content-length" for name, _ in self.headers):
            lines.append(f"Content-Length: {sum(map(len, self.body)) + (self.then != 'end')}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
