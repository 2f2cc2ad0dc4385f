"""What came of a cassette file, over all tests that use it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.testing.begun import Begun
from recorder.testing.claims import Claim, Collected, Place
from recorder.testing.claims import unpacked as unpacked_tests
from recorder.testing.files import judge
from recorder.testing.verdict import Verdict, unpacked

TESTS = Collected(
    (Claim("a", "/t/test_x.py", "/t/f.yaml", True), Claim("b", "/t/test_x.py", "/t/f.yaml", True)),
    ("/t/test_x.py",),
)


def verdict(test: str, *places: int, total: int = 3) -> Verdict:
    place = Place("/t/f.yaml", "/t/test_x.py", "name", alone=False)
    titles = tuple(f"POST {each}" for each in places)
    return Verdict(test, "f.yaml", place, "none", "default", 0, 0, total, unused=titles, places=places)


@given(st.sets(st.integers(0, 4)), st.sets(st.integers(0, 4)))
def test_unused_is_what_no_test_asked_for(one: set[int], other: set[int]) -> None:
    both = [verdict("a", *sorted(one), total=5), verdict("b", *sorted(other), total=5)]
    (judged,) = judge(both, TESTS)
    assert set(judged.places) == one & other
    assert judged.unused == tuple(f"POST {place}" for place in judged.places)


def test_what_was_recorded_in_this_run_is_not_unused() -> None:
    (judged,) = judge([verdict("a", 0, 1, total=2), verdict("b", 1, 2, 3, total=4)], TESTS)
    assert (judged.total, judged.places) == (2, (1,))


@pytest.mark.parametrize(
    ("second", "tests", "why"),
    [
        (verdict("b"), TESTS, ""),
        (None, TESTS, "b did not run"),
        (replace(verdict("b"), passed=False), TESTS, "b did not pass"),
        (verdict("b"), replace(TESTS, modules=()), "not all of test_x.py was collected"),
        (replace(verdict("b"), place=Place("/t/own.yaml", "/t/test_x.py")), TESTS, ""),
    ],
)
def test_what_is_unused_is_known_once_all_tests_ran_and_passed(
    second: Verdict | None, tests: Collected, why: str
) -> None:
    assert judge([verdict("a"), *([second] if second else [])], tests)[0].unknown == why


def test_verdicts_and_claims_travel_between_processes() -> None:
    assert unpacked(verdict("a", 1, 2).packed()) == verdict("a", 1, 2)
    assert unpacked_tests(TESTS.packed()) == TESTS


def test_processes_of_one_run_see_a_cassette_as_it_was_at_first(tmp_path: Path) -> None:
    file, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    file.write_text("before")
    first = Begun()
    assert (first.copy(file).read_text(), first.copy(new).read_text()) == ("before", "")
    file.write_text("after")
    new.write_text("after")
    second = Begun(first.folder)
    assert (second.copy(file).read_text(), second.copy(new).read_text()) == ("before", "")
    second.end()
    assert first.folder.is_dir()
    first.end()
    assert not first.folder.exists()
