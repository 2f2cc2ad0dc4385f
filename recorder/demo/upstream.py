"""A local upstream that answers as DeepSeek and an on-premises R1 gateway do, for the demo and the tests."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import socketserver
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any, Self

from .answers import PAUSE_S, System, answer, refuse
from .steps import Received, Step

__all__ = ["Received", "Step", "Upstream"]

_SLOW_S = 2.0


class Upstream:
    """Both systems on loopback, each on a port of its own, and what arrived at them.

    `requests` grows as requests arrive. Steps queued with `script` are served before anything else, in the
    order in which requests arrive, whatever these ask. Otherwise a request header `x-demo` has a say:
    `rate-limit-once` answers 429 the first time that its value is seen (append anything to get another
    value: `rate-limit-once-2`); `slow` answers after two seconds; `padding` sends empty lines before the
    body, as DeepSeek does while a request is queued.
    """

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self._numbers = itertools.count(1)
        self._steps: deque[Step] = deque()
        self._limited: set[str] = set()
        self._lock = threading.Lock()
        self._servers: tuple[_Server, ...] = ()

    def start(self) -> Self:
        """Bind both ports and serve, on daemon threads."""
        self._servers = (
            _Server(lambda received: self._reply(received, "deepseek")),
            _Server(lambda received: self._reply(received, "gateway")),
        )
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.02,), name="upstream", daemon=True).start()
        return self

    def stop(self) -> None:
        """Close both ports and every connection, and wait for the handlers to leave."""
        servers, self._servers = self._servers, ()
        for server in servers:
            server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """Where DeepSeek is played; no slash at the end."""
        return self._servers[0].url

    @property
    def gateway_url(self) -> str:
        """Where the gateway is played; no slash at the end."""
        return self._servers[1].url

    def script(self, *steps: Step) -> None:
        """Queue answers, one a request."""
        self._steps.extend(steps)

    def _reply(self, received: Received, system: System) -> Step:
        demo = received.header("x-demo") or ""
        with self._lock:
            self.requests.append(received)
            number = next(self._numbers)
            if self._steps:
                return self._steps.popleft()
            if demo.startswith("rate-limit-once") and demo not in self._limited:
                self._limited.add(demo)
                return refuse(429, "Rate limit reached", "rate_limit_reached_error", (("Retry-After", "0"),))
        step = answer(received, system, number)
        if demo == "slow":
            return replace(step, wait_s=_SLOW_S)
        if demo == "padding":
            padding = (b"\n",) * 3
            delays = (PAUSE_S,) * len(padding) + step.delays_s
            return replace(step, body=padding + step.body, delays_s=delays, transfer="chunked")
        return step


class _Server(socketserver.ThreadingTCPServer):
    """One port (not an HTTPServer, which looks its host name up when it binds: seconds on some machines)."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, reply: Callable[[Received], Step]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply = reply
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._open: set[Any] = set()
        self._changed = threading.Condition()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # clients leave when they like
            super().handle_error(request, client_address)

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        with self._changed:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, timeout=2.0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def answer(self) -> None:
        headers = tuple((name, str(value)) for name, value in self.headers.items())
        step = self.server.reply(Received(self.command, self.path, headers, self._read_body()))
        self._pause(step.wait_s)
        self.wfile.write(step.head())
        chunked = step.transfer == "chunked"
        delays_s = itertools.chain(step.delays_s, itertools.repeat(0.0))
        for chunk, delay_s in zip(step.body, delays_s, strict=False):
            self._pause(delay_s)
            if chunk:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk)
        self.close_connection |= step.then != "end"
        if step.then == "end" and chunked:
            self.wfile.write(b"0\r\n\r\n")
        elif step.then == "hang":
            self._pause(None)
        elif step.then == "reset":
            self._reset()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - http.server wants these names

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _read_body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().partition(b";")[0] or b"0", 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _pause(self, seconds: float | None) -> None:
        """Wait (None: for ever); OSError as soon as the client leaves or the server stops."""
        if seconds == 0:
            return
        self.connection.settimeout(seconds)
        try:
            self.connection.recv(1, socket.MSG_PEEK)  # nothing is due from the client: this waits
            raise ConnectionAbortedError
        except TimeoutError:
            self.connection.settimeout(None)

    def _reset(self) -> None:
        _wait_until_sent(self.connection)
        linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        socket.close(self.connection.detach())  # the socket's own close() waits for rfile and wfile


def _wait_until_sent(connection: socket.socket) -> None:
    """Wait until the client's side holds all that was written: a reset throws away what it does not."""
    if sys.platform == "linux":
        import fcntl
        import termios

        deadline = time.monotonic() + 2.0
        while any(fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4))) and time.monotonic() < deadline:
            time.sleep(0.001)
