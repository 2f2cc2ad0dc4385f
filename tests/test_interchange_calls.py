"""Calls carried from one store into another: equal in everything, whatever they hold."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recorder.exchange import Ending, Exchange, Request, ResponseHead
from recorder.interchange import calls_jsonl
from recorder.interchange.call_fields import read_call
from recorder.interchange.calls_export import Exported, Kind, export_calls, kind_of
from recorder.interchange.calls_har import read_har, with_bodies
from recorder.interchange.calls_import import CallImport, ImportedCalls
from recorder.interchange.har_writing import entry
from recorder.interchange.meaning import read_ended
from recorder.interchange.redaction import without_secrets
from recorder.ledger.copies import CallCopy
from recorder.ledger.rows import call_row
from recorder.ledger.selection import Selection
from recorder.ledger.sink import Sink
from recorder.ledger.store import Store
from recorder.redact import Redactor
from recorder.settings import RedactionRules

from .conftest import CORPUS
from .databases import execute
from .ledger_calls import START_US, Read, a_call, an_exchange, store_calls
from .test_corpus_dialect import exchange_of, records

SECRET = b"sk-proj-0123456789abcdefghijABCDEFGHIJ0123456789"


def nothing(*_: object) -> None:
    """Nobody watches."""


def exported(url: str, kind: Kind = "jsonl", **filters: Any) -> bytes:
    file = io.BytesIO()
    export_calls(Selection(url, **filters), kind, file, progress=nothing)
    return file.getvalue()


def imported(url: str, data: bytes, path: Path | None = None, **options: Any) -> ImportedCalls:
    """What comes of importing a file's bytes: as JSONL, or as a HAR that is written to a path first."""
    run = CallImport(url, **options)
    if path is None:
        run.add(calls_jsonl.read_lines(io.BytesIO(data), "calls.jsonl"), nothing)
    else:
        path.write_bytes(data)
        run.add(read_har(path)[1], nothing)
    return run.done


def whole(url: str) -> list[tuple[dict[str, Any], Exchange | None]]:
    """All that a store has of its calls."""
    return [(copy.row, copy.exchange) for _, copy in Selection(url).exchanges()]


@pytest.fixture
def other(tmp_path: Path) -> str:
    """A second store."""
    return f"sqlite:///{tmp_path}/other.db"


@pytest.fixture(params=["jsonl", "har"])
def carry(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str, str], ImportedCalls]:
    """Exports all calls of a store and imports them into another, by either format."""
    path = tmp_path / "calls.har" if request.param == "har" else None
    return lambda url, to: imported(to, exported(url, request.param), path)


def odd_calls(url: str) -> None:
    """Calls of many kinds, with costs, failures, bytes that are no text, and chunks cut in characters."""
    streamed = tuple("data: {}\n\ndé".encode()[start : start + 3] for start in range(0, 14, 3))
    store_calls(
        url,
        a_call(tags={"feature": "search", "n": 1.50, "nested": {"b": [1, None, "é"]}}, user_id="u-7"),
        a_call(started_us=START_US - 5, outcome="error", cassette="left", trace_id="ab" * 16),
        exchange=an_exchange(chunks=streamed, usage_asked=True),
    )
    failed = an_exchange(
        request=Request("POST", "http://h.test/\udc80?q=1", ((b"X-\xff", b"\x00\xe9"),), b"\x1f\x8b\xff\x00"),
        head=None,
        chunks=(),
        arrivals_ns=(),
        ending=Ending("error", 7, "request", "httpx2.ReadTimeout", "timed \ud800 out\x00"),
    )
    store_calls(url, a_call(http_status=None), exchange=failed)
    packed = gzip.compress(b'{"choices":[]}', mtime=0)
    head = ResponseHead(
        200, ((b"Content-Encoding", b"gzip"), (b"Content-Type", b"text/plain")), b"HTTP/2", None, 3
    )
    store_calls(url, a_call(), exchange=an_exchange(chunks=(packed[:9], b"", packed[9:]), head=head))
    odd = ResponseHead(500, ((b"Content-Type", b"text/plain; charset=latin-1"),), reason=b"\xe9h bien")
    store_calls(url, a_call(), exchange=an_exchange(chunks=("é\u2028".encode(), b"\xff"), head=odd))
    execute(
        url,
        "UPDATE calls SET cost_pico = 123456789012345678, currency = 'EUR', price_id = 'p-1' WHERE seq = 1",
    )
    execute(url, "UPDATE calls SET cost_note = 'no price', cost_source = 'none' WHERE seq = 2")


