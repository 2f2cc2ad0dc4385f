"""What recording promises around a call: nothing lost silently, no secret kept, one record a call."""

from __future__ import annotations

import gzip
import json
import logging
import sys
import threading
from contextvars import Context, copy_context
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import recorder
from recorder.attempt import Attempt
from recorder.beginning import Beginning
from recorder.ended import Ended
from recorder.exchange import Request
from recorder.ledger import Store
from recorder.recording import Recording
from recorder.settings import Settings
from recorder.telemetry import Telemetry, TelemetrySettings

from .drivers import URL, Driver, Reply
from .otel import Otel
from .test_transport import ANSWER, ASK, STREAM_HEADERS

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SECRET = "sk-proj-Ab3dEf6hIj9kLm2nOp5q"


@pytest.fixture
def lenient(tmp_path: Path, provider: TracerProvider) -> recorder.Recorder:
    url = f"sqlite:///{tmp_path}/calls.db"
    return recorder.Recorder(url, tracer_provider=provider, strict=False, journal=False)


def fail(*_: Any, **__: Any) -> Any:
    raise RuntimeError("bug")


@pytest.mark.parametrize(
    "where", [(Beginning, "attempt"), (Ended, "_read_rest"), (Telemetry, "end")], ids=str
)
def test_call_that_recorder_fails_to_record_is_counted_and_its_span_ends(
    driver: Driver,
    lenient: recorder.Recorder,
    spans: InMemorySpanExporter,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    where: tuple[type, str],
) -> None:
    monkeypatch.setattr(*where, fail)
    client = lenient.wrap(driver.client(driver.wire(Reply(chunks=[ANSWER]))))
    assert driver.run(lambda: driver.observe(client, ASK)).chunks == (ANSWER,)
    lost = where[0] is not Telemetry
    assert lenient.flush() is not lost
    assert lenient.flush()
    assert lenient.lost == lost
    assert lenient.close() is not lost
    assert len(spans.get_finished_spans()) == (where[0] is not Beginning)
    assert "bug" in caplog.text


@pytest.mark.parametrize(
    ("length", "include_usage", "told", "read"),
    [
        (10, False, "", False),
        (10, False, "spans", False),
        (10, False, "metrics", True),
        (10, True, "", True),
        (5_000, False, "", True),
    ],
)
def test_a_request_is_read_before_its_send_only_where_somebody_needs_it(
    provider: TracerProvider, otel: Otel, length: int, include_usage: bool, told: str, read: bool
) -> None:
    settings = {
        "": TelemetrySettings(),
        "spans": TelemetrySettings(tracer_provider=provider),
        "metrics": TelemetrySettings(tracer_provider=provider, meter_provider=otel.meters[0]),
    }
    recording = Recording(
        Settings(include_usage=include_usage), telemetry=lambda redactor: Telemetry(redactor, settings[told])
    )
    route = recording.route("POST", URL)
    assert route is not None
    body = {"model": "m-1", "messages": [{"role": "user", "content": "?" * length}]}
    attempt = recording.begin(Request("POST", URL, (), json.dumps(body).encode()), route)
    assert isinstance(attempt, Attempt)
    assert (attempt.half is not None) is read
    assert (attempt.traced is not None) is bool(told)
    attempt.capture.forget()


def test_each_failure_is_logged_once_for_its_place(
    lenient: recorder.Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "recorder"):
        for _ in range(3):
            with lenient._recording.guard:
                fail()
        with lenient._recording.guard:
            raise RuntimeError("another")
    assert len(caplog.records) == 2
    lenient.close()


def test_secret_in_a_request_marks_the_call_and_tags_are_clean(
    driver: Driver, rec: recorder.Recorder, records: Any, spans: InMemorySpanExporter
) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": f"my key is {SECRET}"}]}).encode()
    client = rec.wrap(driver.client(driver.wire(Reply(chunks=[ANSWER]))))
    with recorder.tags(note=f"key {SECRET}", user_id=SECRET, nested={"a": 1}):
        driver.run(lambda: driver.observe(client, body, headers={"authorization": f"Bearer {SECRET}"}))
    ((exchange, call),) = records
    assert exchange.redacted
    assert (call.tags["note"], call.user_id) == ("key REDACTED", "REDACTED")
    kept = repr((exchange, call)) + "".join(span.to_json() for span in spans.get_finished_spans())
    assert SECRET not in kept
    assert rec.close()
    assert SECRET.encode() not in Path(rec.store.removeprefix("sqlite:///")).read_bytes()


