from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

import recorder.cli.main  # noqa: F401 - `recorder.cli.main` is also the name of the function
from recorder.call import Call
from recorder.ledger import Retention
from recorder.ledger.conditions import parse_conditions
from recorder.ledger.database import open_database
from recorder.ledger.retention.erasing import Person
from recorder.ledger.search import index
from recorder.ledger.search.query import match, parse_query
from recorder.ledger.search.words import composed, terms, words
from recorder.ledger.selection import Selection
from recorder.ledger.store import Store
from recorder.ledger.url import sqlite_path

from .databases import execute
from .ledger_calls import START_US, a_call, an_exchange, store_calls

app = sys.modules["recorder.cli.main"].app
TOOL = {
    "id": "t-1",
    "type": "function",
    "function": {"name": "look_up", "arguments": '{"place":"K\\u00f6ln"}'},
}
ANYTHING = st.text(st.sampled_from("ab\"*-():^ \n\x00NOT你好é\u0301\ud800{}'\\%&|!"), max_size=30)


def say(url: str, *messages: object, answer: object = "Hm.", **changes: object) -> Call:
    """Store a call with such messages, each a text or a whole message, and such an answer."""
    asked = [{"role": "user", "content": each} if isinstance(each, str) else each for each in messages]
    said = {"content": answer} if isinstance(answer, str) else answer
    body = json.dumps({"model": "small", "messages": asked}).encode()
    came = json.dumps({"choices": [{"index": 0, "message": said}]}).encode()
    call = a_call(**changes)
    store_calls(url, call, exchange=an_exchange(body, (came,)))
    return call


def find(url: str, query: str, **filters: object) -> list[str]:
    store = Store(url)
    store.index()
    return [call["id"] for call in store.search(parse_query(query), **filters)]  # type: ignore[arg-type]


def looked_through(url: str) -> int:
    with open_database(url).read() as connection:
        return len(connection.execute(index.looked_through.select()).all())


@pytest.mark.parametrize(
    "query",
    [
        "river", "RIVER hills", '"the river begin"', "begi*", "-sea river", '"river beg*', '"the riv"*',
        "koln", "look_up", "thought", "cafe", "CAFÉ", "你好", "好世界", "世", '"你好世界"', "straße", "strasse",
        "tromso",
    ],
)  # fmt: skip
def test_what_was_said_is_found(url: str, query: str) -> None:
    wanted = say(
        url,
        "Where does the river begin? Cafe\u0301, 你好世界, STRASSE, Tromsø",
        answer={"content": "In the hills.", "reasoning_content": "A thought", "tool_calls": [TOOL]},
    )
    say(url, "Something else")
    assert find(url, query) == [wanted.id]


@pytest.mark.parametrize(
    "query", ["sea", "river sea", '"river the"', "river -hills", "iver", "界你", '"hills river"']
)
def test_what_was_not_said_is_not_found(url: str, query: str) -> None:
    say(url, "Where does the river begin? 你好世界", answer="In the hills.")
    assert find(url, query) == []


def test_a_call_is_found_by_its_own_turn_and_not_by_what_it_sends_again(url: str) -> None:
    first = say(url, "Where are lynxes?", answer="In Scotland.")
    history = ["Where are lynxes?", {"role": "assistant", "content": "In Scotland."}]
    second = say(url, *history, "And otters?", answer="Here.")
    again = say(url, *history, "And otters?", answer="There.")
    assert find(url, "lynxes") == [first.id]
    assert find(url, "otters") == [again.id, second.id]
    assert find(url, "scotland") == [again.id, second.id, first.id]


def test_filters_and_pages_hold_of_what_is_found(url: str) -> None:
    calls = [say(url, f"otter number {number}", user_id=f"u-{number % 2}") for number in range(6)]
    assert find(url, "otter", where=parse_conditions(["user_id=u-1"])) == [calls[n].id for n in (5, 3, 1)]
    assert find(url, "otter", limit=2) == [calls[5].id, calls[4].id]
    assert find(url, "otter", limit=2, before=Store(url).place(calls[4].id)) == [calls[3].id, calls[2].id]
    assert find(url, "otter", since_us=calls[4].started_us) == [calls[5].id, calls[4].id]


