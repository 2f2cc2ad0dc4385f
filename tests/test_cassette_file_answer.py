"""The short way through the answer of a document: it gives what the YAML library gives, or nothing."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from recorder.cassettes.file.answer import AnswerReader
from recorder.cassettes.file.blocks import PREAMBLE, join_file, write_block
from recorder.cassettes.file.document import read_asked_fields, read_document
from recorder.cassettes.file.documents import Piece, cut_documents
from recorder.cassettes.file.exchanges import read_asked, read_recorded
from recorder.cassettes.file.read_fast import FastReader
from recorder.cassettes.file.read_yaml import Unreadable, read_yaml
from recorder.cassettes.source import Recorded
from recorder.exchange import Exchange

from .cassette_files import STREAMS, VALUES, chat, recordings, stream
from .conftest import CORPUS
from .test_cassette_file_bytes import of_corpus
from .test_corpus import corpus  # noqa: F401 - a fixture

_ODD = st.sampled_from(
    ['"', "{", "}", "[", "]", ",", ":", " ", "\n", "\t", "\r", "\\", "\x7f", "\x85", "\u2028", "#", "'", "-", "a", "0",
     "\\u00e9", "\\ud800", ', "a"', "\n    - ", "\n      ", "\n  ", "data: ", "event: ", "\nending: complete\n", "é"]
)  # fmt: skip


def piece_of(document: str) -> Piece:
    """A document as it stands in a file."""
    return cut_documents(join_file(PREAMBLE, [document]), "c.yaml")[1][0]


def shortly(piece: Piece) -> Exchange | None:
    """What the short way gives."""
    if not piece.response or (text := FastReader().read(piece.head)) is None:
        return None
    try:
        return AnswerReader().read(piece, read_asked(read_asked_fields(text)))
    except ValueError:
        return None


def patiently(piece: Piece) -> Exchange:
    """What the YAML library gives."""
    return read_recorded(read_document(read_yaml(piece.text)[0])).exchange


def sent(*events: bytes) -> Recorded:
    recorded = stream()
    return replace(
        recorded,
        content=replace(recorded.exchange, chunks=events, arrivals_ns=(0,) * len(events)),
    )


def named(data: dict[str, Any], **style: Any) -> bytes:
    return b"event: content_block_delta\ndata: " + json.dumps(data, **style).encode() + b"\n\n"


@pytest.mark.parametrize(
    "recorded",
    [
        stream("a", "é", '"b": {', "\\ \u2028 \x7f", "😀"),
        sent(*(named({"content": n, "text": ", : "}) for n in range(3))),
        sent(*(named({"content": n}, separators=(",", ":")) for n in range(3)), b"event: x\ndata: [DONE]\n\n"),
        sent(*(b'data: {"content":"\\u00e9 <"}\n\n' for _ in range(3))),
        sent(*(b'data: {"content": 1.0}\r\n\r\n' for _ in range(3)), b"data: [DONE]\r\n\r\n"),
        chat("q", "long" * 2000),
        chat("q", "not printable \x85 \x1b"),
    ],
)  # fmt: skip
def test_usual_answers_take_the_short_way(recorded: Recorded) -> None:
    piece = piece_of(write_block(recorded))
    found = shortly(piece)
    assert found is not None
    assert found == patiently(piece)
    assert found.body == recorded.exchange.body


@settings(max_examples=300, deadline=None)
@given(recordings())
def test_whatever_it_gives_the_yaml_library_gives_too(recorded: Recorded) -> None:
    piece = piece_of(write_block(recorded))
    found = shortly(piece)
    assert found in (None, patiently(piece))


@st.composite
def edited(draw: st.DrawFn) -> str:
    """A document of a stream, in whose answer somebody has put this and that."""
    body = draw(st.one_of(STREAMS, st.lists(VALUES, min_size=1, max_size=4).map(_events)))
    text = write_block(sent(body))
    start = text.index("response:")
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(start, len(text) - 1))
        text = text[:at] + draw(st.one_of(_ODD, st.just(""))) + text[at + draw(st.integers(0, 2)) :]
    return text if text.endswith("\n") else f"{text}\n"


def _events(values: list[Any]) -> bytes:
    return b"".join(
        b"data: " + json.dumps({"content": value}, separators=(",", ":")).encode() + b"\n\n"
        for value in values
    )


@settings(max_examples=1500, deadline=None)
@given(edited())
def test_an_edited_answer_is_read_the_same_or_not_at_all(document: str) -> None:
    piece = piece_of(document)
    assume(piece.text == document)
    if (found := shortly(piece)) is not None:
        assert found == patiently(piece)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('{"content": 1}', '{"content": 1'),
        ('{"content": 1}', '{"n": 1}, {"n": 2}'),
        ('{"content": 1}', '{"n":\n 1}'),
        ('{"content": 1}', '{"n":\t1}'),
        ('{"content": 1}', '{"n": 1} # one'),
        ('{"content": 1}', "{n: 1}"),
        ('{"content": 1}', '"text"'),
        ("event: a", "event: true"),
        ("event: a", "event: 'a'"),
        ("event: a", "id: 1"),
        ("  events:", '  style: {"spacing": "indent 2"}\n  events:'),
        ("  events:", '  style: {"after": "\\n"}\n  events:'),
        ("  events:", "  text: a\n  events:"),
        ("  events:", "  json: 1\n  events:"),
        ("  events:", "  events: []\n  events:"),
        ("response:", "ending: complete\nresponse:"),
        ("response:", "response:\n  status: 200\nresponse:"),
    ],
)
def test_what_was_not_written_so_is_left_to_the_yaml_library(old: str, new: str) -> None:
    document = write_block(sent(b'event: a\ndata: {"content":1}\n\n', b'event: a\ndata: {"content":2}\n\n'))
    assert shortly(piece_of(document)) is not None
    assert old in document
    piece = piece_of(document.replace(old, new, 1))
    assert shortly(piece) is None


def test_an_answer_said_twice_is_refused() -> None:
    document = write_block(sent(b'data: {"n":1}\n\n'))
    again = document[document.index("response:") :]
    with pytest.raises(Unreadable, match="stands here twice"):
        read_yaml(document + again)
    assert shortly(piece_of(document + again)) is None


@pytest.mark.skipif(not CORPUS.is_dir(), reason="../shared/corpus is not beside this checkout")
def test_all_answers_of_the_corpus_are_read_alike(corpus: list[Any]) -> None:  # noqa: F811
    dice = random.Random(4)
    short = 0
    for number, each in enumerate(corpus):
        piece = piece_of(write_block(of_corpus(each, dice)))
        if (found := shortly(piece)) is None:
            continue
        short += 1
        if number % 10 == 0:
            assert found == patiently(piece)
        document = FastReader().read(piece.text)
        assert document is not None
        assert found == read_recorded(read_document(document)).exchange
    assert short > 0.95 * len(corpus)


def test_events_that_hold_nothing_are_left_to_the_yaml_library() -> None:
    document = write_block(sent(named({"content": 1})))
    empty = document[: document.index("  events:")] + "  events:\n"
    for after in ("", "ending: complete\n", "  wire:\n"):
        assert shortly(piece_of(empty + after)) is None
    assert patiently(piece_of(empty)).body == b""


@pytest.mark.parametrize(
    "event",
    [
        b'data: {\ndata:   "content": 1\ndata: }\n\n',
        b'data: {"content":1}\ndata: \n\n',
        b'data:  {"a":1}\n\n',
    ],
)
@pytest.mark.parametrize("lead", [b"", b"event: a\n"])
def test_json_on_many_lines_of_an_event_stays_as_it_was_sent(event: bytes, lead: bytes) -> None:
    piece = piece_of(write_block(sent(*[lead + event] * 9)))
    assert patiently(piece).body == (lead + event) * 9
    assert shortly(piece) in (None, patiently(piece))


@pytest.mark.parametrize("ending", ["ending: complete\n", "ending:\n  kind: error\n"])
def test_events_of_something_else_than_the_response_are_refused(ending: str) -> None:
    document = write_block(sent(named({"content": "long" * 30}))).removesuffix("ending: closed_early\n")
    assert shortly(piece_of(document)) is not None
    assert shortly(piece_of(document.replace("  events:", f"{ending}  events:"))) is None
