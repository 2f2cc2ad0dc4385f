"""`cassette.assert_spans` and the fixture `recorded_spans`: an application's tracing, tested from a cassette."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import recorder
from recorder.telemetry.span_check import span_problems

from .drivers import Driver, Reply
from .otel import Otel, completion, streamed
from .plugin_suite import Suite

pytest_plugins = ("pytester",)

URL = "https://api.openai.com/v1/chat/completions"
REPLIES = (completion(), streamed("Hel", "lo"), Reply(status=429, chunks=[b'{"error":{"code":"slow"}}']))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.yaml"


def play(driver: Driver, cassette: recorder.Cassette, *replies: Reply) -> None:
    async def scenario() -> None:
        client = cassette.wrap(driver.client(driver.wire(*replies)))
        for number in range(len(REPLIES)):
            body = {"model": "gpt-5", "messages": [], "temperature": number / 2, "stream": number == 1}
            await driver.send(client, "POST", URL, json=body)

    driver.run(scenario)


def test_recorded_and_replayed_calls_have_their_spans(driver: Driver, path: Path) -> None:
    for mode, replies in (("once", REPLIES), ("none", ())):
        otel = Otel()
        with recorder.cassette(path, mode=mode, tracer_provider=otel.tracers) as cassette:  # type: ignore[arg-type]
            play(driver, cassette, *replies)
            cassette.assert_spans(otel.spans_out)
        cassette.assert_spans(otel.spans)
        marks = [(span.attributes or {}).get("recorder.replayed") for span in otel.spans]
        assert marks == [None if mode == "once" else True] * 3


def test_what_differs_is_told(path: Path) -> None:
    driver = Driver("httpx2", asynchronous=False)
    otel = Otel()
    with recorder.cassette(path, mode="once", tracer_provider=otel.tracers) as cassette:
        play(driver, cassette, *REPLIES)
    spans = otel.spans
    first: Any = spans[0]
    first._attributes = {**dict(first.attributes or {}), "gen_ai.request.temperature": 0.7}
    with pytest.raises(AssertionError, match=r"temperature: recorded 0.0, span 0.7"):
        cassette.assert_spans(spans)
    with pytest.raises(AssertionError, match="3 calls, but 2 spans"):
        cassette.assert_spans(spans[1:])


def test_spans_of_others_are_compared_as_far_as_they_go(path: Path) -> None:
    driver = Driver("httpx2", asynchronous=False)
    otel = Otel()
    with recorder.cassette(path, mode="once") as cassette:
        play(driver, cassette, *REPLIES)
    tracer = otel.tracers.get_tracer("theirs")
    for status in (200, 200, 429):
        attributes = {"gen_ai.operation.name": "chat", "http.response.status_code": status}
        tracer.start_span("theirs", attributes=attributes).end()
    cassette.assert_spans(otel.spans_out)
    tracer.start_span("other").end()
    cassette.assert_spans(otel.spans_out)


def test_cassette_without_calls_needs_no_spans() -> None:
    assert span_problems([], 0, []) == []


def test_cassette_that_was_not_used_cannot_be_asked(path: Path) -> None:
    with pytest.raises(recorder.CassetteError, match="not in use"):
        recorder.cassette(path).assert_spans([])


def test_fixture_keeps_the_spans_of_the_test_s_cassette(suite: Suite) -> None:
    suite.write(
        """
        def test_one(recorded, recorded_spans, ask):
            ask("Hi")
            recorded.assert_spans(recorded_spans)
            assert len(recorded_spans.get_finished_spans()) == 1
        """
    )
    suite.run("--recorder-mode=once").assert_outcomes(passed=1)
    suite.run().assert_outcomes(passed=1)
