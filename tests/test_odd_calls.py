"""What providers, models and callers put into calls: one row each, sums that hold, and nothing that breaks a reader."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import recorder
from recorder.audit import report
from recorder.ledger import Store
from recorder.ledger.conditions import Condition
from recorder.ledger.database import open_database
from recorder.ledger.tables import calls
from recorder.visible import UNSAFE

from .databases import execute
from .odd_calls import LONG, TEXTS, make_odd_calls
from .test_cli import invoke
from .test_rollups import assert_kept_is_rebuilt, from_rows

COUNTS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
TIMES = ("duration_s", "first_chunk_s", "first_token_s", "first_reasoning_s")
GROUPS = [
    *(
        ("model",),
        ("provider", "model"),
        ("host",),
        ("user",),
        ("session",),
        ("tag",),
        ("tag:feature",),
        ("day",),
    ),
    *(("outcome", "error"), ("status",), ("operation", "hour"), ("tag:team", "model"), ("user", "model")),
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, list[str]]]:
    """A store of either kind with all odd calls, and their hosts."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('odd')}/calls.db"
        yield url, recorded(url)
        return
    server = request.getfixturevalue("server")
    with server.database(like=request.getfixturevalue("made_store")) as url:
        yield url, recorded(url)


def recorded(url: str) -> list[str]:
    with recorder.Recorder(url) as rec:
        hosts = make_odd_calls(rec)
        assert rec.flush(120)
    return hosts


def rows_of(url: str) -> list[dict[str, Any]]:
    return Store(url).calls(limit=None)


def test_each_odd_call_is_one_row(filled: tuple[str, list[str]]) -> None:
    url, hosts = filled
    assert Counter(row["host"] for row in rows_of(url)) == Counter(hosts)
    assert Store(url).losses() == 0
    assert Store(url).check() == []


def test_numbers_are_numbers_or_unknown(filled: tuple[str, list[str]]) -> None:
    for row in rows_of(filled[0]):
        assert all(row[name] is None or 0 <= row[name] <= 2**48 for name in COUNTS), row
        assert all(row[name] is None or 0 <= row[name] < math.inf for name in TIMES), row
        assert row["cost"] is None or 0 <= row["cost"] < math.inf, row
        assert (row["cost"] is None) == (row["currency"] is None) == (row["cost_source"] == "none"), row
        assert all("\0" not in value for value in row.values() if isinstance(value, str))
        assert row["request_model"] != "" != row["response_model"]


@pytest.mark.parametrize("by", GROUPS)
def test_rollups_of_odd_calls_equal_their_rows(filled: tuple[str, list[str]], by: tuple[str, ...]) -> None:
    url, hosts = filled
    found = report(Store(url), by)
    assert found.total.calls == len(hosts)
    assert found == from_rows(url, *by)


def test_sums_are_those_of_the_rows(filled: tuple[str, list[str]]) -> None:
    url, _ = filled
    rows, total = rows_of(url), report(Store(url)).total
    for name in ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens"):
        assert getattr(total, name) == sum(row[name] or 0 for row in rows)
    view = "SELECT sum(calls), sum(input_tokens), sum(output_tokens), sum(unpriced_calls) FROM v_calls_daily"
    (daily,) = execute(url, view)
    unpriced = sum(row["cost"] is None for row in rows)
    assert tuple(map(int, daily)) == (len(rows), total.input_tokens, total.output_tokens, unpriced)
    with open_database(url).read() as connection:
        costs = connection.execute(select(calls.c.currency, calls.c.cost_pico)).all()
    sums = Counter[str]()
    for currency, pico in costs:
        if pico is not None:
            sums[currency] += pico
    assert dict(total.cost_pico) == sums
    assert_kept_is_rebuilt(open_database(url))


