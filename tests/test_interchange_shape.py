"""The shape of JSON, and what of it changed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.interchange.shape import shape_changes, shape_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=12,
)


def changes(before: Any, after: Any) -> list[tuple[str, str]]:
    return list(shape_changes(shape_of([before]), shape_of([after])))


@given(JSON)
def test_nothing_changed_against_itself(value: Any) -> None:
    assert changes(value, value) == []


@given(JSON, JSON)
def test_changes_turn_around_with_the_sides(left: Any, right: Any) -> None:
    assert sorted(path for path, _ in changes(left, right)) == sorted(
        path for path, _ in changes(right, left)
    )


@given(st.lists(JSON, max_size=4))
def test_order_does_not_count(values: list[Any]) -> None:
    assert list(shape_changes(shape_of(values), shape_of(reversed(values)))) == []


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"a": 1}, {"a": 2.5}, []),
        ({"a": 1}, {"a": "1"}, [("$.a", "number became string")]),
        ({"a": 1}, {"a": True}, [("$.a", "number became boolean")]),
        ({"a": None}, {"a": {"b": 1}}, []),
        ({"a": {"b": {"c": 1}}}, {}, [("$.a", "vanished")]),
        ({"a": []}, {"a": [{"b": 1}]}, []),
        ({"a": [{"b": 1}, {}]}, {"a": [{"b": 1, "x-y": 2}]}, [('$.a[*]["x-y"]', "appeared")]),
        ({"a": 1}, [1], [("$", "object became array")]),
    ],
)
def test_change_is_told_at_its_path(before: Any, after: Any, told: list[tuple[str, str]]) -> None:
    assert changes(before, after) == told


def test_json_nested_without_end_is_followed_only_so_far() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    assert changes(deep, deep) == []
