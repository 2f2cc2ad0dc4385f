"""A local upstream that answers as DeepSeek and an on-premises R1 gateway do, for the demo and the tests."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import socket
import socketserver
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.client import responses
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal, Self

Pairs = tuple[tuple[str, str], ...]
System = Literal["deepseek", "gateway"]

_MODELS = {"deepseek": ("deepseek-chat", "deepseek-reasoner"), "gateway": ("deepseek-r1",)}
_FINGERPRINTS = {"deepseek": "fp_demo", "gateway": "deepseek-r1-v1.0"}
_REASONING = "The user wants to know about the text. I count its words, and say so."
_ANSWER = "Your text has {words} words: «{start}»… More I cannot say — no model runs here."
_CREATED = 1_760_000_000
_PAUSE_S = 0.005
_SLOW_S = 2.0
_CACHE_UNIT = 64  # tokens; DeepSeek caches prompt prefixes in units of this size


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
            status, (("Content-Type", "application/json"), *headers), (_dump(value),), transfer="length"
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
                return _refuse(429, "Rate limit reached", "rate_limit_reached_error", (("Retry-After", "0"),))
        step = _answer(received, system, number)
        if demo == "slow":
            return replace(step, wait_s=_SLOW_S)
        if demo == "padding":
            padding = (b"\n",) * 3
            delays = (_PAUSE_S,) * len(padding) + step.delays_s
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


def _answer(received: Received, system: System, number: int) -> Step:
    """What the system says to a request that no step was queued for."""
    if received.method != "POST" or received.path not in ("/chat/completions", "/v1/chat/completions"):
        return _refuse(404, "Not found")
    if refusal := _refuse_caller(received, system):
        return refusal
    try:
        request = received.json()
    except ValueError:
        request = None
    if not isinstance(request, dict):
        return _refuse(400, "Failed to parse the request body as JSON")
    if request.get("model") not in _MODELS[system]:
        return _refuse(400, "Model Not Exist")
    if not request.get("messages"):
        return _refuse(400, "Empty input messages")
    completion = _complete(request, system, number)
    if request.get("stream"):
        events = tuple(_stream(completion, request, system))
        return Step.of_events(*events, pause_s=_PAUSE_S)
    return Step.of_json(completion)


def _refuse_caller(received: Received, system: System) -> Step | None:
    scheme, _, token = (received.header("authorization") or "").partition(" ")
    if system == "deepseek":
        if not token:
            return _refuse(401, "Authentication Fails (governor)", "authentication_error")
    elif scheme.lower() != "bearer" or not token:
        return Step.of_json({"message": "Unauthorized"}, 401, (("WWW-Authenticate", "Bearer"),))
    elif not received.header("id"):
        return Step.of_json({"message": "Header id is required: the UUID of the model"}, 400)
    return None


def _refuse(status: int, message: str, kind: str = "invalid_request_error", headers: Pairs = ()) -> Step:
    error = {"message": message, "type": kind, "param": None, "code": kind}
    return Step.of_json({"error": error}, status, headers)


def _complete(request: dict[str, Any], system: System, number: int) -> dict[str, Any]:
    """The whole answer, as it goes out when it is not streamed."""
    messages = request["messages"]
    question = _text(messages[-1])
    call = _call_tool(request, question, number)
    thinking = request["model"] != "deepseek-chat"
    reasoning = _pieces(_REASONING) if thinking else []
    content = [] if call else _pieces(_ANSWER.format(words=len(question.split()), start=question[:60]))
    limit = request.get("max_tokens") or sys.maxsize
    cut = len(reasoning) + len(content) > limit
    reasoning, content = reasoning[:limit], content[: max(0, limit - len(reasoning))]
    message: dict[str, Any] = {"role": "assistant", "content": "".join(content)}
    if thinking:
        message["reasoning_content"] = "".join(reasoning)
    if call:
        message["tool_calls"] = [call]
    written = len(reasoning) + len(content) + (len(_pieces(call["function"]["arguments"])) if call else 0)
    finish = "tool_calls" if call else "length" if cut else "stop"
    return {
        "id": f"chatcmpl-demo-{number:04}",
        "object": "chat.completion",
        "created": _CREATED + number,
        "model": request["model"],
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
        "usage": _usage(messages, written, len(reasoning), system),
        "system_fingerprint": _FINGERPRINTS[system],
    }


def _usage(messages: list[dict[str, Any]], written: int, reasoning: int, system: System) -> dict[str, Any]:
    """Token counts: one for each word and each mark, four for each message besides."""
    sizes = [4 + len(_pieces(_text(message))) for message in messages]
    usage: dict[str, Any] = {
        "prompt_tokens": sum(sizes),
        "completion_tokens": written,
        "total_tokens": sum(sizes) + written,
    }
    if system == "gateway":
        return usage
    hit = sum(sizes[:-1]) // _CACHE_UNIT * _CACHE_UNIT
    usage["prompt_tokens_details"] = {"cached_tokens": hit}
    if reasoning:
        usage["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return usage | {"prompt_cache_hit_tokens": hit, "prompt_cache_miss_tokens": sum(sizes) - hit}


def _stream(completion: dict[str, Any], request: dict[str, Any], system: System) -> Iterator[bytes]:
    """The same answer as events.

    DeepSeek puts the usage beside the finish reason, asked or not. The gateway does as vLLM behind it: a
    chunk of its own without choices, and only for `stream_options.include_usage`.
    """
    asked = bool((request.get("stream_options") or {}).get("include_usage"))
    (choice,) = completion["choices"]
    head = {key: completion[key] for key in ("id", "object", "created", "model", "system_fingerprint")}
    head["object"] = "chat.completion.chunk"

    def event(delta: dict[str, Any], finish: str | None = None, usage: Any = None) -> bytes:
        chunk = {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}
        return _event(chunk | {"usage": usage} if usage or asked else chunk)

    if system == "deepseek":
        yield b": keep-alive\n\n"
    yield event({"role": "assistant", "content": ""})
    for delta in _deltas(choice["message"]):
        yield event(delta)
    yield event(
        {"content": ""}, choice["finish_reason"], completion["usage"] if system == "deepseek" else None
    )
    if system == "gateway" and asked:
        yield _event({**head, "choices": [], "usage": completion["usage"]})
    yield b"data: [DONE]\n\n"


def _deltas(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for piece in _pieces(message.get("reasoning_content", "")):
        yield {"content": None, "reasoning_content": piece}
    for piece in _pieces(message["content"]):
        yield (
            {"content": piece, "reasoning_content": None}
            if "reasoning_content" in message
            else {"content": piece}
        )
    for index, call in enumerate(message.get("tool_calls", ())):
        function = call["function"]
        yield {"tool_calls": [{**call, "index": index, "function": {**function, "arguments": ""}}]}
        for piece in _pieces(function["arguments"]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _call_tool(request: dict[str, Any], question: str, number: int) -> dict[str, Any] | None:
    """A call of the first tool, unless its result is what was just sent."""
    if (
        not request.get("tools")
        or request.get("tool_choice") == "none"
        or request["messages"][-1]["role"] == "tool"
    ):
        return None
    function = request["tools"][0]["function"]
    properties = (function.get("parameters") or {}).get("properties") or {}
    arguments = {name: _argument(schema, question) for name, schema in properties.items()}
    text = json.dumps(arguments, ensure_ascii=False)
    return {
        "id": f"call_demo_{number:04}",
        "type": "function",
        "function": {"name": function["name"], "arguments": text},
    }


def _argument(schema: dict[str, Any], question: str) -> Any:
    """A value that fits the schema: for text, the last word of the question."""
    samples: dict[str, Any] = {
        "integer": 1,
        "number": 1.5,
        "boolean": True,
        "array": [],
        "object": {},
        "null": None,
    }
    if schema.get("enum"):
        return schema["enum"][0]
    return samples.get(schema.get("type", "string"), (re.findall(r"\w+", question) or ["demo"])[-1])


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


def _pieces(text: str) -> list[str]:
    """The text in pieces of one token each; joined they give it back."""
    return re.findall(r"\s*(?:\w+|[^\w\s])|\s+$", text)


def _event(value: Any) -> bytes:
    return b"data: %b\n\n" % _dump(value)


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
