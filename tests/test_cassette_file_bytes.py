"""A cassette file gives back every byte that it was given, and both of its readers agree on what it says."""

from __future__ import annotations

import gzip
import json
import random
import sys
import zlib
from pathlib import Path
from typing import Any

import brotli
import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from recorder.cassettes.file import FileCassette
from recorder.cassettes.file.blocks import PREAMBLE, join_file, read_file, write_block
from recorder.cassettes.file.read_fast import FastReader
from recorder.cassettes.file.read_yaml import read_yaml
from recorder.cassettes.source import Recorded
from recorder.exchange import Ending, Exchange, Request, ResponseHead

from .cassette_files import NAMES, VALUES, chat, kept, recordings, stream
from .conftest import CORPUS
from .test_corpus import corpus, hostile_split  # noqa: F401  # a fixture

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ENCODINGS = {
    b"gzip": gzip.compress,
    b"deflate": zlib.compress,
    b"br": brotli.compress,
    b"zstd": zstd.compress,
}


def through_a_file(*recorded: Recorded) -> list[Recorded]:
    text = join_file(PREAMBLE, map(write_block, recorded))
    return [block.recorded for block in read_file(text.encode().decode(), "c.yaml")[1]]


def read_both_ways(document: str) -> tuple[str, str]:
    fast = FastReader().read(document)
    assert fast is not None
    return msgspec.json.format(fast, indent=-1), msgspec.json.format(read_yaml(document)[0], indent=-1)


@settings(max_examples=300, deadline=None)
@given(st.lists(recordings(), max_size=3))
def test_a_file_gives_back_what_it_was_given(recorded: list[Recorded]) -> None:
    assert through_a_file(*recorded) == [kept(each) for each in recorded]


@settings(max_examples=300, deadline=None)
@given(recordings())
def test_both_readers_read_what_is_written_alike(recorded: Recorded) -> None:
    fast, patient = read_both_ways(write_block(recorded))
    assert fast == patient


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=5))
def test_any_yaml_reader_reads_the_structure_of_a_body(body: dict[str, Any]) -> None:
    recorded = chat()
    request = replace(recorded.exchange.request, body=json.dumps(body).encode())
    document = write_block(replace(recorded, content=replace(recorded.exchange, request=request)))
    loaded = yaml.load(document, yaml.CSafeLoader)["request"]
    assert "json" in loaded
    assert repr(loaded["json"]) == repr(yaml_numbers(body))