def test_authorization_alone_does_not_mark_the_call(
    driver: Driver, rec: recorder.Recorder, records: Any
) -> None:
    client = rec.wrap(driver.client(driver.wire(Reply(chunks=[ANSWER]))))
    driver.run(lambda: driver.observe(client, ASK, headers={"authorization": f"Bearer {SECRET}"}))
    ((exchange, _),) = records
    assert not exchange.redacted
    assert (b"authorization", b"Bearer REDACTED") in exchange.request.headers


def test_one_request_object_sent_by_many_threads_is_a_call_each(rec: recorder.Recorder, records: Any) -> None:
    driver = Driver("httpx2", asynchronous=False)
    gate = threading.Barrier(4)

    class Waiting(type(driver.wire())):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            gate.wait(10)
            return super().handle_request(request)

    client = rec.wrap(driver.client(Waiting(driver.library, [])))
    request = client.build_request("POST", URL, content=ASK)
    threads = [threading.Thread(target=client.send, args=(request,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(records) == 4


def test_replayed_call_is_replayed_for_every_recorder_that_sees_it(
    driver: Driver, rec: recorder.Recorder, records: Any, tmp_path: Path
) -> None:
    with recorder.Recorder(f"sqlite:///{tmp_path}/other.db", strict=True) as other:
        for mode in ("once", "none"):
            client = driver.client(driver.wire(Reply(chunks=[ANSWER])))
            with other.cassette("c", mode=mode) as cassette:
                rec.wrap(cassette.wrap(client))
                driver.run(partial(driver.observe, client, ASK))
    assert [call.replayed for _, call in records] == [False, True]


def test_closed_recorder_refuses_new_clients_and_its_cassette_still_answers(
    driver: Driver, rec: recorder.Recorder
) -> None:
    wire = driver.wire(Reply(chunks=[ANSWER]))
    client = rec.wrap(driver.client(wire))
    with rec.cassette("c", mode="once"):
        driver.run(lambda: driver.observe(client, ASK))
    with rec.cassette("c"):
        rec.close()
        assert driver.run(lambda: driver.observe(client, ASK)).chunks == (ANSWER,)
        with pytest.raises(recorder.CassetteMiss):
            driver.run(lambda: driver.observe(client, ASK))
    assert len(wire.requests) == 1
    for refused in (lambda: rec.wrap(driver.client()), lambda: rec.transport(wire), rec.install):
        with pytest.raises(recorder.RecorderError, match="is closed"):
            refused()


def test_store_stays_where_it_was_named(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with recorder.Recorder("sqlite:///calls.db", strict=True) as rec:
        client = rec.wrap(driver.client(driver.wire(Reply(chunks=[ANSWER]))))
        monkeypatch.chdir("elsewhere")
        with rec.cassette("c", mode="once"):
            driver.run(lambda: driver.observe(client, ASK))
        with rec.cassette("c"):
            driver.run(lambda: driver.observe(client, ASK))
    assert [path.name for path in tmp_path.glob("**/calls.db")] == ["calls.db"]
    assert (tmp_path / "calls.db").exists()


def test_other_paths_are_recorded_on_request(driver: Driver, tmp_path: Path) -> None:
    answer = b'{"object":"list","code":0,"message":"fine","usage":{"prompt_tokens":3,"total_tokens":3}}'
    store = f"sqlite:///{tmp_path}/calls.db"
    with recorder.Recorder(store, record_paths="/embeddings", strict=True) as rec:
        client = rec.wrap(driver.client(driver.wire(Reply(chunks=[answer]), Reply())))

        async def scenario() -> None:
            await driver.send(client, "POST", "https://api.openai.com/v1/embeddings", json={"model": "e"})
            await driver.send(client, "GET", "https://api.openai.com/v1/images")

        driver.run(scenario)
    (row,) = Store(store).calls()
    assert (row["operation"], row["request_model"], row["outcome"], row["input_tokens"]) == (
        "embeddings",
        "e",
        "ok",
        3,
    )


def split_secret(*paths: str) -> bytes:
    """A stream whose deltas spell the secret, each under all of these fields."""
    parts = (SECRET[:9], SECRET[9:17], SECRET[17:])
    deltas = [dict.fromkeys(paths, part) | {"reasoning_content": "hm"} for part in parts]
    events = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    return (
        b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + b"data: [DONE]\n\n"
    )


@pytest.mark.parametrize("field", ["content", "reasoning", "thinking", "refusal"])
def test_secret_that_deltas_split_is_kept_in_no_field(
    driver: Driver, rec: recorder.Recorder, records: Any, field: str
) -> None:
    reply = Reply(headers=STREAM_HEADERS, chunks=[split_secret(field)])
    driver.run(lambda: driver.observe(rec.wrap(driver.client(driver.wire(reply))), ASK))
    ((exchange, _),) = records
    events = [json.loads(line[6:]) for line in exchange.body.splitlines() if line.startswith(b"data: {")]
    assert "".join(event["choices"][0]["delta"][field] for event in events) == "REDACTED"
    assert exchange.redacted


def test_secret_that_deltas_split_is_kept_by_no_other_protocol(driver: Driver, tmp_path: Path) -> None:
    parts = (SECRET[:9], SECRET[9:17], SECRET[17:])
    events = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": p}} for p in parts
    ]
    stream = b"".join(b"event: x\ndata: " + json.dumps(event).encode() + b"\n\n" for event in events)
    store = f"sqlite:///{tmp_path}/calls.db"
    with recorder.Recorder(store, record_paths=["/messages"], strict=True) as rec:
        client = rec.wrap(driver.client(driver.wire(Reply(headers=STREAM_HEADERS, chunks=[stream]))))
        driver.run(lambda: driver.observe(client, b"{}", url="https://api.anthropic.com/v1/messages"))
    opened = Store(store)
    body = opened.exchange(opened.calls()[0]["id"]).body
    assert SECRET[17:].encode() not in body
    assert b"REDACTED" in body


def test_secret_in_a_body_that_cannot_be_decoded_is_kept_nowhere(
    driver: Driver, rec: recorder.Recorder, records: Any
) -> None:
    answer = ANSWER.replace(b"Hello", SECRET.encode())
    encoded = {
        "utf-8": answer,
        "gzip": gzip.compress(ANSWER) + b"\0\0 " + SECRET.encode(),
        "deflate": answer,
        "zstd": zstd.compress(answer[:40]) + b"\x50\x2a\x4d\x18\3\0\0\0abc" + zstd.compress(answer[40:]),
        "GZIP": gzip.compress(ANSWER) + b"j" + gzip.compress(answer),
    }
    for encoding, body in encoded.items():
        headers = (("content-type", "application/json"), ("content-encoding", encoding))
        driver.run(
            partial(
                driver.observe,
                rec.wrap(driver.client(driver.wire(Reply(headers=headers, chunks=[body])))),
                ASK,
            )
        )
    assert [call.outcome for _, call in records] == ["ok"] * 5
    assert all(exchange.redacted and SECRET.encode() not in exchange.body for exchange, _ in records)
    assert records[-1][0].body == ANSWER


def test_odd_values_cost_no_record(driver: Driver, rec: recorder.Recorder, records: Any, spans: Any) -> None:
    class Unprintable(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    error = Unprintable()
    body = b'{"model":"m","temperature":1' + b"0" * 400 + b',"seed":1e300,"max_tokens":99999999999999999999}'
    wire = driver.wire(Reply(chunks=[ANSWER]), Reply(error=error))

    async def scenario() -> None:
        client = rec.wrap(driver.client(wire))
        with recorder.tags(score=float("nan"), when=Path("x"), many=[1, {"a": None}]):
            await driver.observe(client, body)
        with pytest.raises(Unprintable) as caught:
            await driver.send(client, "POST", URL, content=ASK)
        assert caught.value is error

    driver.run(scenario)
    assert [call.outcome for _, call in records] == ["ok", "error"]
    assert records[0][1].tags == {"score": None, "when": "x", "many": [1, {"a": None}]}
    assert len(spans.get_finished_spans()) == 2
    assert rec.flush()


def test_odd_tag_costs_neither_the_call_nor_its_other_tags(
    driver: Driver, rec: recorder.Recorder, records: Any
) -> None:
    client = rec.wrap(driver.client(driver.wire(Reply())))
    with recorder.tags(huge=10**5000, keys={(1, 2): 3}, other="keep", session_id="s"):
        driver.run(lambda: driver.observe(client, ASK))
    ((_, call),) = records
    assert (call.session_id, call.tags) == ("s", {"huge": "<int>", "keys": "<dict>", "other": "keep"})
    assert rec.flush()
    assert rec.lost == 0


def test_call_that_no_observer_could_keep_is_counted(
    driver: Driver, lenient: recorder.Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lenient._recording, "_observers", (fail,))
    driver.run(lambda: driver.observe(lenient.wrap(driver.client(driver.wire(Reply()))), ASK))
    assert lenient.lost == 1
    assert not lenient.close()


def test_tags_are_those_of_the_call_whatever_becomes_of_them(
    driver: Driver, rec: recorder.Recorder, records: Any
) -> None:
    step = {"number": 1}
    client = rec.wrap(driver.client(driver.wire(Reply(), Reply())))
    with recorder.tags(step=step):
        driver.run(lambda: driver.observe(client, ASK))
        step["number"] = 2
        driver.run(lambda: driver.observe(client, ASK))
    assert [call.tags for _, call in records] == [{"step": {"number": 1}}, {"step": {"number": 2}}]


def test_two_recorders_on_one_store_record_a_call_once(driver: Driver, rec: recorder.Recorder) -> None:
    with recorder.Recorder(rec.store, strict=True) as other:
        client = other.wrap(rec.wrap(driver.client(driver.wire(Reply()))))
        driver.run(lambda: driver.observe(client, ASK))
    assert rec.flush()
    assert len(Store(rec.store).calls()) == 1


def test_cassette_that_only_replays_answers_also_below_one_that_records(
    driver: Driver, tmp_path: Path
) -> None:
    wire = driver.wire(Reply(chunks=[ANSWER]))
    with recorder.cassette(tmp_path / "inner.yaml", mode="once") as inner:
        driver.run(partial(driver.observe, inner.wrap(driver.client(wire)), ASK))
    with recorder.cassette(tmp_path / "inner.yaml") as inner:
        client = inner.wrap(driver.client(wire))
        with recorder.cassette(tmp_path / "outer.yaml", mode="all") as outer:
            outer.wrap(client)
            assert driver.run(partial(driver.observe, client, ASK)).chunks == (ANSWER,)
            with pytest.raises(recorder.CassetteMiss):
                driver.run(partial(driver.observe, client, ASK.replace(b"Hi", b"Ho")))
            assert outer.report.recorded == 1
    assert len(wire.requests) == 1


def test_requests_that_take_the_place_of_a_freed_one_are_recorded(
    rec: recorder.Recorder, records: Any
) -> None:
    """In a context that was copied while a request was being sent, as tasks that outlive it have."""
    driver = Driver("httpx2", asynchronous=False)
    contexts: list[Context] = []

    class Copying(type(driver.wire())):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            contexts.append(copy_context())
            return super().handle_request(request)

    client = rec.wrap(driver.client(Copying(driver.library, [])))
    client.post(URL, content=ASK)
    for _ in range(300):
        contexts[0].run(client.post, URL, content=ASK)
    assert len(records) == 301


def test_innermost_cassette_answers_though_others_were_closed_out_of_order(
    driver: Driver, rec: recorder.Recorder
) -> None:
    client = rec.wrap(driver.client(driver.wire(Reply())))
    for name in "abc":
        with rec.cassette(name, mode="once"):
            driver.run(partial(driver.observe, client, ASK))
    held = [rec.cassette(name) for name in "abc"]
    for each in held:
        each.__enter__()
    held[1].__exit__(None, None, None)
    driver.run(partial(driver.observe, client, ASK))
    assert held[2].report.hits == 1
    for each in (held[2], held[0]):
        each.__exit__(None, None, None)


def test_context_whose_cassette_has_ended_does_not_use_anothers(rec: recorder.Recorder) -> None:
    driver = Driver("httpx2", asynchronous=False)
    client = rec.wrap(driver.client(driver.wire(Reply())))
    for name in "ab":
        with rec.cassette(name, mode="once"):
            client.post(URL, content=ASK)
    with rec.cassette("a"):
        straggler = copy_context()
    with rec.cassette("b") as other:
        with pytest.raises(recorder.CassetteMiss, match="is closed"):
            straggler.run(client.post, URL, content=ASK)
        assert other.report.hits == 0


def test_transport_of_an_ended_cassette_refuses_also_when_its_recorder_is_closed(
    driver: Driver, rec: recorder.Recorder
) -> None:
    wire = driver.wire(Reply())
    with rec.cassette("c", mode="once") as cassette:
        client = driver.client(cassette.transport(wire))
    rec.close()
    with pytest.raises(recorder.CassetteMiss, match="is closed"):
        driver.run(lambda: driver.observe(client, ASK))
    assert wire.requests == []
