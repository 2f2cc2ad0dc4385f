"""Recorders that store less: no content, a sample of it, or nothing for a while."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import recorder
from recorder.bare import bare_call, bare_exchange, bare_request
from recorder.call import AnswerHalf, Call, CallError
from recorder.dialects import dialect_named
from recorder.errors import CassetteError, SettingsError, StoreError
from recorder.ledger import Store
from recorder.ledger.journal.draining import Draining
from recorder.ledger.journal.entries import End, decode, frame_of
from recorder.ledger.journal.frames import HEAD_BYTES
from recorder.ledger.rows import call_row
from recorder.sampling import Sampling, content_of
from recorder.settings import Settings

from .ledger_calls import a_call, an_exchange

SAID = "Ottilie-lives-in-Weimar"
URL = "http://model.test/v1/chat/completions"
USAGE = {"prompt_tokens": 12, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 8}}


def answer(request: httpx.Request) -> httpx.Response:
    """What a gateway answers: a stream, an error that quotes the prompt, or JSON."""
    asked = json.loads(request.content)
    headers = {"X-Said": SAID, "x-litellm-response-cost": "0.25"}
    if asked["model"] == "strict":
        error = {"message": f"cannot say {SAID}", "code": "refused"}
        return httpx.Response(400, json={"error": error}, headers=headers)
    said = {"role": "assistant", "content": SAID, "reasoning_content": SAID}
    if asked.get("stream"):
        events = [
            {"id": "r-1", "model": "small-1", "choices": [{"index": 0, "delta": said}]},
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": USAGE},
        ]
        body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
        stream = {"content-type": "text/event-stream", **headers}
        return httpx.Response(200, content=body + b"data: [DONE]\n\n", headers=stream)
    choices = [{"index": 0, "message": said, "finish_reason": "stop"}]
    whole = {"id": "r-1", "model": "small-1", "choices": choices, "usage": USAGE}
    return httpx.Response(200, json=whole, headers=headers)


def ask(client: httpx.Client, model: str = "small", **more: Any) -> httpx.Response:
    messages = [{"role": "user", "content": SAID}]
    return client.post(
        URL,
        json={"model": model, "messages": messages, "user": "u-7", **more},
        headers={"X-Secret-Plan": SAID, "id": "gateway-1", "x-stainless-retry-count": "1"},
    )


@pytest.fixture
def make(url: str, tmp_path: Path) -> Iterator[Callable[..., tuple[recorder.Recorder, httpx.Client]]]:
    """Makes a recorder on a store of either kind, with a journal, and a client of its."""
    made: list[tuple[recorder.Recorder, httpx.Client]] = []

    def make(**options: Any) -> tuple[recorder.Recorder, httpx.Client]:
        rec = recorder.Recorder(url, **{"journal": tmp_path / "journal", "strict": True, **options})
        made.append((rec, httpx.Client(transport=rec.transport(httpx.MockTransport(answer)))))
        return made[-1]

    yield make
    for rec, client in made:
        client.close()
        rec.close()


Make = Callable[..., tuple[recorder.Recorder, httpx.Client]]


def rows(rec: recorder.Recorder) -> list[dict[str, Any]]:
    """What is stored, oldest first, in full."""
    assert rec.flush(30.0)
    store = Store(rec.store)
    return [store.call(call["id"]) for call in store.calls(limit=None, newest_first=False)]


def stripped(row: dict[str, Any]) -> dict[str, Any]:
    """What two recordings of the same call share."""
    times = ("started_at", "started_us")
    differing = ("seq", "id", "operation_id", *times, "error_message", "trace_id", "span_id")
    return {name: value for name, value in row.items() if name not in differing and not name.endswith("_s")}


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("journal", [True, False], ids=["journal", "memory"])
def test_without_content_rows_have_all_numbers(make: Make, tmp_path: Path, journal: bool) -> None:
    place = {} if journal else {"journal": False}
    for rec, client in (make(), make(store_content=False, **place)):
        ask(client)
        ask(client, stream=True)
        ask(client, "strict")
        found = rows(rec)
    assert [stripped(row) for row in found[:3]] == [stripped(row) for row in found[3:]]
    assert [row["first_token_s"] is None for row in found[3:]] == [True, False, True]
    assert [row["cost"] for row in found[3:]] == [0.25, 0.25, found[2]["cost"]]
    assert [row["attempt"] for row in found[3:]] == [2, 2, 2]
    for row in found[3:]:
        assert SAID not in json.dumps(row)
        with pytest.raises(StoreError, match=r"content of call .* was not stored: .*store_content=False"):
            Store(rec.store).exchange(row["id"])
    assert Store(rec.store).check() == []


def test_without_content_nothing_of_it_is_written_anywhere(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    url = f"sqlite:///{tmp_path}/store/calls.db"
    rec = recorder.Recorder(url, store_content=False, drain="external", strict=True)
    with httpx.Client(transport=rec.transport(httpx.MockTransport(answer))) as client:
        ask(client)
        ask(client, "strict", stream=True)
    rec.close()
    written = files(tmp_path)
    assert b"small" in written
    assert SAID.encode() not in written
    draining = Draining(url, tmp_path / "store" / "calls.db.journal")
    assert draining.run(30.0)
    draining.close()
    found = [Store(url).call(call["id"]) for call in Store(url).calls(newest_first=False)]
    assert [(row["outcome"], row["model_id"], row["user_id"]) for row in found] == [
        ("ok", "gateway-1", "u-7"),
        ("error", "gateway-1", "u-7"),
    ]
    assert (found[0]["input_tokens"], found[0]["cached_tokens"], found[0]["cost"]) == (12, 8, 0.25)
    assert SAID.encode() not in files(tmp_path)


@pytest.mark.parametrize("more", [{}, {"n": "n" * 5000}], ids=["read before", "long"])
def test_without_content_a_call_is_written_down_without_secrets(tmp_path: Path, more: Any) -> None:
    key = "sk-proj-" + "a1B2" * 12
    url = f"sqlite:///{tmp_path}/calls.db"
    options: Any = {"store_content": False, "include_usage": not more, "drain": "external", "strict": True}
    with recorder.Recorder(url, **options) as rec:
        client = httpx.Client(transport=rec.transport(httpx.MockTransport(answer)))
        ask(client, f"small {key}", **{"user": key, **more})
    written = files(tmp_path)
    assert b"small" in written
    assert key.encode() not in written


def test_a_bare_request_is_read_as_the_same_model_and_attempt() -> None:
    dialect = dialect_named("chat")
    body = json.dumps({"model": "m", "stream": True, "user": "u", "messages": [{"content": SAID}], "n": 3})
    headers = ((b"ID", b"g-1"), (b"X-Stainless-Retry-Count", b"2"), (b"Cookie", SAID.encode()))
    request = an_exchange(body.encode()).request
    request = type(request)(request.method, f"{request.url}?q={SAID}", headers, request.body)
    half = dialect.read_request(request, "corp")
    bare = bare_request(request, half, dialect.significant_headers)
    again = dialect.read_request(bare, "corp")
    assert SAID not in str(bare)
    for name in ("model", "stream", "user_id", "model_id", "attempt", "operation", "host", "notes"):
        assert getattr(again, name) == getattr(half, name)


@given(st.text(max_size=20), st.sampled_from(["ok", "error", "incomplete"]))
def test_a_bare_call_has_the_same_row_and_can_be_written_down(said: str, outcome: Any) -> None:
    error = CallError("refused", said) if outcome == "error" else None
    base = a_call()
    call = a_call(outcome=outcome, error=error, answer=AnswerHalf(error=error, usage=base.answer.usage))
    bare = bare_call(call)
    row, bare_row = call_row(call, an_exchange()), call_row(bare, bare_exchange(an_exchange()))
    assert row | {"error_message": None} == bare_row | {"error_message": None}
    assert bare_call(bare) == bare
    assert not bare_row["error_message"]


def test_a_cassette_is_not_recorded_without_content(make: Make) -> None:
    rec, client = make()
    with rec.cassette("kept", "once"):
        ask(client)
    bare, bare_client = make(store_content=False)
    for mode in ("once", "new_episodes", "all", "rewrite"):
        with pytest.raises(CassetteError, match=r"cannot be recorded .* store_content=False"):
            bare.cassette("new", mode).__enter__()
    for mode in ("none", "once"):
        with bare.cassette("kept", mode):  # type: ignore[arg-type]  # one of the modes
            assert SAID in ask(bare_client).text
    assert [row["replayed"] for row in rows(bare)] == [0, 1, 1]


def test_a_share_of_payloads_is_kept_and_every_row(make: Make) -> None:
    rec, client = make(sample_payloads=0.5)
    for _ in range(60):
        ask(client)
    found = rows(rec)
    kept = [row["id"] for row in found if not missing(rec, row["id"])]
    assert len(found) == 60
    assert 10 < len(kept) < 50
    dropped = next(row["id"] for row in found if row["id"] not in kept)
    assert "keeps a sample of payloads" in missing(rec, dropped)
    assert Store(rec.store).check() == []


def missing(rec: recorder.Recorder, id: str) -> str:
    try:
        Store(rec.store).exchange(id)
    except StoreError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("keep_errors", "kept"), [(True, [False, True]), (False, [False, False])])
def test_errors_keep_their_payload_unless_told_otherwise(
    make: Make, keep_errors: bool, kept: list[bool]
) -> None:
    rec, client = make(sample_payloads=0, keep_error_payloads=keep_errors)
    ask(client)
    ask(client, "strict")
    assert [not missing(rec, row["id"]) for row in rows(rec)] == kept


def test_a_function_chooses_by_the_call(make: Make) -> None:
    rec, client = make(sample_payloads=lambda call: call.request.stream)
    ask(client)
    ask(client, stream=True)
    assert [not missing(rec, row["id"]) for row in rows(rec)] == [False, True]


def test_a_function_that_fails_costs_no_payload(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    rec, client = make(sample_payloads=lambda call: 1 / 0, strict=False)
    ask(client)
    assert [missing(rec, row["id"]) for row in rows(rec)] == [""]
    assert "ZeroDivisionError" in caplog.text


def test_a_cassette_keeps_all_that_it_records(make: Make) -> None:
    rec, client = make(sample_payloads=0.0)
    with rec.cassette("kept", "once"):
        ask(client)
    assert len(Store(rec.store).cassette("kept").load() or ()) == 1


@pytest.mark.parametrize("share", [-0.1, 1.5, True, "0.5"])
def test_what_is_no_share_is_refused(sqlite_url: str, share: Any) -> None:
    with pytest.raises((SettingsError, TypeError)):
        recorder.Recorder(sqlite_url, sample_payloads=share)


@given(st.integers(0, 2**128 - 1), st.floats(0, 1), st.floats(0, 1))
def test_attempts_of_one_operation_go_together(operation: int, share: float, other: float) -> None:
    def rule(share: float) -> str:
        return Sampling(Settings(sample_payloads=share)).rule(operation, a_call)

    assert rule(share) == rule(share)
    if rule(min(share, other)) == "kept":
        assert rule(max(share, other)) == "kept"
    assert Sampling(Settings()).everything
    assert rule(0.0) == "errors"


@given(st.sampled_from(["ok", "error", "incomplete", "cancelled", "interrupted"]))
def test_only_what_went_well_is_left_out_by_chance(outcome: Any) -> None:
    call: Call = a_call(outcome=outcome)
    assert content_of("errors", call) == ("sampled out" if outcome == "ok" else "kept")
    assert content_of("sampled out", call) == "sampled out"
    assert content_of("kept", call) == "kept"


def test_a_pause_leaves_no_trace(
    make: Make, tmp_path: Path, provider: TracerProvider, spans: InMemorySpanExporter
) -> None:
    _, client = make(tracer_provider=provider, drain="external")
    with recorder.pause():
        assert SAID in ask(client).text
        assert SAID in ask(client, stream=True).text
    assert SAID.encode() not in files(tmp_path / "journal")
    assert spans.get_finished_spans() == ()
    ask(client)
    assert SAID.encode() in files(tmp_path / "journal")
    assert len(spans.get_finished_spans()) == 1


def test_a_pause_ends_where_it_began(make: Make) -> None:
    rec, client = make()
    with recorder.pause():
        with recorder.pause():
            ask(client)
        ask(client)
        thread = threading.Thread(target=ask, args=(client,))
        thread.start()
        thread.join()
    with pytest.raises(KeyError), recorder.pause():
        raise KeyError
    ask(client)
    assert len(rows(rec)) == 2


def test_a_pause_follows_tasks(make: Make) -> None:
    rec, _ = make()

    async def main() -> None:
        async with httpx.AsyncClient(transport=rec.transport(httpx.MockTransport(answer))) as client:

            async def send() -> None:
                await client.post(URL, json={"model": "small", "messages": []})

            with recorder.pause():
                async with asyncio.TaskGroup() as tasks:
                    for _ in range(3):
                        tasks.create_task(send())
            await send()

    asyncio.run(main())
    assert len(rows(rec)) == 1


def test_a_stream_begun_in_a_pause_stays_unrecorded_and_one_begun_before_does_not(make: Make) -> None:
    rec, client = make()
    asked = {"model": "small", "stream": True, "messages": []}
    with recorder.pause():
        inside = client.send(client.build_request("POST", URL, json=asked), stream=True)
    inside.read()
    before = client.send(client.build_request("POST", URL, json=asked), stream=True)
    with recorder.pause():
        before.read()
    (row,) = rows(rec)
    assert row["outcome"] == "ok"


def test_in_a_pause_a_cassette_answers_and_records_nothing(make: Make) -> None:
    rec, client = make()
    with rec.cassette("kept", "once"):
        ask(client)
        with recorder.pause():
            ask(client, "other")
    assert len(Store(rec.store).cassette("kept").load() or ()) == 1
    with rec.cassette("kept") as cassette, recorder.pause():
        assert SAID in ask(client).text
        with pytest.raises(recorder.CassetteMiss):
            ask(client, "other")
        assert (cassette.report.hits, len(cassette.report.misses)) == (1, 1)
    assert [row["replayed"] for row in rows(rec)] == [0]


def test_what_the_journal_says_of_a_bare_call_can_be_read() -> None:
    call, exchange = bare_call(a_call(tags={"a": [1, None]})), bare_exchange(an_exchange())
    end = End(
        b"1" * 16, exchange.ending, exchange.head, (), (), False, False, False, None, "not stored", call
    )
    assert decode(frame_of(end)[HEAD_BYTES:]) == end
