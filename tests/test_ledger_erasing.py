"""Erasing: of a person nothing is left, and of others nothing is missing."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

import recorder
import recorder.cli.main
from recorder.audit import report
from recorder.cassettes import Recorded
from recorder.errors import StoreError
from recorder.ledger import Retention, Store
from recorder.ledger.content.collecting import Collected, unreferenced
from recorder.ledger.database import Database, open_database
from recorder.ledger.journal import journal_directory
from recorder.ledger.retention import erasing
from recorder.ledger.retention.erasing import Person
from recorder.ledger.retention.journals import store_all
from recorder.ledger.url import sqlite_path

from .databases import execute
from .ledger_calls import a_call, an_exchange, store_calls

app = sys.modules["recorder.cli.main"].app
WORDS = "Ottilie-lives-in-Weimar"
EXCHANGE = an_exchange(f'{{"messages":[{{"role":"user","content":"{WORDS}"}}]}}'.encode())


def their_calls(url: str, number: int = 3) -> list[str]:
    calls = [
        a_call(user_id="u-7", session_id=f"s-{n % 2}", tags={"name": WORDS}, trace_id="f" * 32)
        for n in range(number)
    ]
    store_calls(url, *calls, exchange=EXCHANGE)
    return [call.id for call in calls]


def others_calls(url: str) -> list[str]:
    calls = [a_call(user_id="u-8", session_id="s-0"), a_call()]
    store_calls(url, *calls)
    return [call.id for call in calls]


def found_in_files(url: str) -> list[str]:
    """The files of a SQLite store in which something of the person can be read."""
    path = Path(sqlite_path(url) or "")
    return [
        file.name
        for file in path.parent.glob(f"{path.name}*")
        if WORDS.encode() in file.read_bytes() or b"u-7" in file.read_bytes()
    ]


def test_all_calls_of_a_person_go_and_no_others(url: str) -> None:
    their_calls(url)
    others = others_calls(url)
    held = Retention(url).holdings(Person(user="u-7"))
    assert (held.calls, held.payloads, dict(held.cassettes)) == (3, 3, {})
    assert held.payload_bytes > 3 * len(WORDS)
    done = Retention(url).erase(Person(user="u-7"))
    assert (done.calls, done.payloads, done.entries) == (3, 3, 0)
    assert {call["id"] for call in Store(url).calls()} == set(others)
    assert Retention(url).holdings(Person(user="u-7")).calls == 0
    assert Store(url).check() == []


def test_a_session_narrows_it(url: str) -> None:
    their_calls(url)
    others = others_calls(url)
    assert Retention(url).erase(Person(user="u-7", session="s-0")).calls == 2
    assert Retention(url).erase(Person(session="s-0")).calls == 1
    assert [call["user_id"] for call in Store(url).calls()] == [None, "u-7"]
    assert others[1] in {call["id"] for call in Store(url).calls()}


def test_no_bytes_are_left_in_the_files(sqlite_url: str) -> None:
    their_calls(sqlite_url, 50)
    others_calls(sqlite_url)
    # A page may hold what was written to it before.
    execute(sqlite_url, "PRAGMA secure_delete=OFF")
    with sqlite3.connect(sqlite_path(sqlite_url) or "") as plain:
        plain.execute("PRAGMA secure_delete=OFF")
        plain.execute("PRAGMA foreign_keys=ON")
        plain.execute("DELETE FROM calls WHERE session_id = 's-1' AND user_id = 'u-7'")
    plain.close()
    Store(sqlite_url).roll_up(rebuild=True)  # who removes calls by hand counts the others anew
    assert found_in_files(sqlite_url) != []
    done = Retention(sqlite_url).erase(Person(user="u-7"))
    assert (done.calls, done.rewritten, done.log_empty) == (25, True, True)
    assert found_in_files(sqlite_url) == []


def test_who_calls_again_while_they_are_erased_is_counted(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    their_calls(url)
    some = erasing._some

    def call_again(*asked: Any) -> list[str]:
        if not (left := some(*asked)):
            store_calls(url, a_call(user_id="u-7"))
        return left

    monkeypatch.setattr(erasing, "_some", call_again)
    Retention(url).erase(Person(user="u-7"))
    found = report(Store(url), ("user",))
    assert [(row.key, row.calls) for row in found.rows] == [(("u-7",), 1)]


def test_without_rewriting_it_still_leaves_nothing_of_what_it_removes(sqlite_url: str) -> None:
    their_calls(sqlite_url, 50)
    others_calls(sqlite_url)
    done = Retention(sqlite_url).erase(Person(user="u-7"), rewrite=False)
    assert not done.rewritten
    assert found_in_files(sqlite_url) == []


def test_a_reader_who_stands_in_the_way_is_told_of(sqlite_url: str) -> None:
    their_calls(sqlite_url)
    with open_database(sqlite_url).read() as reader:
        reader.exec_driver_sql("SELECT count(*) FROM calls").one()
        assert not Retention(sqlite_url).erase(Person(user="u-7")).log_empty
    assert Retention(sqlite_url).erase(Person(user="u-7")).log_empty
    assert found_in_files(sqlite_url) == []


def test_what_waits_in_a_journal_is_stored_first_and_goes_as_well(url: str, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    store_calls(url)
    ended = recorder.Recorder(url, journal=journal, drain="external")
    directory = Path(journal_directory(url, str(journal)) or "")
    say_words(ended)
    with pytest.raises(StoreError, match=r"1 calls wait in the journal .* run: recorder drain"):
        store_all(url, directory, patience_s=0.3)
    ended.close()
    done = Retention(url).erase(Person(user="u-7"), journal=directory)
    assert (done.calls, done.journal) == (1, [])
    assert not any(WORDS.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_journal_in_use_may_hold_what_was_stored_and_is_named(url: str, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    store_calls(url)
    with recorder.Recorder(url, journal=journal) as rec:
        say_words(rec)
        directory = Path(journal_directory(url, str(journal)) or "")
        done = Retention(url).erase(Person(user="u-7"), journal=directory)
        assert done.calls == 1
        assert [Path(name).parent for name in done.journal] == [directory]
    assert Retention(url).erase(Person(user="u-7"), journal=directory).journal == []


def left_over(url: str) -> Collected:
    with open_database(url).read() as connection:
        return unreferenced(connection)


def test_what_an_interrupted_erasing_left_goes_with_the_next_though_no_call_shows_it(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    their_calls(sqlite_url)
    others_calls(sqlite_url)

    def killed(database: Database) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("recorder.ledger.retention.erasing.collect_unreferenced", killed)
        with pytest.raises(KeyboardInterrupt):
            Retention(sqlite_url).erase(Person(user="u-7"))
    assert left_over(sqlite_url).nodes
    held = Retention(sqlite_url).holdings(Person(user="u-7"))
    assert (held.calls, held.unfinished) == (0, True)
    done = CliRunner().invoke(app, ["db", "erase", "--user", "u-7", "--yes", "--store", sqlite_url])
    assert (done.exit_code, "An erasing was interrupted" in done.stderr) == (0, True)
    assert left_over(sqlite_url) == Collected()
    assert not Retention(sqlite_url).holdings(Person(user="u-7")).unfinished
    assert Store(sqlite_url).check() == []


def test_a_dry_run_leaves_the_journal_as_it_is_and_says_what_waits(url: str, tmp_path: Path) -> None:
    store_calls(url)
    with recorder.Recorder(url, journal=tmp_path / "journal", drain="external") as rec:
        say_words(rec)
    before = {path: path.read_bytes() for path in (tmp_path / "journal").rglob("*") if path.is_file()}
    arguments = ["db", "erase", "--user", "u-7", "--store", url, "--journal", str(tmp_path / "journal")]
    done = CliRunner().invoke(app, [*arguments, "--dry-run"])
    assert "1 call waits in the journal" in done.stderr
    assert "There is no such call." in done.stderr
    assert {path: path.read_bytes() for path in before} == before
    plain = CliRunner().invoke(app, [*arguments, "--dry-run", "--format", "json"]).stdout
    assert json.loads(plain)["waiting"] == 1
    assert CliRunner().invoke(app, [*arguments, "--yes"]).stdout.startswith("1 call erased")


def say_words(rec: recorder.Recorder) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"choices": []})

    with (
        httpx.Client(transport=rec.transport(httpx.MockTransport(answer))) as client,
        recorder.tags(user_id="u-7"),
    ):
        client.post(
            "http://model.test/chat/completions", json={"messages": [{"role": "user", "content": WORDS}]}
        )


def test_cassettes_lose_their_entries_and_go_when_nothing_is_left(url: str) -> None:
    first, second, _ = their_calls(url)
    (other, _) = others_calls(url)
    store = Store(url)
    store.cassette("mixed").save([Recorded(EXCHANGE, first), Recorded(an_exchange(), other)])
    store.cassette("theirs").save([Recorded(EXCHANGE, id) for id in (first, second)])
    store.cassette("empty").save([])
    assert dict(Retention(url).holdings(Person(user="u-7")).cassettes) == {"mixed": 1, "theirs": 2}
    done = Retention(url).erase(Person(user="u-7"))
    assert (done.entries, done.cassettes) == (3, ["theirs"])
    assert [each.name for each in store.cassettes()] == ["empty", "mixed"]
    assert [each.call_id for each in store.cassette("mixed").load() or ()] == [other]
    assert store.check() == []


def test_numbers_can_be_kept_without_what_says_whose_they_are(url: str) -> None:
    ids = their_calls(url)
    before = Store(url).call(ids[0])
    done = Retention(url).erase(Person(user="u-7"), keep_numbers=True)
    assert (done.calls, done.payloads) == (3, 3)
    row = Store(url).call(ids[0])
    changed = {name for name in row if row[name] != before[name]}
    assert changed == {"user_id", "session_id", "trace_id", "response_id", "tags", "operation_id"}
    assert row["operation_id"] == ids[0]
    with pytest.raises(StoreError, match="was erased on request"):
        Store(url).exchange(ids[0])
    assert Store(url).check() == []
    if sqlite_path(url):
        assert found_in_files(url) == []
