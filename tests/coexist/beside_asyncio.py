"""Async tests of each plugin that runs them, with cassettes."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import httpx2
import pytest


async def ask(client: Any, url: str, text: str) -> str:
    body = {"model": "m", "messages": [{"role": "user", "content": text}]}
    response = await client.post(url, json=body)
    assert response.status_code == 200
    return str(response.json()["choices"][0]["message"]["content"])


@pytest.mark.asyncio
@pytest.mark.recorded
@pytest.mark.parametrize("n", range(4))
async def test_asyncio(url: str, n: int) -> None:
    async with httpx2.AsyncClient() as client:
        answers = await asyncio.gather(*(ask(client, url, f"{n} {part}") for part in "abc"))
    assert answers == [f"re: {n} {part}" for part in "abc"]


@pytest.mark.anyio
@pytest.mark.recorded
async def test_anyio(url: str) -> None:
    async with httpx2.AsyncClient() as client:
        assert await ask(client, url, "hello") == "re: hello"


@pytest.mark.asyncio
async def test_swallowed_miss(url: str, recorded: Any, request: pytest.FixtureRequest) -> None:
    """Fails when all is replayed, and only then."""
    if request.config.getoption("--recorder-mode") != "none":
        return
    async with httpx2.AsyncClient() as client:
        with contextlib.suppress(BaseException):
            await ask(client, url, "never recorded")
