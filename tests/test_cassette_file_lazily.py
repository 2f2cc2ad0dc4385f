"""A cassette file whose long answers are read when they are asked for, and what is wrong with them then."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import recorder
from recorder import CassetteMiss
from recorder.cassettes import Mode
from recorder.cassettes.file import FileCassette, head
from recorder.cassettes.file.answer import AnswerReader
from recorder.cassettes.file.blocks import PREAMBLE, join_file, read_file, write_block
from recorder.cassettes.file.documents import Piece
from recorder.cassettes.file.exchanges import Asked
from recorder.cassettes.source import Recorded, Unread
from recorder.errors import CassetteError
from recorder.exchange import Exchange

from .cassette_files import chat, kept, recordings, stream
from .test_cassette_file import DAMAGE

LONG = [str(number) * 20 for number in range(200)]
ASKED = '{"model":"m","messages":[{"role":"user","content":"Hi"}]}'
URL = "https://llm.test/chat/completions"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with a plain answer and two long streams."""
    path = tmp_path / "answer.yaml"
    FileCassette(path).save([chat("plain"), stream(*LONG), stream(*LONG, "more")])
    return path


@pytest.fixture
def all_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer is so long that it is read later."""
    monkeypatch.setattr(head, "_LONG", 0)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of the answers that were read after loading."""
    read: list[int] = []
    really = AnswerReader.read

    def watched(self: AnswerReader, piece: Piece, asked: Asked) -> Exchange | None:
        read.append(piece.end - piece.response)
        return really(self, piece, asked)

    monkeypatch.setattr(AnswerReader, "read", watched)
    return read


def unread(recorded: tuple[Recorded, ...]) -> list[bool]:
    return [isinstance(each.content, Unread) for each in recorded]


def replay(path: Path) -> Iterator[httpx2.Response]:
    with recorder.cassette(path) as cassette, cassette.wrap(httpx2.Client()) as client:
        while True:
            yield client.post(URL, content=ASKED, headers={"id": "m-1"})


def test_only_the_answers_that_are_asked_for_are_read_and_once_each(path: Path, read: list[int]) -> None:
    with recorder.cassette(path) as cassette, cassette.wrap(httpx2.Client()) as client:
        assert (unread(cassette.recordings), read) == ([False, True, True], [])
        answer = client.post(URL, content=ASKED, headers={"id": "m-1"})
        assert len(read) == 1
        client.post(URL, content=ASKED, headers={"id": "m-1"})
        assert len(read) == 2
        assert read[0] < read[1]
    assert answer.content == stream(*LONG).exchange.body


def test_what_is_wanted_again_and_again_is_read_twice(path: Path, read: list[int]) -> None:
    recorded = (FileCassette(path).load_lazily() or ())[1]
    assert len({recorded.exchange for _ in range(9)}) == 1
    assert len(read) == 2
    assert recorded.exchange is recorded.exchange


def test_what_is_read_later_is_the_same(path: Path) -> None:
    lazily = FileCassette(path).load_lazily()
    assert lazily is not None
    requests = [each.request for each in lazily]
    assert unread(lazily) == [False, True, True]
    assert (
        lazily
        == FileCassette(path).load()
        == (*map(kept, (chat("plain"), stream(*LONG), stream(*LONG, "more"))),)
    )
    assert all(each.exchange.request is request for each, request in zip(lazily, requests, strict=True))


@settings(max_examples=100, deadline=None)
@given(st.lists(recordings(), max_size=3))
def test_any_recording_is_the_same_when_it_is_read_later(recorded: list[Recorded]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(head, "_LONG", 0)
        text = join_file(PREAMBLE, map(write_block, recorded))
        read = [block.recorded for block in read_file(text, "c.yaml", lazily=True)[1]]
        assert [each.started_us for each in read] == [each.started_us for each in recorded]
        assert read == [kept(each) for each in recorded]
        assert {*read} == {kept(each) for each in recorded}


@pytest.mark.usefixtures("all_long")
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_broken_file_says_the_same_later(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "answer.yaml"
    FileCassette(path).save([chat("q"), chat("r")])
    path.write_text(DAMAGE[damage][0](path.read_text()), encoding="utf-8")
    with pytest.raises(CassetteError) as at_once:
        FileCassette(path).load()
    with pytest.raises(CassetteError, match=re.escape(str(at_once.value))):
        assert [each.exchange for each in FileCassette(path).load_lazily() or ()] == []


def test_a_broken_answer_is_a_miss_that_says_where_when_it_is_asked_for(path: Path) -> None:
    text = path.read_text()
    line = text[: text.rindex("status: 200")].count("\n") + 1
    path.write_text("status: fine".join(text.rsplit("status: 200", 1)))
    answers = replay(path)
    assert next(answers).content == stream(*LONG).exchange.body
    said = rf"answer.yaml:{line}: recording 3: response\.status: Expected `int`, got `str`; mend it"
    with pytest.raises(CassetteMiss, match=said) as caught:
        next(answers)
    with pytest.raises(CassetteError, match=said):
        FileCassette(path).load()
    assert "recorder failed" not in str(caught.value)


@pytest.mark.parametrize(
    ("added", "seen"),
    [("lane: 3\n", lambda each: each.lane), ("credential: 4\n", lambda each: each.credential)],
)
def test_what_stands_after_the_answer_counts(path: Path, added: str, seen: Callable[[Recorded], int]) -> None:
    path.write_text(path.read_text().replace("\n...\n", f"\n{added}...\n"))
    lazily = FileCassette(path).load_lazily() or ()
    assert unread(lazily) == [False, True, False]
    assert seen(lazily[2]) == int(added.split()[1])


def test_conflict_in_an_answer_is_found_on_loading(path: Path) -> None:
    path.write_text(path.read_text().replace('    - data: "[DONE]"', '<<<<<<< HEAD\n    - data: "[DONE]"', 1))
    with pytest.raises(CassetteError, match="a merge left the conflict marker '<<<<<<< HEAD'"):
        FileCassette(path).load_lazily()


@pytest.mark.parametrize("mode", ["new_episodes", "all", "rewrite"])
def test_modes_that_write_read_all(path: Path, mode: Mode) -> None:
    with recorder.cassette(path, mode) as cassette:
        assert unread(cassette.recordings) == ([] if mode == "rewrite" else [False] * 3)


def test_threads_that_ask_for_the_same_answer_get_it(path: Path) -> None:
    recorded = (FileCassette(path).load_lazily() or ())[1:]
    found: list[tuple[bytes, ...]] = []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        found.append(tuple(each.exchange.body for each in recorded))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [(stream(*LONG).exchange.body, stream(*LONG, "more").exchange.body)] * 8


def test_variant_of_answers_that_were_not_read_changes_them(path: Path) -> None:
    with (
        recorder.cassette(path) as cassette,
        cassette.wrap(httpx2.Client()) as client,
        cassette.variant(fail_after_chunk=2, error="ReadTimeout", select=1),
        pytest.raises(httpx2.ReadTimeout),
    ):
        client.post(URL, content=ASKED, headers={"id": "m-1"})
