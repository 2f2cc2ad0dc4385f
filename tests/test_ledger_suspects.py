from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recorder.ledger.outage import pause_after
from recorder.ledger.suspects import Suspects


def stored(records: list[bool], batch: int) -> tuple[int, int, int]:
    """Send records, of which the false ones are refused; how many pass, go, and how many attempts it took."""
    suspects = Suspects(batch)
    passed = gone = attempts = 0
    while records:
        attempts += 1
        piece = records[: suspects.piece]
        if all(piece):
            passed += len(piece)
            suspects.passed(len(piece))
        elif suspects.refused(len(piece)):
            gone += 1
        else:
            continue
        records = records[len(piece) :]
    return passed, gone, attempts


@given(st.lists(st.booleans(), max_size=200), st.integers(1, 50))
def test_exactly_the_refused_records_go(records: list[bool], batch: int) -> None:
    passed, gone, _ = stored(records, batch)
    assert (passed, gone) == (records.count(True), records.count(False))


def test_one_refused_record_costs_few_attempts() -> None:
    assert stored([True] * 321 + [False] + [True] * 178, 500)[2] <= 25


def test_pauses_grow_and_are_bounded() -> None:
    pauses = [pause_after(failures) for failures in range(1, 2_000)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.1, 30.0)
