"""The real openai client: the same results with the transport as without it, live and replayed."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import openai
import pytest

import recorder
from recorder.demo.upstream import Step, Upstream
from recorder.ledger import Store

TOOLS: Any = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]
ASKS: dict[str, dict[str, Any]] = {
    "plain": {"model": "deepseek-chat"},
    "reasoning": {"model": "deepseek-reasoner"},
    "tools": {"model": "deepseek-chat", "tools": TOOLS},
}


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


class World:
    """openai's sync or async client, driven by the same calls."""

    def __init__(self, asynchronous: bool) -> None:
        self.asynchronous = asynchronous

    def ask(
        self,
        base_url: str,
        rec: recorder.Recorder | None = None,
        *,
        stream: bool = False,
        retries: int = 2,
        **fields: Any,
    ) -> list[Any]:
        """The answer, or all its chunks, as plain data, from a client of its own, which `rec` wraps."""
        kind: Any = openai.AsyncOpenAI if self.asynchronous else openai.OpenAI
        client = kind(base_url=base_url, api_key="sk-test0123456789abcdefghij", max_retries=retries)
        if rec is not None:
            rec.wrap(client)
        fields = {
            "messages": [{"role": "user", "content": "What is the weather in Hangzhou?"}],
            "stream": stream,
            **fields,
        }

        async def main() -> list[Any]:
            async with client:
                answer = await client.chat.completions.create(**fields)
                return [chunk.model_dump() async for chunk in answer] if stream else [answer.model_dump()]

        if self.asynchronous:
            return asyncio.run(main())
        with client:
            answer = client.chat.completions.create(**fields)
            return [chunk.model_dump() for chunk in answer] if stream else [answer.model_dump()]


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


def without_numbers(chunks: list[Any]) -> str:
    """The upstream numbers its answers; all else is compared."""
    return re.sub(r'demo[-_]\d+|"created": \d+', "", json.dumps(chunks))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("what", ASKS)
def test_same_results_with_and_without_live_and_replayed(
    world: World, upstream: Upstream, rec: recorder.Recorder, what: str, stream: bool
) -> None:
    url = upstream.base_url
    bare = world.ask(url, stream=stream, **ASKS[what])
    with rec.cassette("c", mode="once"):
        live = world.ask(upstream.base_url, rec, stream=stream, **ASKS[what])
    assert without_numbers(live) == without_numbers(bare)
    upstream.stop()
    with rec.cassette("c"):
        assert world.ask(url, rec, stream=stream, **ASKS[what]) == live
    assert rec.flush()
    assert [row["outcome"] for row in Store(rec.store).calls()] == ["ok", "ok"]


def test_retries_are_attempts_of_one_operation(
    world: World, upstream: Upstream, rec: recorder.Recorder
) -> None:
    limited = Step.of_json(
        {"error": {"message": "slow down", "code": "rate_limited"}}, 429, (("retry-after-ms", "1"),)
    )
    upstream.script(limited, limited)
    world.ask(upstream.base_url, rec, stream=False, **ASKS["plain"])
    world.ask(upstream.base_url, rec, stream=False, **ASKS["plain"])
    assert rec.flush()
    rows = Store(rec.store).calls(newest_first=False)
    assert [(row["attempt"], row["outcome"], row["error_type"]) for row in rows] == [
        (1, "error", "rate_limited"),
        (2, "error", "rate_limited"),
        (3, "ok", None),
        (1, "ok", None),
    ]
    assert len({row["operation_id"] for row in rows[:3]}) == 1
    assert rows[3]["operation_id"] != rows[2]["operation_id"]


def test_miss_takes_one_attempt_and_its_text_is_seen(
    world: World, upstream: Upstream, rec: recorder.Recorder
) -> None:
    with rec.cassette("c", mode="once"):
        world.ask(upstream.base_url, rec, stream=False, **ASKS["plain"])
    asked = len(upstream.requests)
    with (
        rec.cassette("c"),
        pytest.raises(recorder.CassetteMiss, match=r"\$\.temperature: recorded absent, asked 0\.5"),
    ):
        world.ask(upstream.base_url, rec, stream=False, temperature=0.5, **ASKS["plain"])
    with rec.cassette("c", on_miss="response"), pytest.raises(openai.ConflictError, match=r"\$\.temperature"):
        world.ask(upstream.base_url, rec, stream=False, temperature=0.5, **ASKS["plain"])
    assert len(upstream.requests) == asked


def test_stream_that_breaks_gives_the_same_error_again(
    world: World, upstream: Upstream, rec: recorder.Recorder
) -> None:
    headers = (("content-type", "text/event-stream"),)
    upstream.script(Step(200, headers, (b'data: {"choices":[]}\n\n', b"data: {"), then="cut"))
    upstream.script(Step(200, headers, (b'data: {"choices":[]}\n\n', b"data: {\n\n")))
    errors = []
    for mode in ("once", "none"):
        with rec.cassette("c", mode=mode):
            for _ in range(2):
                with pytest.raises(Exception, match=r".") as caught:
                    world.ask(upstream.base_url, rec, stream=True, retries=0, **ASKS["plain"])
                errors.append((caught.type, str(caught.value)))
    assert errors[:2] == errors[2:]
