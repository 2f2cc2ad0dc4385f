"""The format of segments: whatever happens to their bytes, only the records that it hits are gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.ledger.journal.frames import HEAD_BYTES, MARK, framed, pieces
from recorder.ledger.journal.segment import read_pieces

RECORDS = st.lists(st.binary(max_size=60) | st.just(MARK * 3) | st.just(framed(b"inner")[:-1]), max_size=8)


def records(data: bytes, *, final: bool = True) -> list[bytes]:
    return [piece.record for piece in pieces(data, final=final) if piece.record is not None]


@given(RECORDS)
def test_what_is_framed_is_read(written: list[bytes]) -> None:
    data = b"".join(map(framed, written))
    found = list(pieces(data, final=True))
    assert [piece.record for piece in found] == written
    assert b"".join(data[piece.start : piece.end] for piece in found) == data


@given(RECORDS, st.data())
def test_a_truncation_loses_only_the_last_record(written: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(map(framed, written))
    cut = data.draw(st.integers(0, len(whole)))
    kept = 0
    for record in written:
        if kept + HEAD_BYTES + len(record) > cut:
            break
        kept += HEAD_BYTES + len(record)
    for final in (False, True):
        found = list(pieces(whole[:cut], final=final))
        assert b"".join(framed(piece.record) for piece in found if piece.record is not None) == whole[:kept]
        damaged = [piece for piece in found if piece.record is None]
        assert [(piece.start, piece.end) for piece in damaged] == (
            [(kept, cut)] if final and kept < cut else []
        )


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=8), st.data())
def test_a_flipped_byte_loses_only_the_record_that_it_is_in(
    written: list[bytes], data: st.DataObject
) -> None:
    frames = [framed(record) for record in written]
    hit = data.draw(st.integers(0, len(frames) - 1))
    at = data.draw(st.integers(0, len(frames[hit]) - 1))
    flipped = bytearray(frames[hit])
    flipped[at] ^= data.draw(st.integers(1, 255))
    found = records(b"".join([*frames[:hit], bytes(flipped), *frames[hit + 1 :]]))
    assert found == [*written[:hit], *written[hit + 1 :]]


@given(st.lists(st.binary(max_size=60), max_size=5), st.binary(max_size=80), st.integers(0, 5))
def test_strange_bytes_between_records_are_passed_over(
    written: list[bytes], strange: bytes, place: int
) -> None:
    frames = [framed(record) for record in written]
    found = records(b"".join([*frames[:place], strange, *frames[place:]]))
    assert found == written or (MARK in strange and set(written) <= set(found))


@pytest.mark.parametrize("length", [0, 3, 2**31, 2**32 - 1])
def test_a_length_that_lies_costs_one_record(length: int) -> None:
    lying = bytearray(framed(b"the second"))
    lying[4:8] = length.to_bytes(4, "big")
    assert records(framed(b"the first") + bytes(lying) + framed(b"the third")) == [b"the first", b"the third"]


def test_an_unfinished_record_is_waited_for() -> None:
    data = framed(b"one") + framed(b"two")
    assert [piece.record for piece in pieces(data[:-1], final=False)] == [b"one"]


@pytest.mark.parametrize("sizes", [(10, 3 << 20, 10), (1 << 20, (1 << 20) - HEAD_BYTES, 5), (700_000,) * 5])
def test_a_segment_is_read_whatever_the_size_of_its_records(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    written = [bytes([number]) * size for number, size in enumerate(sizes)]
    path = tmp_path / "segment"
    path.write_bytes(b"".join(map(framed, written)))
    assert [piece.record for piece in read_pieces(path, 0, final=True)] == written


def test_damage_wider_than_a_window_is_one_piece(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    path.write_bytes(framed(b"first") + b"?" * (5 << 20) + framed(b"last"))
    found = list(read_pieces(path, 0, final=True))
    assert [piece.record for piece in found] == [b"first", None, b"last"]
    assert found[1].end - found[1].start == 5 << 20


def test_a_removed_segment_has_nothing(tmp_path: Path) -> None:
    assert list(read_pieces(tmp_path / "none", 0, final=True)) == []
