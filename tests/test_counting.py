"""Calls counted column by column, against calls counted one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from recorder.ledger.counting import tallies
from recorder.ledger.figures import Tally, counted

MAYBE = st.none() | st.integers(0, 2**47) | st.integers(-2, 3)
FACTS = st.tuples(
    st.sampled_from(["ok", "error", "cancelled", "never heard of"]),
    st.sampled_from([None, "timeout"]),
    st.sampled_from([0, 0, 0, 1]),
    st.sampled_from([1, 1, 2]),
    st.sampled_from([0, 1]),
    *(st.integers(-5, 2**48), MAYBE, MAYBE, MAYBE),
    *(MAYBE, MAYBE, MAYBE, MAYBE, MAYBE),
    *(st.none() | st.integers(0, 2**62), st.sampled_from([None, "USD", "CNY"]), MAYBE),
)
KINDS = st.tuples(st.sampled_from(["a", "b"]), FACTS, st.integers(1, 12))


def one_by_one(rows: Sequence[Sequence[Any]]) -> dict[Any, Tally]:
    found: dict[Any, Tally] = {}
    for row in rows:
        found.setdefault(row[:1], Tally()).add(counted(row, 1))
    return found


def plain(found: dict[Any, Tally]) -> dict[Any, Any]:
    return {
        key: (tally.counts, tally.errors, tally.money, tuple(map(dict, tally.times)))
        for key, tally in found.items()
    }


@given(st.lists(KINDS, max_size=8), st.lists(KINDS, max_size=8))
def test_columns_count_as_rows_do(many: list[Any], more: list[Any]) -> None:
    rows = [(key, *facts) for key, facts, times in many for _ in range(times)]
    # Of one kind, and yet different in all that follows.
    rows += [(key, "ok", None, 0, 1, 1, *facts[5:]) for key, facts, times in more for _ in range(times)]
    assert plain(tallies(rows, 1)) == plain(one_by_one(rows))