def test_calls_are_equal_after_export_and_import(
    url: str, other: str, carry: Callable[[str, str], ImportedCalls]
) -> None:
    odd_calls(url)
    done = carry(url, other)
    assert (done.imported, done.skipped, done.redacted) == (5, [], 0)
    assert whole(other) == whole(url)
    assert [row["id"] for row in Store(other).calls()] == [row["id"] for row in Store(url).calls()]


def test_calls_come_into_either_database(url: str, other: str) -> None:
    odd_calls(other)
    assert imported(url, exported(other)).imported == 5
    assert whole(url) == whole(other)
    assert exported(url) == exported(other)


def test_importing_again_changes_nothing(url: str, carry: Callable[[str, str], ImportedCalls]) -> None:
    odd_calls(url)
    before = whole(url)
    done = carry(url, url)
    assert (done.imported, done.known, done.skipped) == (0, 5, [])
    assert whole(url) == before


def test_the_same_line_twice_is_one_call(url: str, other: str) -> None:
    store_calls(url, a_call())
    done = imported(other, exported(url) * 3)
    assert (done.imported, done.known) == (1, 2)
    assert len(Store(other).calls()) == 1


def test_a_dry_run_counts_and_writes_nothing(url: str, other: str, tmp_path: Path) -> None:
    store_calls(url, a_call(), a_call())
    done = imported(other, exported(url) * 2, dry_run=True)
    assert (done.imported, done.known) == (2, 2)
    assert not (tmp_path / "other.db").exists()


def test_a_call_without_its_payload_keeps_its_row(url: str, other: str) -> None:
    store_calls(url, a_call(), a_call())
    execute(url, "DELETE FROM payloads WHERE call_id = (SELECT id FROM calls WHERE seq = 1)")
    file = io.BytesIO()
    done = export_calls(Selection(url), "jsonl", file, progress=nothing)
    assert (done.calls, done.without_payload, done.damaged) == (2, 1, {})
    imported(other, file.getvalue())
    (bare, exchange), same = whole(other)
    assert (bare["content"], exchange) == ("not copied", None)
    assert [({**bare, "content": "kept"}, None), same] == whole(url)
    assert Store(other).check() == []


def test_a_damaged_payload_is_told_and_the_row_goes_on(url: str) -> None:
    call = a_call()
    store_calls(url, call, a_call())
    execute(url, "UPDATE payloads SET record = ? WHERE call_id = ?", b"\xff", call.id)
    done = export_calls(Selection(url), "har", io.BytesIO(), progress=nothing)
    assert isinstance(done, Exported)
    assert (done.calls, list(done.damaged)) == (2, [call.id])


def bad_lines(good: bytes) -> list[bytes]:
    """Lines that are no calls, each wrong in a way of its own."""
    changes = (
        (b'"tags":{}', b'"tags":5'),
        (b'"tags":{}', b'"tags":{"a":"\\u0000"}'),
        (b'"recorder_call":1', b'"recorder_call":9'),
        (b'"outcome":"ok",', b""),
        (b'"outcome":"ok"', b'"outcome":"good"'),
        (b'"provider":"corp"', b'"provider":"%s"' % (b"x" * 501)),
        (b'"chunks":[', b'"chunks":[1,'),
    )
    changed = [good.replace(part, other) for part, other in changes]
    return [*changed, b"{\n", b"\xff\n", b'{"id":1}\n', b"[" * 100_000 + b"\n"]


