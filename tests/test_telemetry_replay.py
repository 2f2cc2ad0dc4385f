"""Replayed calls: no spans unless they are asked for, and nothing in them that was counted already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import recorder
from recorder.ledger import Store

from .drivers import Driver
from .otel import Otel, completion, recording, streamed

URL = "https://api.openai.com/v1/chat/completions"
BODY = {"model": "gpt-5", "messages": [], "temperature": 0.5}
TIMES = ("gen_ai.response.time_to_first_chunk",)


def record_and_replay(driver: Driver, rec: recorder.Recorder, reply: Any, **body: Any) -> None:
    async def scenario() -> None:
        client = rec.wrap(driver.client(driver.wire(reply)))
        for mode in ("once", "none"):
            with rec.cassette("calls", mode=mode):
                response = await driver.send(client, "POST", URL, json={**BODY, **body})
                assert response.status_code == 200

    driver.run(scenario)
    assert rec.flush()


def test_replayed_calls_are_neither_traced_nor_counted(driver: Driver, otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path, content=True) as rec:
        record_and_replay(driver, rec, completion())
        assert [row["replayed"] for row in Store(rec.store).calls()] == [1, 0]
    assert len(otel.spans) == len(otel.events()) == 1
    assert otel.metrics()["gen_ai.client.operation.duration"][0].count == 1


def test_replay_spans_say_so_and_have_no_usage(driver: Driver, otel: Otel, tmp_path: Path) -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 8}
    with recording(
        otel, tmp_path, replay_spans=True, content="SPAN_ONLY", cost_attribute="gen_ai.usage.cost"
    ) as rec:
        record_and_replay(driver, rec, streamed("Hel", "lo", usage=usage), stream=True)
        rows = Store(rec.store).calls()
    live, replayed = (dict(span.attributes or {}) for span in otel.spans)
    assert replayed.pop("recorder.replayed") is True
    assert {row["span_id"] for row in rows} == {f"{span.context.span_id:016x}" for span in otel.spans}
    own = ("recorder.operation_id", *TIMES)
    same = {name: value for name, value in live.items() if "usage" not in name and name not in own}
    assert {name: value for name, value in replayed.items() if name not in own} == same
    assert live["gen_ai.usage.input_tokens"] == 10
    assert otel.metrics()["gen_ai.client.token.usage"][0].count == 1


def test_span_above_somebody_else_s_cassette_says_that_it_was_replayed(
    driver: Driver, otel: Otel, tmp_path: Path
) -> None:
    """Whether a cassette further down answers is known only when it does."""
    path = tmp_path / "calls.yaml"

    async def scenario() -> None:
        for mode in ("once", "none"):
            with recorder.cassette(path, mode=mode) as cassette:
                client = cassette.wrap(driver.client(driver.wire(completion())))
                if mode == "none":
                    rec.wrap(client)
                await driver.send(client, "POST", URL, json=BODY)

    with recording(otel, tmp_path) as rec:
        driver.run(scenario)
        assert rec.flush()
    assert otel.attributes["recorder.replayed"] is True
    assert not [name for name in otel.attributes if "usage" in name]
    assert otel.metrics() == {}
