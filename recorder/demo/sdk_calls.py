"""The demo's calls through the openai SDK; each notes in `seen` what its caller got."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from .questions import QUESTION, TOOLS, WEATHER
from .target import Target

if TYPE_CHECKING:
    from ..recorder import Recorder


def whole_answer(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    with recorder.wrap(_client(target)) as client:
        seen.append(client.chat.completions.create(model=target.model, messages=QUESTION).model_dump())


def reasoning_streamed(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    with recorder.wrap(_client(target)) as client:
        stream = client.chat.completions.create(model=target.reasoning_model, messages=QUESTION, stream=True)
        seen.extend(chunk.model_dump() for chunk in stream)


def tool_call(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    async def main() -> None:
        async with recorder.wrap(_client(target, asynchronous=True)) as client:
            answer = await client.chat.completions.create(model=target.model, messages=WEATHER, tools=TOOLS)
            seen.append(answer.model_dump())

    asyncio.run(main())


def tool_call_streamed(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    async def main() -> None:
        async with recorder.wrap(_client(target, asynchronous=True)) as client:
            stream = await client.chat.completions.create(
                model=target.model, messages=WEATHER, tools=TOOLS, stream=True
            )
            seen.extend([chunk.model_dump() async for chunk in stream])

    asyncio.run(main())


def retried(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    with recorder.wrap(_client(target, default_headers={"x-demo": "rate-limit-once"})) as client:
        seen.append(
            client.chat.completions.create(model=target.model, messages=QUESTION, seed=2).model_dump()
        )


def _client(target: Target, *, asynchronous: bool = False, **options: Any) -> Any:
    import openai

    kind = openai.AsyncOpenAI if asynchronous else openai.OpenAI
    return kind(base_url=target.base_url, api_key=target.api_key, **options)
