"""Tests with recorder's cassettes and tests with another plugin's, in one file."""

from __future__ import annotations

from typing import Any

import httpx
import httpx2
import pytest


def ask(library: Any, url: str, text: str) -> str:
    body = {"model": "m", "messages": [{"role": "user", "content": text}]}
    response = library.post(url, json=body)
    assert response.status_code == 200
    return str(response.json()["choices"][0]["message"]["content"])


@pytest.mark.recorded
@pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda library: library.__name__)
def test_ours(library: Any, url: str) -> None:
    assert ask(library, url, "ours") == "re: ours"


@pytest.mark.vcr
@pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda library: library.__name__)
def test_theirs(library: Any, url: str) -> None:
    assert ask(library, url, "theirs") == "re: theirs"


@pytest.mark.recorded
def test_ours_again(url: str, recorded: Any, vcr: Any) -> None:
    assert ask(httpx2, url, "again") == "re: again"
    assert recorded.report.hits + recorded.report.recorded in (0, 1)
