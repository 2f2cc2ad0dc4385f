"""Calls that can be told apart, and the account of them: what their callers got is stored, once and whole."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from typing import Any
from zlib import crc32

import httpx2

import recorder
from recorder.ledger import Store

from .databases import execute

URL = "https://openrouter.ai/api/v1/chat/completions"
_EXCHANGES = 50


def client_of(rec: recorder.Recorder) -> httpx2.Client:
    """A recorded client whose upstream answers at once, each model in its own way."""
    return rec.wrap(httpx2.Client(transport=httpx2.MockTransport(_answer)))


def call(client: httpx2.Client, name: str) -> None:
    """Make the call of that name; half of them are streams."""
    streamed = bool(_number(name) % 2)
    messages = [{"role": "user", "content": f"Who is {name}?"}]
    with client.stream(
        "POST", URL, json={"model": name, "stream": streamed, "messages": messages}
    ) as response:
        response.read()


def settle_account(url: str, told: Collection[str], *, extra: int = 0, lost: int = 0) -> None:
    """Fail unless the store has what was told, once and whole, and at most `extra` calls beside it.

    Those are calls whose callers ended before they could tell. So many as are `lost` may be missing.
    """
    store = Store(url)
    rows = store.calls(limit=None)
    names = Counter(row["request_model"] for row in rows)
    assert not [name for name, times in names.items() if times > 1], "calls are stored twice"
    missing = set(told) - set(names)
    assert len(missing) <= lost, f"{len(missing)} calls are missing, such as {sorted(missing)[:3]}"
    assert len(names) - len(set(told) - missing) <= extra, (
        f"more than {extra} calls are there that nobody made"
    )
    assert store.check() == []
    for row in rows[:: len(rows) // _EXCHANGES + 1]:
        _compare(store, row)
    _add_up(url, [row for row in rows if row["outcome"] == "ok"])


def _compare(store: Store, row: dict[str, Any]) -> None:
    """The bodies of a call are its own."""
    exchange, name = store.exchange(row["id"]), row["request_model"]
    assert json.loads(exchange.request.body)["model"] == name
    if row["outcome"] == "ok":
        assert exchange.body == _body(name)


def _add_up(url: str, whole: list[dict[str, Any]]) -> None:
    """The daily view says what the calls add up to."""
    ((number, tokens, cost),) = execute(
        url, "SELECT sum(ok), sum(input_tokens), sum(cost_usd) FROM v_calls_daily"
    )
    wanted = [_number(row["request_model"]) for row in whole]
    assert (number or 0, tokens or 0) == (len(wanted), sum(wanted))
    assert round(float(cost or 0) * 1e6) == sum(wanted)


def _answer(request: httpx2.Request) -> httpx2.Response:
    name = json.loads(request.content)["model"]
    kind = "text/event-stream" if _number(name) % 2 else "application/json"
    return httpx2.Response(200, content=_body(name), headers={"content-type": kind})


def _body(name: str) -> bytes:
    number = _number(name)
    usage = {
        "prompt_tokens": number,
        "completion_tokens": 1,
        "total_tokens": number + 1,
        "cost": number / 1e6,
    }
    said = {"role": "assistant", "content": f"I am {name}."}
    answer = {"id": name, "model": name, "usage": usage}
    if number % 2:
        choice = {"index": 0, "delta": said, "finish_reason": "stop"}
        return b"data: " + json.dumps({**answer, "choices": [choice]}).encode() + b"\n\ndata: [DONE]\n\n"
    choice = {"index": 0, "message": said, "finish_reason": "stop"}
    return json.dumps({**answer, "choices": [choice]}).encode()


def _number(name: str) -> int:
    return crc32(name.encode()) % 1_000
