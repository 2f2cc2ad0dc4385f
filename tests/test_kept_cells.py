"""Cells as they are kept: whole and cut by provider, host and model."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recorder.ledger.cells import Place
from recorder.ledger.figures import Tally
from recorder.ledger.kept_cells import Kept, changed, cuts_of
from recorder.ledger.kept_figures import unpack_figures
from recorder.ledger.tallying import Tallied, joint

PLACES = st.sampled_from([("a", "h", "m"), ("a", "h", "n"), ("b", "h", "m")])
PARTS = st.dictionaries(PLACES, st.lists(st.integers(0, 10**7), min_size=1, max_size=3), min_size=1)


def tallied(parts: dict[Place, list[int]], *, whole: bool) -> Tallied:
    tallies: dict[Place, Tally] = {}
    for place, times in parts.items():
        tally = tallies[place] = Tally()
        for time in times:
            tally.add(([0], None, None, "", [], [], [(0, time.bit_length())]))
    return Tallied(tallies, joint(list(tallies.values())) if whole else None)


@given(st.lists(PARTS, min_size=1, max_size=4), st.booleans())
def test_what_is_added_in_pieces_is_what_is_added_at_once(
    some: list[dict[Place, list[int]]], whole: bool
) -> None:
    together: dict[Place, list[int]] = {}
    kept: Kept | None = None
    for parts in some:
        kept = changed(kept, tallied(parts, whole=whole))
        for place, times in parts.items():
            together.setdefault(place, []).extend(times)
    assert kept == changed(None, tallied(together, whole=whole))


@given(PARTS, PARTS, st.booleans())
def test_what_is_taken_away_is_gone(
    some: dict[Place, list[int]], more: dict[Place, list[int]], whole: bool
) -> None:
    known = changed(None, tallied(some, whole=whole))
    larger = changed(known, tallied(more, whole=whole))
    assert changed(larger, tallied(more, whole=whole), -1) == known
    assert changed(known, tallied(some, whole=whole), -1) is None


@given(PARTS, st.booleans())
def test_cuts_are_all_of_a_cell(parts: dict[Place, list[int]], whole: bool) -> None:
    kept = changed(None, tallied(parts, whole=whole))
    assert kept is not None
    cuts = cuts_of(*kept)
    assert {cut[:3]: cut[3] for cut in cuts} == {place: len(times) for place, times in parts.items()}
    assert sum(unpack_figures(cut[5])[0][0] for cut in cuts) == kept.calls
    assert bool(kept.figures) == (whole or len(parts) == 1)
