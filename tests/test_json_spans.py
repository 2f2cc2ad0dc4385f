"""Leaves stand where they say, whatever the bytes are."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.byte_edits import Edit, merged, settled
from recorder.json_spans import (
    Decoded,
    Leaf,
    decode_string,
    documents,
    leaves,
    running_strings,
    spread,
    strings,
)

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
)
FORMATS = st.sampled_from(
    [{}, {"indent": 2}, {"separators": (",", ":")}, {"separators": (" , ", " : ")}, {"ensure_ascii": False}]
)
SCRAPS = st.lists(
    st.sampled_from(
        [b'"', b"\\", b"{", b"}", b"[", b"]", b":", b",", b"\n", b"data: ", b"\\u00", b"a", b"\xff"]
    )
).map(b"".join)


def value(data: bytes, leaf: Leaf) -> Any:
    """What the bytes of a leaf mean."""
    text = data[leaf.start : leaf.end]
    return (
        decode_string(data, leaf.start, leaf.end).text.decode("utf-8", "surrogatepass")
        if (leaf.kind == "string")
        else json.loads(text)
    )


def scalars(document: Any, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    """The paths and scalars of a parsed document, in order."""
    if isinstance(document, dict):
        return [pair for key, item in document.items() for pair in scalars(item, (*path, key))]
    if isinstance(document, list):
        return [pair for at, item in enumerate(document) for pair in scalars(item, (*path, at))]
    return [(path, document)]


@given(VALUES, FORMATS)
def test_leaves_are_the_scalars_of_the_document(document: Any, form: dict[str, Any]) -> None:
    data = json.dumps(document, **form).encode("utf-8", "surrogatepass")
    expected = scalars(json.loads(data.decode("utf-8", "surrogatepass")))
    assert [(leaf.path, value(data, leaf)) for leaf in leaves(data)] == expected


@given(st.binary(max_size=60) | SCRAPS)
def test_any_bytes_are_read_without_an_error(data: bytes) -> None:
    for found in (list(leaves(data)), list(leaves(data, whole=("", "a")))):
        assert all(0 <= leaf.start <= leaf.end <= len(data) for leaf in found)
    for run in running_strings(data):
        assert all(decode_string(data, leaf.start, leaf.end) is not None for leaf in run)


def test_a_container_asked_for_by_name_comes_whole() -> None:
    data = b'{"a": {"logprobs": {"content": [{"token": "x"}]}, "b": "y"}, "logprobs": null}'
    found = [
        (leaf.path, data[leaf.start : leaf.end], leaf.kind) for leaf in leaves(data, whole=("logprobs",))
    ]
    assert found == [
        (("a", "logprobs"), b'{"content": [{"token": "x"}]}', "container"),
        (("a", "b"), b"y", "string"),
        (("logprobs",), b"null", "scalar"),
    ]


def test_a_container_that_breaks_off_reaches_to_the_end() -> None:
    data = b'{"logprobs": {"content": [{"token": "x"'
    (leaf,) = leaves(data, whole=("logprobs",))
    assert (leaf.path, data[leaf.start : leaf.end]) == (("logprobs",), b'{"content": [{"token": "x"')


def test_a_string_that_breaks_off_is_still_a_leaf() -> None:
    data = b'{"password": "hunt\\"'
    (leaf,) = leaves(data)
    assert (leaf.path, data[leaf.start : leaf.end]) == (("password",), b'hunt\\"')


def test_keys_are_read_without_their_escapes() -> None:
    assert [leaf.path for leaf in leaves(b'{"p\\u0061ss\\n": 1, "": 2}')] == [("pass\n",), ("",)]


def test_duplicate_keys_are_all_found() -> None:
    assert [leaf.path for leaf in leaves(b'{"a": "x", "a": "y"}')] == [("a",), ("a",)]


def test_nesting_without_end_keeps_the_paths_short() -> None:
    found = list(leaves(b'[1,{"a":' * 3000 + b'"x"'))
    assert max(len(leaf.path) for leaf in found) == 128
    assert found[-1].path[-1] == "a"


def test_one_document_may_stand_in_several_pieces() -> None:
    data = b'data: {"a":\ndata: "x"}\n\n'
    (segments,) = documents(data)
    assert [(leaf.path, data[leaf.start : leaf.end]) for leaf in leaves(data, segments)] == [(("a",), b"x")]


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_events_are_documents_and_comments_are_none(newline: bytes) -> None:
    body = newline.join((b': one "quote', b"", b"event: x", b'data: {"a":1}', b"", b"data:[DONE]", b"", b""))
    texts = [b"".join(body[slice(*span)] for span in segments).strip() for segments in documents(body)]
    assert texts == [b'{"a":1}', b"[DONE]"]


@given(st.text(), st.booleans())
def test_decoding_undoes_the_escapes_of_json(text: str, ascii_only: bool) -> None:
    data = json.dumps(text, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    ((start, end),) = strings(data)
    assert (start, end) == (1, len(data) - 1)
    assert decode_string(data, start, end).text.decode("utf-8", "surrogatepass") == text


@given(st.lists(st.sampled_from(["a", "é", "😀", "\n", '"', "\\", "/", "\u2028"]), min_size=1), st.data())
def test_an_offset_leads_back_to_where_the_character_is_written(
    parts: list[str], draw: st.DataObject
) -> None:
    written = [
        draw.draw(st.sampled_from([json.dumps(p)[1:-1], json.dumps(p, ensure_ascii=False)[1:-1]]))
        for p in parts
    ]
    data = "".join(written).encode()
    decoded = decode_string(data, 0, len(data))
    text_ends = (0, *accumulate(len(part.encode()) for part in parts))
    source_ends = (0, *accumulate(len(part.encode()) for part in written))
    assert [decoded.source(offset) for offset in text_ends] == list(source_ends)


def test_what_is_no_escape_stays() -> None:
    data = rb"\q\u12\ud800\/"
    assert decode_string(data, 0, len(data)).text == rb"\q\u12" + b"\xed\xa0\x80/"


def test_list_items_go_by_their_index_wherever_it_stands() -> None:
    events = (
        b'data: {"choices":[{"delta":{"content":"a"},"index":1},{"index":0,"delta":{"content":"b"}}]}\n\n'
        b'data: {"choices":[{"index":0,"delta":{"content":"c"}}]}\n\n'
        b'data: {"choices":[{"index":1,"delta":{"content":"d","logprobs":{"token":"d"}}}]}\n\n'
        b"data: [DONE]\n\n"
    )
    texts = [
        b"".join(events[leaf.start : leaf.end] for leaf in run)
        for run in running_strings(events, ("logprobs",))
    ]
    assert texts == [b"ad", b"bc"]


def test_lines_of_json_continue_each_other() -> None:
    body = b'{"message":{"content":"a"}}\n{"message":{"content":"b"}}\n'
    (run,) = running_strings(body)
    assert [body[leaf.start : leaf.end] for leaf in run] == [b"a", b"b"]


def test_an_edit_of_joined_texts_goes_to_each_of_their_strings() -> None:
    data = rb'"x\u0073k" "" "-1" "2y"'
    pieces = [decode_string(data, *span) for span in strings(data)]
    ends = list(accumulate(len(piece.text) for piece in pieces))
    edits = list(spread(Edit(1, 6, b"!"), pieces, ends))
    assert settled(data, lambda text: edits if text is data else []) == b'"x!" "" "" "y"'


def test_of_edits_that_overlap_the_outer_counts() -> None:
    edits = [Edit(4, 6, b"x"), Edit(2, 8, b"null"), Edit(7, 9, b"y"), Edit(9, 10, b"9"), Edit(11, 12, b"z")]
    assert merged(edits, b"0123456789ABC") == [Edit(2, 9, b"null"), Edit(11, 12, b"z")]


@given(
    st.binary(max_size=40), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.binary(max_size=3)))
)
def test_offsets_move_with_the_text(data: bytes, wanted: list[tuple[int, int, bytes]]) -> None:
    edits = merged(
        (Edit(min(a, b), max(a, b), new) for a, b, new in wanted if max(a, b) <= len(data) and a != b), data
    )
    ends = list(range(len(data) + 1))
    result = settled(data, lambda text: edits if text is data else [], ends)
    assert ends == sorted(ends)
    assert ends[-1] == len(result)
    for edit in edits:
        assert result[ends[edit.start] : ends[edit.end]] == edit.new
        assert {ends[at] for at in range(edit.start + 1, edit.end + 1)} == {ends[edit.end]}
    untouched = set(range(len(data))) - {at for edit in edits for at in range(edit.start, edit.end)}
    assert all(result[ends[at]] == data[at] for at in untouched)


def test_a_string_without_escapes_is_where_it_is() -> None:
    assert decode_string(b"abcdef", 2, 4) == Decoded(b"cd", 2)
