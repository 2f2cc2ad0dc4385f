"""Content encodings, whole and chunk by chunk, and JSON as lenient as the wire needs it."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import brotli
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recorder.body import chunk_ends, decode_request, read_answer
from recorder.exchange import Ending, Exchange, Request, ResponseHead
from recorder.json_text import parse_json

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


ENCODINGS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "identity": ("identity", bytes),
    "gzip": ("gzip", gzip.compress),
    "gzip in members": ("gzip", lambda data: gzip.compress(data[:7]) + gzip.compress(data[7:])),
    "deflate": ("deflate", zlib.compress),
    "deflate without wrapper": ("deflate", raw_deflate),
    "brotli": ("br", brotli.compress),
    "zstd": ("zstd", zstd.compress),
    "two of them": ("gzip, br", lambda data: brotli.compress(gzip.compress(data))),
}


def exchange(encoding: str | None, *chunks: bytes) -> Exchange:
    headers = ((b"Content-Encoding", encoding.encode()),) if encoding else ()
    return Exchange(
        Request("POST", "https://a.test/chat/completions"),
        0,
        Ending("complete"),
        ResponseHead(200, headers),
        chunks,
        tuple(range(len(chunks))),
    )


@example(data=b"\0\0\0\0\1\0\0\0", cuts={28}, name="gzip in members")  # between two bytes of its magic
@given(
    data=st.binary(max_size=300), cuts=st.sets(st.integers(1, 300)), name=st.sampled_from(sorted(ENCODINGS))
)
def test_every_encoding_decodes_however_it_is_cut(data: bytes, cuts: set[int], name: str) -> None:
    encoding, encode = ENCODINGS[name]
    packed = encode(data)
    points = [0, *sorted(cut for cut in cuts if cut < len(packed)), len(packed)]
    packed_exchange = exchange(encoding, *(packed[start:end] for start, end in pairwise(points)))
    answer = read_answer(packed_exchange)
    assert (answer.data, answer.note) == (data, None)
    ends = chunk_ends(packed_exchange, answer)
    assert len(ends) == len(points) - 1
    assert ends[-1] == len(data)
    assert list(ends) == sorted(ends)
    assert decode_request(packed, encoding.encode()) == data


def test_broken_encoding_leaves_what_could_be_read_and_a_note() -> None:
    data = b"".join(b"line %d\n" % number for number in range(500))
    packed = gzip.compress(data)
    answer = read_answer(exchange("gzip", packed[:-8], b"wrong CRC", b"more"))
    assert answer.data == data
    assert answer.note is not None
    assert "not valid gzip" in answer.note
    assert answer.ends is not None
    assert len(answer.ends) == 3


def test_truncated_encoding_gives_what_there_is() -> None:
    answer = read_answer(exchange("gzip", gzip.compress(b"hello " * 1000)[:-12]))
    assert answer.data.startswith(b"hello hello")


def test_unknown_encoding_is_ignored_as_clients_do() -> None:
    answer = read_answer(exchange("utf-8", b"x"))
    assert (answer.data, answer.encoded, answer.note) == (b"x", False, None)


def test_encoding_that_is_a_lie_leaves_the_body_as_received() -> None:
    answer = read_answer(exchange("gzip", b'{"a":', b"1}"))
    assert (answer.data, answer.encoded) == (b'{"a":1}', False)
    assert "not valid gzip" in str(answer.note)


@pytest.mark.parametrize("padding", [b"\0", b"\0\0\0 and more", b"\x1f"])
def test_padding_after_the_encoded_body_is_ignored(padding: bytes) -> None:
    answer = read_answer(exchange("gzip", gzip.compress(b"hello") + padding))
    assert (answer.data, answer.note) == (b"hello", None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'\n\n {"a": 1}\n', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": NaN}', {"a": pytest.approx(float("nan"), nan_ok=True)}),
        (b'{"a": "\\ud83d"}', {"a": "\ud83d"}),
        (b'{"a": "\xff"}', {"a": "\ufffd"}),
    ],
)
def test_json_of_the_wire_is_read(text: bytes, value: Any) -> None:
    assert parse_json(text) == value


@pytest.mark.parametrize("text", [b"", b"data: {}", b"[" * 100_000, b'{"a":'])
def test_what_is_no_json_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)