def yaml_numbers(value: Any) -> Any:
    """PyYAML follows YAML 1.1, for which `1e+16` is text."""
    if isinstance(value, dict):
        return {name: yaml_numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [yaml_numbers(item) for item in value]
    if isinstance(value, float) and "e" in repr(value) and "." not in repr(value):
        return repr(value)
    return value


@settings(max_examples=200, deadline=None)
@given(recordings(), st.data())
def test_a_damaged_document_is_read_alike_by_both_readers_or_refused(
    recorded: Recorded, data: st.DataObject
) -> None:
    """Whatever a slip of the hand makes of a document, the strict reader never reads it otherwise than YAML does."""
    document = write_block(recorded)
    at = data.draw(st.integers(0, len(document) - 1))
    slip = data.draw(
        st.sampled_from(
            [" ", "\n", "\n  ", ":", "-", "- ", "#", '"', "'", "|", ",", "]", "x", "\t", " #", ""]
        )
    )
    damaged = document[:at] + slip + document[at + data.draw(st.integers(0, 2)) :]
    if damaged.endswith("\n") and FastReader().read(damaged) is not None:
        fast, patient = read_both_ways(damaged)
        assert fast == patient


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("cuts", [1, 3])
def test_encoded_answers_are_readable_and_exact(encoding: bytes, cuts: int, tmp_path: Path) -> None:
    recorded = chat(answer="Readable, all the same.")
    body = ENCODINGS[encoding](recorded.exchange.body)
    chunks = tuple(body[len(body) * cut // cuts : len(body) * (cut + 1) // cuts] for cut in range(cuts))
    head = ResponseHead(
        200, ((b"content-encoding", encoding), (b"content-length", str(len(body)).encode())), reason=b"OK"
    )
    recorded = replace(
        recorded, content=replace(recorded.exchange, head=head, chunks=chunks, arrivals_ns=(0,) * cuts)
    )
    path = tmp_path / "c.yaml"
    FileCassette(path).save([recorded])
    assert FileCassette(path).load() == (kept(recorded),)
    assert "content: Readable, all the same.\n" in path.read_text()


def test_an_edited_answer_wins_over_its_encoded_form(tmp_path: Path) -> None:
    recorded = chat(answer="Paris")
    body = gzip.compress(recorded.exchange.body)
    head = ResponseHead(200, ((b"content-encoding", b"gzip"), (b"content-length", str(len(body)).encode())))
    cassette = FileCassette(tmp_path / "c.yaml")
    cassette.save(
        [
            replace(
                recorded,
                content=replace(
                    recorded.exchange, head=head, chunks=(body[:9], body[9:]), arrivals_ns=(0, 1)
                ),
            )
        ]
    )
    edit(tmp_path / "c.yaml", "Paris", "Rome")
    exchange = (cassette.load() or ())[0].exchange
    assert exchange.chunks == (recorded.exchange.body.replace(b"Paris", b"Rome"),)
    assert exchange.head is not None
    assert exchange.head.headers == ((b"content-length", str(len(exchange.body)).encode()),)
    assert len(exchange.arrivals_ns) == 1


def test_an_edited_text_of_a_plain_answer_changes_its_length(tmp_path: Path) -> None:
    cassette = FileCassette(tmp_path / "c.yaml")
    cassette.save([chat(answer="Paris is the capital.\nOf France.")])
    edit(tmp_path / "c.yaml", "Of France.", "Of the country named France, and no other one.")
    exchange = (cassette.load() or ())[0].exchange
    assert json.loads(exchange.body)["choices"][0]["message"]["content"].endswith("no other one.")
    assert exchange.head is not None
    assert dict(exchange.head.headers)[b"content-length"] == str(len(exchange.body)).encode()


def test_an_edited_event_changes_its_chunk_alone(tmp_path: Path) -> None:
    cassette = FileCassette(tmp_path / "c.yaml")
    cassette.save([before := stream("Pa", "ris", "!")])
    edit(tmp_path / "c.yaml", '"ris"', '"ssau, a town"')
    exchange = (cassette.load() or ())[0].exchange
    assert exchange.chunks == tuple(
        chunk.replace(b"ris", b"ssau, a town") for chunk in before.exchange.chunks
    )
    assert exchange.arrivals_ns == before.exchange.arrivals_ns


def test_an_added_event_is_a_chunk_of_its_own(tmp_path: Path) -> None:
    cassette = FileCassette(tmp_path / "c.yaml")
    cassette.save([before := stream("a", "b")])
    edit(tmp_path / "c.yaml", '    - data: "[DONE]"', '    - data: {choices: []}\n    - data: "[DONE]"')
    exchange = (cassette.load() or ())[0].exchange
    assert exchange.chunks == (*before.exchange.chunks[:2], b'data: {"choices":[]}\n\n', b"data: [DONE]\n\n")
    assert len(exchange.arrivals_ns) == 4


def test_chunks_that_hold_several_or_parts_of_events_follow_an_edit(tmp_path: Path) -> None:
    recorded = stream("one", "two", "three")
    body = recorded.exchange.body
    first = body.index(b"two")
    chunks = (body[: first - 40], body[first - 40 : first], b"", body[first:])
    recorded = replace(
        recorded, content=replace(recorded.exchange, chunks=chunks, arrivals_ns=(1_000_000,) * 4)
    )
    cassette = FileCassette(tmp_path / "c.yaml")
    cassette.save([recorded])
    assert (cassette.load() or ())[0].exchange.chunks == chunks
    edit(tmp_path / "c.yaml", '"three"', '"four hundred"')
    exchange = (cassette.load() or ())[0].exchange
    assert exchange.chunks[:3] == chunks[:3]
    assert exchange.body == body.replace(b"three", b"four hundred")


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1
    path.write_text(text.replace(before, after), encoding="utf-8")


def of_corpus(each: Any, dice: random.Random) -> Recorded:
    headers = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in each.headers)
    encoding = dice.choice([None, None, *ENCODINGS])
    body = each.body if encoding is None else ENCODINGS[encoding](each.body)
    headers += () if encoding is None else ((b"content-encoding", encoding),)
    chunks = tuple(hostile_split(body, dice)) if dice.random() < 0.5 else (body,) * bool(body)
    return Recorded(
        Exchange(
            Request("POST", each.url, ((b"id", b"7"), (b"authorization", b"Bearer REDACTED")), each.request),
            1_700_000_000_123_456,
            Ending("complete", 5_000_000),
            ResponseHead(each.status, headers),
            chunks,
            tuple(range(0, len(chunks) * 1_000_000, 1_000_000)),
        ),
        "",
    )


@pytest.mark.skipif(not CORPUS.is_dir(), reason="../shared/corpus is not beside this checkout")
def test_the_whole_corpus_comes_back_and_both_readers_agree(corpus: list[Any]) -> None:  # noqa: F811
    dice = random.Random(3)
    recorded = [of_corpus(each, dice) for each in corpus]
    documents = [write_block(each) for each in recorded]
    _, blocks = read_file(join_file(PREAMBLE, documents), "corpus.yaml")
    assert [block.recorded for block in blocks] == [kept(each) for each in recorded]
    assert sum("\n  json:" not in document for document in documents) < len(documents) // 20
    for document in documents[::10]:
        fast, patient = read_both_ways(document)
        assert fast == patient
