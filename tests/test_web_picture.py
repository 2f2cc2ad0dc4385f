"""The picture of a stream: its scale, and what came first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.amounts import show_instant
from recorder.audit.moments import Moments
from recorder.audit.stream import Piece

pytest.importorskip("starlette", reason="install the extra `web`")

from recorder.web.picture import WIDTH, Picture, picture


def drawn(end: float, **firsts: float) -> Picture:
    """The picture of an answer that came in two pieces."""
    return picture([Piece(end / 2, 10, "answer", "a"), Piece(end, 10, "answer", "b")], Moments(end, **firsts))


@pytest.mark.parametrize(
    ("end", "first", "last"),
    [
        (7e-9, "0 ns", "7 ns"),
        (0.000_2, "0 µs", "200 µs"),
        (0.004, "0 ms", "4 ms"),
        (0.09, "0 ms", "80 ms"),
        (0.8, "0s", "0.8s"),
        (3.0, "0s", "3s"),
        (90.0, "0s", "80s"),
        (110.0, "0s", "100s"),
        (640.0, "0s", "10m00s"),
        (9_000.0, "0s", "2h30m"),
    ],
)
def test_the_scale_has_the_unit_that_fits_its_length(end: float, first: str, last: str) -> None:
    texts = [sign.text for sign in drawn(end).scale]
    assert (texts[0], texts[-1]) == (first, last)
    assert len(texts) <= 9


@given(st.floats(1e-9, 1e8))
def test_no_mark_is_written_twice_or_outside_of_the_picture(end: float) -> None:
    scale = drawn(end).scale
    assert len({sign.text for sign in scale}) == len(scale)
    assert all(0 <= sign.x <= WIDTH for sign in scale)
    assert not any("e-" in sign.text or "e+" in sign.text for sign in scale)


def test_what_came_at_once_is_named_in_the_order_in_which_it_comes() -> None:
    firsts = drawn(0.1, first_byte=5e-5, first_reasoning=5e-5, first_token=5e-5).firsts
    assert [sign.text for sign in firsts] == [
        "first byte 50 µs",
        "first reasoning 50 µs",
        "first answer 50 µs",
    ]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (None, "–"),
        (0.0, "0.000s"),
        (7e-9, "7 ns"),
        (1.5e-6, "1.5 µs"),
        (5e-5, "50 µs"),
        (9.9999e-4, "0.001s"),
        (0.001, "0.001s"),
        (2.0, "2.00s"),
    ],
)
def test_what_is_shorter_than_a_millisecond_has_a_unit_of_its_own(seconds: float | None, told: str) -> None:
    assert show_instant(seconds) == told