@pytest.mark.parametrize("column", ["request_model", "response_model", "user_id", "session_id", "error_type"])
def test_odd_values_are_found_as_they_are_spelled(filled: tuple[str, list[str]], column: str) -> None:
    url, _ = filled
    rows = {row["id"]: row[column] for row in rows_of(url) if row[column] is not None}
    for value in set(rows.values()):
        exact, within, begins = (
            {row["id"] for row in Store(url).calls(limit=None, where=(condition,))}
            for condition in (
                Condition(column, "=", value),
                Condition(column, "~", value),
                Condition(column, "^=", value),
            )
        )
        assert exact == {id for id, text in rows.items() if text == value}
        assert within == {id for id, text in rows.items() if value in text}
        assert begins == {id for id, text in rows.items() if text.startswith(value)}
        assert report(Store(url), (), where={column: value}).total.calls == len(exact)


@pytest.mark.parametrize("text", [text for text in TEXTS if text])
def test_who_made_a_call_finds_it_by_what_was_given(filled: tuple[str, list[str]], text: str) -> None:
    url, _ = filled
    assert report(Store(url), (), where={"session": text}).total.calls == 1
    assert report(Store(url), ("tag:feature",), tags={"feature": text}).total.calls == 1
    assert invoke("report", "--by", f"tag:{text}x", "--store", url).exit_code == 0
    for name in ("session_id", "tag.feature"):
        assert len(Store(url).calls(limit=None, where=(Condition(name, "=", text),))) == 1


def test_terminals_get_nothing_unsafe(filled: tuple[str, list[str]]) -> None:
    url, _ = filled
    commands = [["ls", "-n", "1000"], ["ls", "--format", "json", "-n", "1000"]]
    commands += [["report", "--by", ",".join(by)] for by in GROUPS]
    commands += [["show", row["id"], "--full", "--headers", "--chunks"] for row in rows_of(url)[::9]]
    for command in commands:
        done = invoke(*command, "--store", url, width=80)
        assert done.exit_code == 0, (command, done.output)
        assert not UNSAFE.search(done.stdout.replace("\n", "")), command


def test_pages_show_odd_calls(filled: tuple[str, list[str]]) -> None:
    pytest.importorskip("starlette", reason="install the extra `web`")
    from starlette.testclient import TestClient

    from recorder.web.app import create_app

    url, _ = filled
    page = TestClient(create_app(Store(url)), "http://127.0.0.1:8787")
    for path in (
        "/",
        "/calls",
        "/calls.csv",
        "/calls.jsonl",
        *(f"/calls/{row['id']}" for row in rows_of(url)[::4]),
    ):
        answer = page.get(path)
        assert answer.status_code == 200, path
        assert "<b>&amp;</b>" not in answer.text or not answer.headers["content-type"].startswith("text/html")


def test_odd_calls_are_exported_imported_and_searched(filled: tuple[str, list[str]], tmp_path: Path) -> None:
    url, hosts = filled
    copy, file = f"sqlite:///{tmp_path}/copy.db", tmp_path / "calls.jsonl"
    assert invoke("export", "--to", str(file), "--store", url).exit_code == 0
    assert len([json.loads(line) for line in file.read_text().splitlines()]) == len(hosts)
    assert invoke("import", str(file), "--store", copy).exit_code == 0
    kept = [{**row, "seq": 0} for row in rows_of(copy)]
    assert kept == [{**row, "seq": 0} for row in rows_of(url)]
    assert report(Store(copy), ("model",)) == report(Store(url), ("model",))
    assert invoke("ls", "--search", "Hello", "--store", url).exit_code == 0
    assert len(LONG) > 10_000


@pytest.mark.parametrize(
    "command",
    [
        "cassette show",
        "cassette verify",
        "cassette diff x",
        "db snapshot",
        "show",
        "reprice --since 1d --dry-run --model",
    ],
)
def test_arguments_that_are_no_text_are_refused_in_a_sentence(
    filled: tuple[str, list[str]], command: str
) -> None:
    done = invoke(*command.split(), "a\udcff", "--store", filled[0])
    assert done.exit_code in (0, 1, 2)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert not UNSAFE.search((done.stdout + done.stderr).replace("\n", ""))