BAD_BECAUSE = (
    "no JSON",
    "no `recorder_call`",
    "version 9",
    "`outcome`",
    "'good'",
    "500",
    "chunks have",
    "tags is no JSON object",
    "no database takes",
)


def test_a_bad_line_is_told_by_its_number_and_the_rest_goes_on(url: str, other: str) -> None:
    store_calls(url, *(a_call() for _ in range(3)))
    lines = exported(url).splitlines(keepends=True)
    bad = bad_lines(lines[0])
    done = imported(other, b"\n".join([b"".join(bad), b"".join(lines).rstrip()]))
    assert done.imported == 3
    assert [skipped.place for skipped in done.skipped] == [f"line {number}" for number in range(1, 12)]
    reasons = "\n".join(skipped.reason for skipped in done.skipped)
    for words in BAD_BECAUSE:
        assert words in reasons


def test_a_line_without_end_does_not_fill_the_memory(url: str, other: str) -> None:
    store_calls(url, a_call())
    data = b"x" * 10_000 + b"\n" + exported(url)
    found = list(calls_jsonl.read_lines(io.BytesIO(data), "f", longest=4_000))
    assert str(found[0]) == "f, line 1: it is longer than 4000 bytes"
    assert len(found) == 2


def test_secrets_are_taken_out_before_anything_is_stored(url: str, other: str, tmp_path: Path) -> None:
    store_calls(url, a_call(), exchange=an_exchange(body=b'{"model":"m","user":"%s"}' % SECRET))
    execute(url, "UPDATE calls SET error_message = ?", f"no such key: {SECRET.decode()}")
    lines = exported(url)
    har = exported(url, "har")
    assert SECRET in lines
    for data, path in ((lines, None), (har, tmp_path / "calls.har")):
        store = f"{other}{path is None}"
        assert imported(store, data, path).redacted == 1
        ((row, exchange),) = whole(store)
        assert row["redacted"] == 1
        assert SECRET not in exported(store)
        assert exchange is not None
        assert b"REDACTED" in exchange.request.body


def test_what_is_clean_stays_as_it_is(url: str, other: str) -> None:
    """Redaction has run when a call was stored: a second time it finds nothing."""
    redactor = Redactor(RedactionRules())
    body = b'{"model":"m","messages":[{"role":"user","content":"%s"}],"api_key":"%s"}' % (SECRET, SECRET)
    headers = ((b"Authorization", b"Bearer " + SECRET), (b"Cookie", b"session=" + SECRET))
    ended = read_ended(
        an_exchange(request=Request("POST", "https://u:p@h.test/v1/chat/completions?key=abc", headers, body)),
        1,
        redactor,
    )
    store_calls(url, ended.call, exchange=ended.exchange)
    done = imported(other, exported(url))
    assert (done.imported, done.redacted) == (1, 0)
    assert exported(other) == exported(url)


_BYTES = st.binary(max_size=60) | st.text(max_size=30).map(lambda text: text.encode("utf-8", "surrogatepass"))
_TEXT = st.text(st.characters(), max_size=20)
_PAIRS = st.lists(st.tuples(_BYTES, _BYTES), max_size=3).map(tuple)
_LONG = st.integers(-(2**40), 2**62)


@st.composite
def exchanges(draw: st.DrawFn) -> Exchange:
    chunks = tuple(draw(st.lists(_BYTES, max_size=5)))
    head = st.builds(ResponseHead, st.integers(100, 999), _PAIRS, _BYTES, st.none() | _BYTES, _LONG)
    kinds = st.sampled_from(["complete", "closed_early", "abandoned", "error", "cancelled"])
    phases = st.sampled_from([None, "request", "response"])
    return Exchange(
        Request(draw(_TEXT), draw(_TEXT), draw(_PAIRS), draw(_BYTES)),
        draw(_LONG),
        draw(st.builds(Ending, kinds, _LONG, phases, st.none() | _TEXT, st.none() | _TEXT)),
        draw(st.none() | head),
        chunks,
        tuple(draw(st.lists(_LONG, min_size=len(chunks), max_size=len(chunks)))),
        draw(st.booleans()),
        draw(st.booleans()),
    )


