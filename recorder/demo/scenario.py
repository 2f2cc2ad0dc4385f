"""The demo's calls: every kind of client and of answer, made once live and once more from the recording."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import MissingExtra

if TYPE_CHECKING:
    from ..recorder import Recorder

CASSETTE = "demo"
GATEWAY_MODEL = "deepseek-r1"
GATEWAY_ID = "018037b8-90fe-47f6-b131-33de9fbe79ab"

_QUESTION = [
    {"role": "user", "content": "How do I delete a team member from an org given user and org tables?"}
]
_WEATHER = [{"role": "user", "content": "What is the weather in Hangzhou?"}]
_TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather of a city",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]


@dataclass(frozen=True, slots=True)
class Target:
    """The endpoint that the demo talks to; without `gateway_url`, calls for the local upstream are left out."""

    base_url: str
    api_key: str
    model: str
    reasoning_model: str
    gateway_url: str | None = None

    @property
    def local(self) -> bool:
        """Whether this is the demo's own upstream."""
        return self.gateway_url is not None


@dataclass(slots=True)
class Step:
    """One call of the demo: what it shows, and what its caller got, to be compared after the replay.

    `failure` is the error that reached the caller where none was meant to.
    """

    title: str
    seen: list[Any] = field(default_factory=list)
    failure: str | None = None


Action = Callable[["Recorder", Target, list[Any]], None]


def run(recorder: Recorder, target: Target) -> Iterator[Step]:
    """Make the demo's calls one after the other, through clients that the recorder wraps."""
    import httpx
    import httpx2
    import openai

    for title, action, local_only in _ACTIONS:
        if local_only and not target.local:
            continue
        step = Step(title)
        try:
            action(recorder, target, step.seen)
        except (openai.OpenAIError, httpx.HTTPError, httpx2.HTTPError) as error:
            step.failure = f"{type(error).__name__}: {error}"
        yield step


def names(target: Target) -> dict[str, str]:
    """Provider names for the upstream's two ports, which no one could tell from their hosts."""
    if target.gateway_url is None:
        return {}
    return {
        urlsplit(target.base_url).netloc: "deepseek",
        urlsplit(target.gateway_url).netloc: "deepseek-onprem",
    }


@contextmanager
def no_network() -> Iterator[None]:
    """Any attempt to open a connection raises, so that a replay that needs one fails."""
    import socket

    def refuse(*_: object) -> None:
        raise OSError("the replay tried to reach the network")

    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    socket.socket.connect = socket.socket.connect_ex = refuse  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        socket.socket.connect, socket.socket.connect_ex = connect, connect_ex  # type: ignore[method-assign]


def require_clients() -> None:
    """Raise MissingExtra where the demo's client libraries are not installed."""
    for name in ("openai", "httpx2"):
        try:
            __import__(name)
        except ImportError:
            raise MissingExtra(name, "demo") from None


def _openai(target: Target, *, asynchronous: bool = False, **options: Any) -> Any:
    import openai

    kind = openai.AsyncOpenAI if asynchronous else openai.OpenAI
    return kind(base_url=target.base_url, api_key=target.api_key, **options)


def _post(
    target: Target, body: dict[str, Any], more: dict[str, str] | None = None, *, gateway: bool = False
) -> dict[str, Any]:
    """Arguments for a bare client's `request` or `stream`."""
    base = target.gateway_url if gateway and target.gateway_url else target.base_url
    own = {
        "authorization": f"Bearer {target.api_key}",
        **({"id": GATEWAY_ID} if gateway else {}),
        **(more or {}),
    }
    return {"method": "POST", "url": f"{base}/chat/completions", "json": body, "headers": own}


def _gateway_body(*, stream: bool) -> dict[str, Any]:
    return {
        "model": GATEWAY_MODEL,
        "messages": _QUESTION,
        "system_prompt": "Answer in one sentence.",
        "stream": stream,
        "max_tokens": 1024,
        "temperature": 0.7,
        "top_p": 1,
        "top_k": 50,
        "repetition_penalty": 1.05,
        "do_sample": True,
    }