def test_candidates_that_do_not_fit_do_not_end_the_search(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.ledger.search.listing._LEAST", 2)
    wanted = say(url, "red otter")
    for _ in range(5):
        say(url, "otter red")
    assert find(url, '"red otter"', limit=1) == [wanted.id]


@pytest.mark.parametrize("page", [2, 1_000])
def test_what_is_found_is_exported_oldest_first(url: str, page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.ledger.selection._PAGE", page)
    calls = [say(url, f"red otter {n}" if n % 2 else f"otter red {n}") for n in range(9)]
    Store(url).index()

    def exported(since_us: int | None = None, limit: int | None = None) -> tuple[int, list[str]]:
        selection = Selection(url, search=parse_query('"red otter"'), since_us=since_us, limit=limit)
        return len(selection), [copy.row["id"] for _, copy in selection.exchanges()]

    assert exported() == (4, [calls[n].id for n in (1, 3, 5, 7)])
    assert exported(limit=3) == (3, [calls[n].id for n in (3, 5, 7)])
    assert exported(since_us=calls[4].started_us) == (2, [calls[5].id, calls[7].id])


def test_export_searches_as_ls_does(sqlite_url: str) -> None:
    found, _ = say(sqlite_url, "red otter"), say(sqlite_url, "otter red")
    arguments = ["export", "--store", sqlite_url, "--search", '"red otter"', "--format", "csv"]
    done = CliRunner().invoke(app, arguments)
    assert [line.partition(",")[0] for line in done.stdout.splitlines()] == ["id", found.id]
    assert CliRunner().invoke(app, [*arguments[:-3], "-", "--format", "csv"]).exit_code == 2


def test_the_index_is_made_by_the_first_search_and_follows(url: str) -> None:
    say(url, "otter")
    with open_database(url).read() as connection:
        assert not index.exists(connection)
    assert Store(url).index() == 1
    later = say(url, "lynx")
    assert Store(url).index() == 1
    assert Store(url).index() == 0
    assert find(url, "lynx") == [later.id]


def test_batches_and_a_rebuild_give_the_same(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.ledger.search.filling._BATCH", 2)
    calls = [say(url, f"otter {number}") for number in range(5)]
    seen: list[tuple[int, int]] = []
    assert Store(url).index(lambda done, total: seen.append((done, total))) == 5
    assert seen == [(2, 5), (4, 5), (5, 5)]
    assert Store(url).index(rebuild=True) == 5
    assert find(url, "otter") == [call.id for call in reversed(calls)]


def test_an_index_of_another_form_is_made_anew(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    call = say(url, "otter")
    assert find(url, "otter") == [call.id]
    monkeypatch.setattr(index, "FORM", index.FORM + 1)
    assert Store(url).index() == 1
    assert find(url, "otter") == [call.id]


def test_what_only_removed_calls_said_belongs_to_the_next_once_the_index_is_made_anew(url: str) -> None:
    say(url, "Where are lynxes?", user_id="u-7")
    later = say(url, "Where are lynxes?", "And otters?")
    Retention(url).erase(Person(user="u-7"))
    Store(url).index(rebuild=True)
    assert find(url, "lynxes") == [later.id]


@pytest.mark.parametrize("others", [1, 5], ids=["most of it", "a part of it"])
def test_erasing_takes_words_out_of_the_index(url: str, others: int) -> None:
    say(url, "Ottilie lives here", user_id="u-7")
    kept = [say(url, f"lynx number {number}") for number in range(others - 1)]
    Store(url).index()
    Retention(url).erase(Person(user="u-7"))
    path = sqlite_path(url)
    for file in Path(path).parent.iterdir() if path else ():
        assert b"ottilie" not in file.read_bytes().lower()
    with open_database(url).read() as connection:
        assert index.exists(connection) is (others > 2)
    assert (find(url, "ottilie"), find(url, "lynx")) == ([], [call.id for call in reversed(kept)])
    assert looked_through(url) == len(kept)


def test_pruned_payloads_are_found_no_more_and_the_others_still_are(url: str) -> None:
    old = say(url, "otter one")
    new = [say(url, "otter two", started_us=START_US + 10**9 + number) for number in range(3)]
    Store(url).index()
    retention = Retention(url)
    retention.prune(retention.plan(old.started_us + 1, payloads_only=True))
    assert find(url, "otter") == [call.id for call in reversed(new)]
    assert looked_through(url) == 3
    if url.startswith("sqlite"):
        execute(url, "INSERT INTO search_words (search_words) VALUES ('integrity-check')")


def test_calls_without_content_and_damaged_ones_are_passed_over(url: str) -> None:
    say(url, "otter " * 50)
    good = say(url, "otter")
    execute(url, "DELETE FROM blobs")
    assert find(url, "otter") == [good.id]


def test_the_size_of_the_index_is_told(url: str) -> None:
    say(url, "otter")
    names = [part.name for part in Store(url).sizes().parts]
    Store(url).index()
    measured = Store(url).sizes()
    assert "search" not in names
    (part,) = [part for part in measured.parts if part.name == "search"]
    assert part.rows == 1
    assert part.bytes > 0


def test_a_copy_of_the_store_can_be_searched(url: str, tmp_path: Path) -> None:
    call = say(url, "otter")
    Store(url).index()
    Retention(url).snapshot(tmp_path / "copy.db")
    assert find(f"sqlite:///{tmp_path}/copy.db", "otter") == [call.id]


@given(ANYTHING)
def test_any_query_is_read_or_refused_in_a_sentence(text: str) -> None:
    if not list(words(composed(text))):
        with pytest.raises(ValueError, match="give words"):
            parse_query(text)
    query = parse_query(f"otter {text}")
    assert query.terms
    assert all(term.isalnum() for term in query.terms)


@given(st.text(max_size=60), st.data())
def test_what_stands_in_a_text_is_found_by_its_words(said: str, data: st.DataObject) -> None:
    sequence = list(words(composed(said)))
    if sequence:
        first = data.draw(st.integers(0, len(sequence) - 1))
        last = data.draw(st.integers(first, len(sequence) - 1))
        query = parse_query(
            f'"{composed(said)[sequence[first].start : sequence[last].end]}"'.replace("\x00", " ")
        )
        assert set(query.terms) <= terms([said])


def test_any_query_runs_on_both_databases(url: str) -> None:
    say(url, 'Hostile \x1b[31m "quoted" \\ \' \u202e \u0000 text NOT AND OR NEAR')
    store = Store(url)
    store.index()

    @settings(deadline=None)  # a server may take its time
    @given(ANYTHING)
    def search(text: str) -> None:
        store.search(parse_query(f"hostile {text}"))

    search()


def test_a_snippet_is_one_line_around_what_was_found() -> None:
    text = "word " * 40 + "the\nOTTER\tswims " + "word " * 40
    found = match(parse_query("otter"), [text])
    assert found is not None
    assert [found.text[start:end] for start, end in found.marks] == ["OTTER"]
    assert "the OTTER swims" in found.text
    assert found.text.startswith("…word")
    assert found.text.endswith("…")
    assert len(found.text) < 170


def ls(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["ls", "--store", url, *arguments], env={"COLUMNS": "80"})


def test_ls_prints_a_line_below_each_call_without_control_characters(url: str) -> None:
    say(url, "an \x1b[31m otter\u202e swims")
    lines = ls(url, "--search", "otter").stdout.splitlines()
    assert lines[2] == "    an \\x1b[31m otter\\u202e swims"
    assert lines[3].startswith("1 call")


def test_json_has_the_snippet(url: str) -> None:
    say(url, "an otter")
    (call,) = json.loads(ls(url, "--search", "otter", "--format", "json").stdout)
    assert call["snippet"] == "an otter"


def test_ls_says_what_cannot_be_searched_for(url: str) -> None:
    say(url, "an otter")
    for query, reason in (("-otter", "only says what is not wanted"), ("!?", "has no word in it")):
        done = ls(url, "--search", query)
        assert done.exit_code == 2
        assert reason in " ".join(done.stderr.replace("│", " ").split())
    assert "No call matches." in ls(url, "--search", "lynx").stderr


def test_the_index_is_kept_by_hand(url: str) -> None:
    say(url, "an otter")
    options: tuple[list[str], ...] = ([], [], ["--rebuild"], ["--drop"], [])
    done = [CliRunner().invoke(app, ["db", "index", "--store", url, *each]).stdout for each in options]
    assert done == [
        "1 call looked through\n", "up to date\n", "1 call looked through\n", "removed\n", "1 call looked through\n",
    ]  # fmt: skip