@given(exchange=exchanges())
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_any_exchange_is_read_as_it_was_written(exchange: Exchange) -> None:
    copy = CallCopy(call_row(a_call(), an_exchange()), exchange)
    (read,) = calls_jsonl.read_lines(io.BytesIO(calls_jsonl.write_line(copy)), "f")
    assert read == copy
    written = json.loads(msgspec.json.encode(entry(copy)))
    assert read_call(json.dumps(with_bodies(written["_recorder"], written)).encode()) == copy


@given(exchange=exchanges())
@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
def test_any_call_is_stored_as_it_was_exported(sqlite_url: str, other: str, exchange: Exchange) -> None:
    call, clean = a_call(), without_secrets(exchange, Redactor(RedactionRules()))
    store_calls(sqlite_url, call, exchange=clean)
    done = imported(other, exported(sqlite_url, where={"id": call.id}))
    assert (done.imported, done.skipped, done.redacted) == (1, [], 0)
    assert Store(other).exchange(call.id) == clean


def test_filters_and_limit_choose_what_is_exported(url: str) -> None:
    stored = [
        a_call(started_us=START_US + number, outcome="error" if number % 2 else "ok") for number in range(6)
    ]
    store_calls(url, *stored)

    def ids(**filters: Any) -> list[str]:
        return [json.loads(line)["call"]["id"] for line in exported(url, **filters).splitlines()]

    assert ids(limit=2) == [stored[4].id, stored[5].id]
    assert ids(limit=9) == [call.id for call in stored]
    assert ids(where={"outcome": "error"}, limit=2) == [stored[3].id, stored[5].id]
    assert ids(since_us=START_US + 2, until_us=START_US + 4) == [stored[2].id, stored[3].id]


def test_pages_leave_nothing_out_and_nothing_twice(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.ledger.selection._PAGE", 3)
    monkeypatch.setattr("recorder.ledger.selection._EXCHANGES", 2)
    stored = [a_call(started_us=START_US + number // 5) for number in range(11)]
    store_calls(url, *stored)
    selection = Selection(url)
    assert [row["id"] for row in selection.rows()] == [call.id for call in stored]
    assert [copy.row["id"] for _, copy in selection.exchanges()] == [call.id for call in stored]
    store_calls(url, a_call(started_us=START_US + 9))
    assert len(list(selection.rows())) == len(selection) == 11


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.jsonl", "jsonl"),
        ("A.NDJSON.gz", "jsonl"),
        ("x.csv", "csv"),
        ("x.har", "har"),
        ("x.txt", None),
        ("a.parquet.gz", None),
        ("-", None),
    ],
)
def test_a_name_says_the_format(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind


def corpus() -> Iterator[Exchange]:
    for number, record in enumerate(records().values()):
        yield msgspec.structs.replace(exchange_of(record), started_us=START_US + number)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the recorded traffic is not beside this checkout")
def test_the_corpus_is_equal_after_export_and_import(
    other: str, sqlite_url: str, carry: Callable[[str, str], ImportedCalls]
) -> None:
    redactor = Redactor(RedactionRules())
    sink = Sink(sqlite_url)
    read = [read_ended(exchange, number, redactor) for number, exchange in enumerate(corpus(), 1)]
    sink.store([Read(ended.exchange, ended.call) for ended in read])
    sink.close()
    done = carry(sqlite_url, other)
    assert (done.imported, done.skipped, done.redacted) == (len(read), [], 0)
    assert whole(other) == whole(sqlite_url)
