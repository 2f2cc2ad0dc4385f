"""Every span, metric and event of real traffic, held against the table of the conventions."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from recorder.call import Call

from .conftest import CORPUS
from .conventions import event_faults, metric_faults, span_faults
from .drivers import Driver, Reply
from .otel import Otel, completion, recording, streamed
from .test_corpus import corpus  # noqa: F401 - a fixture

URL = "https://api.openai.com/v1/chat/completions"
FULL = {
    "model": "gpt-5",
    "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,x"}}]}],
    "tools": [{"type": "function", "function": {"name": "f"}}],
    "system_prompt": "Be brief.",
    "top_k": 40,
    "n": 2,
    "seed": 1,
    "stop": "END",
    "service_tier": "flex",
    "response_format": {"type": "json_object"},
    "user": "u-1",
}
DETAILS = {"audio_tokens": 1, "text_tokens": 2, "cached_tokens": 1, "cache_write_tokens": 1}
USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 8,
    "prompt_tokens_details": DETAILS,
    "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 1},
}
SAMPLES: list[tuple[dict[str, Any], Reply]] = [
    (FULL, completion(usage=USAGE, service_tier="default", system_fingerprint="fp")),
    ({"model": "gpt-5", "stream": True}, streamed("Hel", "lo", usage=USAGE)),
    ({"model": "gpt-5"}, Reply(status=429, chunks=[b'{"error":{"code":"rate_limited"}}'])),
    ({}, Reply(chunks=[b"no JSON"])),
    ({"model": "gpt-5", "stream": True}, Reply(headers=(("content-type", "text/event-stream"),), chunks=[])),
    ({"model": "gpt-5"}, Reply(error=OSError("gone"))),
]


def faults(otel: Otel, calls: list[Call], version: str) -> list[str]:
    """All faults of all that was exported, each with its call."""
    by_span = {call.span_id: call for call in calls}
    wrong = []
    for span in otel.spans:
        call = by_span[f"{span.context.span_id:016x}"]
        wrong += [f"{call.id}: {fault}" for fault in span_faults(span, call, version)]
    for event in otel.events():
        call = by_span[f"{event.span_id or 0:016x}"]
        wrong += [f"{call.id}: {fault}" for fault in event_faults(event, call, version)]
    for name, points in otel.metrics().items():
        for point in points:
            wrong += metric_faults(name, point, version)
    return wrong


def asked(otel: Otel, folder: Path, version: Any, requests: list[tuple[str, bytes, Reply]]) -> list[Call]:
    """The calls that came of requests through a client that is wrapped."""
    driver = Driver("httpx2", asynchronous=False)
    calls: list[Call] = []

    async def scenario() -> None:
        client = rec.wrap(driver.client(driver.wire(*(reply for _, _, reply in requests))))
        for url, body, _ in requests:
            await driver.observe(client, body, url=url)

    with recording(otel, folder, semconv=version, content=True) as rec:
        rec._recording._observers = (*rec._recording._observers, lambda ended: calls.append(ended.call))
        driver.run(scenario)
        assert rec.flush(60)
    return calls


@pytest.mark.parametrize("version", ["1.41", "latest"])
def test_samples_conform(otel: Otel, tmp_path: Path, version: str) -> None:
    requests = [(URL, json.dumps(body).encode(), reply) for body, reply in SAMPLES]
    calls = asked(otel, tmp_path, version, requests)
    assert faults(otel, calls, version) == []
    assert len(otel.spans) == len(calls) == len(SAMPLES)
    assert len(otel.events()) == len(SAMPLES) + 1  # one was an exception as well


@pytest.mark.skipif(not CORPUS.is_dir(), reason="../shared/corpus is not beside this checkout")
@pytest.mark.parametrize(("version", "share"), [("1.41", 1), ("latest", 4)])
def test_corpus_conforms(otel: Otel, tmp_path: Path, corpus: Any, version: str, share: int) -> None:  # noqa: F811
    dice = random.Random(3)
    requests = [(each.url, each.request, each.reply(dice)) for each in corpus[::share]]
    calls = asked(otel, tmp_path, version, requests)
    assert faults(otel, calls, version) == []
    assert len(otel.spans) == len(calls) == len(requests)


def test_table_sees_what_is_wrong(otel: Otel, tmp_path: Path) -> None:
    calls = asked(otel, tmp_path, "latest", [(URL, b'{"model":"gpt-5","n":2}', completion(usage=USAGE))])
    span: Any = otel.span
    assert faults(otel, calls, "1.41")
    attributes = dict(span.attributes)
    for name, value in (("gen_ai.request.seed", "7"), ("gen_ai.usage.total", 1), ("error.type", "x")):
        span._attributes = {**attributes, name: value}
        assert list(span_faults(span, calls[0], "latest"))
    span._attributes = {name: value for name, value in attributes.items() if name != "server.port"}
    assert list(span_faults(span, calls[0], "latest"))
