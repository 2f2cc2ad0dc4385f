"""Calls written for other tools: spreadsheets, data frames, viewers of HTTP traffic; and HAR that others wrote."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.exchange import Request, ResponseHead
from recorder.interchange.calls_csv import harmless
from recorder.interchange.calls_export import export_calls
from recorder.ledger.selection import Selection
from recorder.ledger.store import Store
from recorder.ledger.views import CALL_COLUMNS

from .databases import execute
from .ledger_calls import ANSWER, BODY, START_US, a_call, an_exchange, store_calls
from .test_interchange_calls import exported, imported, nothing, whole


def rows_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_csv_has_the_columns_of_the_view_and_empty_cells_for_the_unknown(url: str) -> None:
    store_calls(url, a_call(user_id='a "quoted", one\nand more', tags={"feature": "search"}))
    (row,) = rows_of(exported(url, "csv"))
    (stored,) = Store(url).calls()
    assert list(row) == list(CALL_COLUMNS)
    assert row == {name: "" if stored[name] is None else str(stored[name]) for name in CALL_COLUMNS}


def test_csv_without_calls_is_its_line_of_names(url: str) -> None:
    store_calls(url, a_call())
    assert exported(url, "csv", since_us=START_US * 2) == (",".join(CALL_COLUMNS) + "\r\n").encode()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1"])
def test_no_cell_of_csv_is_a_formula(url: str, text: str) -> None:
    store_calls(url, a_call(user_id=text, session_id=f'"{text}'))
    (row,) = rows_of(exported(url, "csv"))
    assert (row["user_id"], row["session_id"]) == (f"'{text}", f'"{text}')


@given(st.integers() | st.floats(allow_nan=False) | st.none() | st.text(st.characters(categories=["L", "N"])))
@settings(deadline=None)
def test_numbers_and_plain_texts_stay_as_they_are_in_csv(value: Any) -> None:
    assert harmless(value) is value


def parquet(url: str, **options: Any) -> Any:
    reader = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    file = io.BytesIO()
    export_calls(Selection(url), "parquet", file, progress=nothing, **options)
    return reader.read_table(io.BytesIO(file.getvalue()))


def test_parquet_has_the_rows_of_the_view_in_their_types(url: str) -> None:
    store_calls(url, a_call(started_us=START_US), a_call(started_us=START_US + 1, http_status=None))
    execute(url, "UPDATE calls SET cost_pico = 200000000, currency = 'USD' WHERE seq = 1")
    table = parquet(url)
    stored = Store(url).calls(newest_first=False)
    assert table.to_pylist() == [{name: row[name] for name in CALL_COLUMNS} for row in stored]
    types = {
        name: str(table.schema.field(name).type)
        for name in ("started_at", "cost", "input_tokens", "model_id")
    }
    assert list(types.values()) == ["double", "double", "int64", "string"]


def test_parquet_without_calls_has_the_same_columns(url: str) -> None:
    store_calls(url, a_call())
    execute(url, "DELETE FROM payloads")
    execute(url, "DELETE FROM calls")
    assert parquet(url).schema.names == list(CALL_COLUMNS)


def test_parquet_has_payloads_where_they_are_asked_for(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.interchange.calls_parquet._GROUP_BYTES", 1)
    failed = an_exchange(head=None, chunks=(), arrivals_ns=())
    store_calls(url, a_call(started_us=START_US))
    store_calls(url, a_call(started_us=START_US + 1), exchange=failed)
    first, second = parquet(url, payloads=True).to_pylist()
    assert (first["request_body"], first["response_body"]) == (BODY, ANSWER)
    assert json.loads(first["response_headers"]) == [["Content-Type", "application/json"]]
    assert (second["url"], second["response_headers"], second["response_body"]) == (first["url"], None, None)


def har_of(url: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(exported(url, "har"))
    return found


def test_har_has_all_that_its_specification_demands(url: str) -> None:
    streamed = ResponseHead(200, ((b"Content-Type", b"text/event-stream"),), reason=b"OK", at_ns=2_000_000)
    query = Request("POST", "http://model.test/v1/chat/completions?a=1&b=", ((b"Host", b"h"),), BODY)
    chunks = (b"data: {}\n\n", b"data: [DONE]\n\n")
    store_calls(
        url, a_call(started_us=START_US), exchange=an_exchange(head=streamed, chunks=chunks, request=query)
    )
    store_calls(url, a_call(), exchange=an_exchange(head=None, chunks=(), arrivals_ns=()))
    log = har_of(url)["log"]
    assert (log["version"], sorted(log["creator"])) == ("1.2", ["name", "version"])
    first, failed = log["entries"]
    assert first["startedDateTime"] == "2025-11-21T23:00:00.000000+00:00"
    assert first["request"]["queryString"] == [{"name": "a", "value": "1"}, {"name": "b", "value": ""}]
    assert first["request"]["postData"] == {"mimeType": "x-unknown", "text": BODY.decode()}
    assert first["response"]["content"]["text"] == "data: {}\n\ndata: [DONE]\n\n"
    assert (first["response"]["statusText"], first["timings"]["wait"]) == ("OK", 2)
    assert failed["response"]["status"] == 0
    for entry in log["entries"]:
        assert_is_entry(entry)


def assert_is_entry(entry: dict[str, Any]) -> None:
    """The fields that HAR 1.2 makes mandatory, in their types; times add up."""
    assert {"startedDateTime", "time", "request", "response", "cache", "timings"} < entry.keys()
    both = {"httpVersion", "cookies", "headers", "headersSize", "bodySize"}
    assert {"method", "url", "queryString", *both} <= entry["request"].keys()
    assert {"status", "statusText", "content", "redirectURL", *both} <= entry["response"].keys()
    assert {"size", "mimeType"} <= entry["response"]["content"].keys()
    spent = [entry["timings"][name] for name in ("send", "wait", "receive")]
    assert min(spent) >= 0
    assert sum(spent) == pytest.approx(entry["time"])
    for header in (*entry["request"]["headers"], *entry["response"]["headers"]):
        assert {type(value) for value in header.values()} == {str}
        assert header.keys() == {"name", "value"}


def test_har_without_calls_is_valid(url: str) -> None:
    store_calls(url, a_call())
    assert json.loads(exported(url, "har", since_us=START_US * 2))["log"]["entries"] == []


def a_browser_saw(url: str = "https://api.openai.com/v1/chat/completions", **changes: Any) -> dict[str, Any]:
    answer = {
        "model": "gpt-4o-mini",
        "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1_000_000, "completion_tokens": 0},
    }
    return {
        "startedDateTime": "2025-03-01T12:00:00.250Z",
        "time": 480,
        "request": {
            "method": "POST",
            "url": url,
            "headers": [
                {"name": "Authorization", "value": "Bearer sk-proj-0123456789abcdefghijABCDEFGHIJ01"}
            ],
            "postData": {"mimeType": "application/json", "text": '{"model":"gpt-4o-mini","messages":[]}'},
        },
        "response": {
            "status": 200,
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": {"size": 9, "mimeType": "application/json", "text": json.dumps(answer)},
        },
        "timings": {"send": 1, "wait": 400, "receive": 79},
        **changes,
    }


def test_chat_completions_of_a_foreign_har_become_calls_at_their_own_time(url: str, tmp_path: Path) -> None:
    entries = [
        a_browser_saw(),
        a_browser_saw("https://example.test/logo.png"),
        a_browser_saw(),
        a_browser_saw(startedDateTime=None),
        {"request": {"method": "POST", "url": "https://h.test/chat/completions"}},
        "nonsense",
    ]
    data = json.dumps({"log": {"entries": entries}}).encode()
    done = imported(url, data, tmp_path / "browser.har")
    assert (done.imported, done.others, [each.place for each in done.skipped]) == (
        2,
        2,
        ["entry 4", "entry 5"],
    )
    assert "does not say when it was" in done.skipped[0].reason
    (row, exchange), (second, _) = whole(url)
    assert (row["started_us"], row["duration_us"]) == (1_740_830_400_250_000, 480_000)
    assert (row["response_model"], row["input_tokens"], row["replayed"]) == ("gpt-4o-mini", 1_000_000, 0)
    assert row["id"] != second["id"]
    assert row["cost_note"] or row["cost_pico"]
    assert exchange is not None
    assert dict(exchange.request.headers)[b"Authorization"] == b"Bearer REDACTED"
    again = imported(url, data, tmp_path / "browser.har")
    assert (again.imported, again.known) == (0, 2)


def test_a_har_of_other_make_is_priced_as_of_its_time(url: str, tmp_path: Path) -> None:
    """DeepSeek's chat model had another price before its discount hours ended."""
    body = {"mimeType": "application/json", "text": '{"model":"deepseek-chat","messages":[]}'}
    entries = []
    for moment in ("2025-03-01T12:00:00Z", "2025-03-01T18:00:00Z"):
        entry = a_browser_saw("https://api.deepseek.com/chat/completions", startedDateTime=moment)
        entry["request"]["postData"] = body
        text = entry["response"]["content"]["text"].replace("gpt-4o-mini", "deepseek-chat")
        entry["response"]["content"]["text"] = text
        entries.append(entry)
    imported(url, json.dumps({"log": {"entries": entries}}).encode(), tmp_path / "deepseek.har")
    day, night = [row["cost_pico"] for row, _ in whole(url)]
    assert day == 2 * night > 0
