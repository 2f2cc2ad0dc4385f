"""Who sets a mode: command line, environment, marker, fixture, ini, default."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.testing.options import age
from recorder.testing.precedence import MODES, Chosen, effective, refusal, under_ci, unusable

ORDER = ("command_line", "environment", "marker", "fixture", "ini")


@pytest.mark.parametrize("said", [some for n in range(6) for some in combinations(ORDER, n)], ids="+".join)
def test_the_first_in_the_order_wins_and_is_named(said: tuple[str, ...]) -> None:
    chosen = effective(**{name: f"by {name}" for name in said}, default="by default")
    first = next((name for name in ORDER if name in said), "default")
    assert chosen == Chosen(f"by {first}", first.replace("_", " "))


def test_none_on_the_command_line_wins_over_a_marker_that_records() -> None:
    assert effective(command_line="none", marker="once", fixture="all").value == "none"


@pytest.mark.parametrize("mode", MODES)
def test_under_ci_only_replay_is_allowed(mode: str) -> None:
    chosen = Chosen(mode, "marker")
    assert refusal(chosen, {}) is None
    text = refusal(chosen, {"CI": "true"})
    assert (text is None) == (mode == "none")
    assert text is None or (repr(mode) in text and "marker" in text)


@pytest.mark.parametrize(
    ("value", "meant"), [("1", True), ("true", True), ("", False), ("false", False), ("0", False)]
)
def test_ci_counts_unless_it_says_no(value: str, meant: bool) -> None:
    assert under_ci({"CI": value}) is meant


def test_unknown_value_is_told_with_its_origin_and_the_choices() -> None:
    text = unusable("mode", Chosen("twice", "environment"), MODES)
    assert text is not None
    assert "'twice' (environment)" in text
    assert "new_episodes" in text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30d", 2_592_000), ("12h", 43_200), ("45m", 2_700), ("1.5s", 1.5), ("90", 90), ("2w", 1_209_600)],
)
def test_ages_have_units(text: str, seconds: float) -> None:
    assert age(text) == seconds


@given(st.text(max_size=6).filter(lambda text: not text.strip()[:1].isdigit()))
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(pytest.UsageError, match="30d"):
        age(text)