def _openai_plain(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    with recorder.wrap(_openai(target)) as client:
        seen.append(client.chat.completions.create(model=target.model, messages=_QUESTION).model_dump())


def _openai_stream(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    with recorder.wrap(_openai(target)) as client:
        stream = client.chat.completions.create(model=target.reasoning_model, messages=_QUESTION, stream=True)
        seen.extend(chunk.model_dump() for chunk in stream)


def _openai_async_tools(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    async def main() -> None:
        async with recorder.wrap(_openai(target, asynchronous=True)) as client:
            answer = await client.chat.completions.create(model=target.model, messages=_WEATHER, tools=_TOOLS)
            seen.append(answer.model_dump())

    _run(main)


def _openai_async_stream(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    async def main() -> None:
        async with recorder.wrap(_openai(target, asynchronous=True)) as client:
            stream = await client.chat.completions.create(
                model=target.model, messages=_WEATHER, tools=_TOOLS, stream=True
            )
            seen.extend([chunk.model_dump() async for chunk in stream])

    _run(main)


def _openai_retry(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    with recorder.wrap(_openai(target, default_headers={"x-demo": "rate-limit-once"})) as client:
        seen.append(
            client.chat.completions.create(model=target.model, messages=_QUESTION, seed=2).model_dump()
        )


def _httpx_gateway(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    import httpx

    with recorder.wrap(httpx.Client()) as client:
        response = client.request(**_post(target, _gateway_body(stream=False), gateway=True))
        seen += [response.status_code, response.content]


def _httpx_gateway_async_stream(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    import httpx

    async def main() -> None:
        arguments = _post(target, _gateway_body(stream=True), gateway=True)
        async with recorder.wrap(httpx.AsyncClient()) as client, client.stream(**arguments) as response:
            seen.append(response.status_code)
            seen.extend([chunk async for chunk in response.aiter_raw()])

    _run(main)


def _httpx2_stream(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    import httpx2

    body = {"model": target.model, "messages": _QUESTION, "stream": True}
    with recorder.wrap(httpx2.Client(timeout=60)) as client, client.stream(**_post(target, body)) as response:
        seen.append(response.status_code)
        seen.extend(response.iter_raw())


def _httpx2_async_plain(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    import httpx2

    async def main() -> None:
        async with recorder.wrap(httpx2.AsyncClient(timeout=60)) as client:
            body = {"model": target.model, "messages": _QUESTION, "temperature": 0}
            response = await client.request(**_post(target, body))
            seen.extend([response.status_code, response.content])

    _run(main)


def _httpx2_timeout(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    import httpx2

    timeout = 0.3 if target.local else 0.01
    body = {"model": target.model, "messages": _QUESTION, "seed": 3}
    with recorder.wrap(httpx2.Client(timeout=timeout)) as client:
        try:
            headers = {"x-demo": "slow"} if target.local else {}
            seen.append(client.request(**_post(target, body, headers)).content)
        except httpx2.TimeoutException as error:
            seen += [type(error), str(error)]


def _httpx2_left_early(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    import httpx2

    body = {"model": target.model, "messages": _QUESTION, "stream": True, "seed": 4}
    with recorder.wrap(httpx2.Client(timeout=60)) as client, client.stream(**_post(target, body)) as response:
        for chunk in response.iter_raw():
            seen.append(chunk)
            if len(seen) == 3:
                break


_ACTIONS: tuple[tuple[str, Action, bool], ...] = (
    ("openai, whole answer", _openai_plain, False),
    ("openai, reasoning streamed", _openai_stream, False),
    ("openai async, tool call", _openai_async_tools, False),
    ("openai async, tool call streamed", _openai_async_stream, False),
    ("openai, 429 and retried", _openai_retry, True),
    ("httpx, gateway", _httpx_gateway, True),
    ("httpx async, gateway streamed", _httpx_gateway_async_stream, True),
    ("httpx2, streamed", _httpx2_stream, False),
    ("httpx2 async, whole answer", _httpx2_async_plain, False),
    ("httpx2, time-out", _httpx2_timeout, False),
    ("httpx2, stream left early", _httpx2_left_early, False),
)


def _run(main: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(main())  # type: ignore[arg-type]


@contextmanager
def spans_in_memory() -> Iterator[tuple[Any, Callable[[], list[Any]]]]:
    """A tracer provider that keeps its spans, and a function that lists those that have ended."""
    try:
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    except ImportError:
        raise MissingExtra("opentelemetry-sdk", "demo") from None
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    try:
        yield provider, lambda: list(exporter.get_finished_spans())
    finally:
        provider.shutdown()
