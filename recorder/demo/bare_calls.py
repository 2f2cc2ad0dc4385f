"""The demo's calls through bare clients of httpx and httpx2; each notes in `seen` what its caller got."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from .questions import QUESTION
from .target import Target

if TYPE_CHECKING:
    from ..recorder import Recorder

_GATEWAY_MODEL = "deepseek-r1"
_GATEWAY_ID = "018037b8-90fe-47f6-b131-33de9fbe79ab"


def httpx_gateway(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    import httpx

    with recorder.wrap(httpx.Client()) as client:
        response = client.request(**_post(target, _gateway_body(stream=False), gateway=True))
        seen += [response.status_code, response.content]


def httpx_gateway_async_stream(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    import httpx

    async def main() -> None:
        arguments = _post(target, _gateway_body(stream=True), gateway=True)
        async with recorder.wrap(httpx.AsyncClient()) as client, client.stream(**arguments) as response:
            seen.append(response.status_code)
            seen.extend([chunk async for chunk in response.aiter_raw()])

    asyncio.run(main())


def httpx2_stream(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    import httpx2

    body = {"model": target.model, "messages": QUESTION, "stream": True}
    with recorder.wrap(httpx2.Client(timeout=60)) as client, client.stream(**_post(target, body)) as response:
        seen.append(response.status_code)
        seen.extend(response.iter_raw())


def httpx2_async_plain(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    import httpx2

    async def main() -> None:
        async with recorder.wrap(httpx2.AsyncClient(timeout=60)) as client:
            body = {"model": target.model, "messages": QUESTION, "temperature": 0}
            response = await client.request(**_post(target, body))
            seen.extend([response.status_code, response.content])

    asyncio.run(main())


def httpx2_timeout(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    import httpx2

    timeout = 0.3 if target.local else 0.01
    body = {"model": target.model, "messages": QUESTION, "seed": 3}
    with recorder.wrap(httpx2.Client(timeout=timeout)) as client:
        try:
            headers = {"x-demo": "slow"} if target.local else {}
            seen.append(client.request(**_post(target, body, headers)).content)
        except httpx2.TimeoutException as error:
            seen += [type(error), str(error)]


def httpx2_left_early(recorder: Recorder, target: Target, seen: list[Any]) -> None:
    import httpx2

    body = {"model": target.model, "messages": QUESTION, "stream": True, "seed": 4}
    with recorder.wrap(httpx2.Client(timeout=60)) as client, client.stream(**_post(target, body)) as response:
        for chunk in response.iter_raw():
            seen.append(chunk)
            if len(seen) == 3:
                break


def _post(
    target: Target, body: dict[str, Any], more: dict[str, str] | None = None, *, gateway: bool = False
) -> dict[str, Any]:
    """Arguments for a bare client's `request` or `stream`."""
    base = target.gateway_url if gateway and target.gateway_url else target.base_url
    own = {
        "authorization": f"Bearer {target.api_key}",
        **({"id": _GATEWAY_ID} if gateway else {}),
        **(more or {}),
    }
    return {"method": "POST", "url": f"{base}/chat/completions", "json": body, "headers": own}


def _gateway_body(*, stream: bool) -> dict[str, Any]:
    return {
        "model": _GATEWAY_MODEL,
        "messages": QUESTION,
        "system_prompt": "Answer in one sentence.",
        "stream": stream,
        "max_tokens": 1024,
        "temperature": 0.7,
        "top_p": 1,
        "top_k": 50,
        "repetition_penalty": 1.05,
        "do_sample": True,
    }
