"""Ids of calls and operations."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from recorder.ids import id_text, new_id, operation_id


@given(st.integers(0, 2**48 - 1))
def test_id_is_a_uuid_of_version_seven_that_tells_its_time(now_ms: int) -> None:
    text = id_text(new_id(now_ms))
    parsed = uuid.UUID(text)
    assert (str(parsed), parsed.version, parsed.variant) == (text, 7, uuid.RFC_4122)
    assert parsed.int >> 80 == now_ms


def test_ids_differ_and_sort_by_their_millisecond() -> None:
    assert len({new_id(1) for _ in range(10_000)}) == 10_000
    assert new_id(1) < new_id(2)


def test_operation_goes_on_while_the_same_body_is_retried() -> None:
    first = operation_id(b"a", 1, 1, int)
    assert operation_id(b"a", 2, 2, int) == first
    assert operation_id(b"a", 3, 3, int) == first
    assert operation_id(b"a", 1, 4, int) == 4
    assert operation_id(b"b", 2, 5, int) == 5


def test_retries_are_counted_only_where_the_body_is_the_same() -> None:
    counted: list[str] = []

    def count(retry: str) -> int:
        counted.append(retry)
        return len(retry)

    assert operation_id(b"c", "i", 1, count) == 1
    assert operation_id(b"d", "ii", 2, count) == 2
    assert counted == []
    assert operation_id(b"d", "iii", 3, count) == 2
    assert sorted(counted) == ["ii", "iii"]
