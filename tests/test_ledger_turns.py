"""Turns: callers go first, and more of the writer's time is its own the further it is behind."""

from __future__ import annotations

import pytest

from recorder.ledger.turns import Turns


@pytest.mark.parametrize(
    ("waiting", "rested"), [(0, True), (1_000, True), (10_000, False), (10_000_000, False)]
)
def test_pieces_are_longer_the_more_waits(waiting: int, rested: bool) -> None:
    times = iter([0.0, 0.001, 0.002])
    rests: list[float] = []
    turns = Turns(clock=lambda: next(times), sleep=rests.append)
    turns.measure(waiting)
    turns.called = True
    turns.give()
    assert bool(rests) == rested


def test_no_piece_is_longer_than_the_interpreter_lets_others_wait() -> None:
    times = iter([0.0, 0.006, 0.007])
    rests: list[float] = []
    turns = Turns(clock=lambda: next(times), sleep=rests.append)
    turns.measure(10**9)
    turns.give()
    assert rests == []  # nobody called
    turns.called = True
    turns.give()
    assert len(rests) == 1
