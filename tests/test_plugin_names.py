"""Names of cassette files: the test's own where file systems like it, and never one for two tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.testing.names import Names, file_name, foreign_name, hashed_name, with_suffix


@pytest.mark.parametrize(
    "test", ["test_a", "TestA.test_b", "TestA.TestB.test_c", "test_a[gpt-4o]", "test_a[1-x y]", "test_ä"]
)
def test_names_that_file_systems_like_stay(test: str) -> None:
    assert file_name(test) == test


@pytest.mark.parametrize("character", list("<>?%*:|\"'/\\\n\0\x85"))
def test_disliked_characters_are_replaced_and_a_digest_tells_them_apart(character: str) -> None:
    name = file_name(f"test_a[x{character}y]")
    assert name.startswith("test_a[x-y]-")
    assert name != file_name("test_a[x-y]")


@given(st.lists(st.text(max_size=400), unique=True, min_size=2, max_size=8))
def test_no_two_tests_share_a_file_and_every_name_is_short_enough(ids: list[str]) -> None:
    names = [file_name(f"test_a[{each}]") for each in ids]
    assert len(set(names)) == len(ids)
    for name in names:
        assert len(f"{name}.yaml.rej".encode()) <= 200
        assert not set(name) & set("<>?%*:|\"'/\\\0")


def test_names_that_differ_in_case_only_get_a_digest_each(tmp_path: Path) -> None:
    names = Names()
    for test in ("test_a[x]", "test_a[X]", "test_b"):
        names.collected(tmp_path, test)
    files = [names.file(tmp_path, test).name for test in ("test_a[x]", "test_a[X]", "test_b")]
    assert len({file.casefold() for file in files}) == 3
    assert files[2] == "test_b.yaml"


def test_a_file_with_digest_is_found_again_when_its_test_runs_alone(tmp_path: Path) -> None:
    together, alone = Names(), Names()
    for test in ("test_a[x]", "test_a[X]"):
        together.collected(tmp_path, test)
    file = together.file(tmp_path, "test_a[X]")
    file.touch()
    alone.collected(tmp_path, "test_a[X]")
    assert alone.file(tmp_path, "test_a[X]") == file


def test_plain_files_of_tests_that_were_recorded_alone_are_found_when_both_run(tmp_path: Path) -> None:
    names = Names()
    for test in ("test_x", "test_X", "test_y"):
        names.collected(tmp_path, test)
    (tmp_path / "test_x.yaml").touch()
    assert names.file(tmp_path, "test_x").name == "test_x.yaml"
    assert names.file(tmp_path, "test_X").name != "test_X.yaml"
    (tmp_path / "test_X.yaml").touch()
    assert names.file(tmp_path, "test_X").name == "test_X.yaml"


def test_pytest_recordings_names_are_known() -> None:
    assert foreign_name("TestA.test_b[a/b:c]") == "TestA.test_b[a-b-c]"


def test_suffix_is_added_where_there_is_none() -> None:
    assert [with_suffix(name) for name in ("a", "a.yaml", "a.yml", "a.json", "v1.2")] == [
        *("a.yaml", "a.yaml", "a.yml", "a.json", "v1.2.yaml")
    ]


def test_secrets_among_parameters_are_not_in_the_name_of_the_file(tmp_path: Path) -> None:
    first, second = (f"test_it[sk-proj-{letter * 40}]" for letter in "ab")
    assert file_name(first).startswith("test_it[REDACTED]-")
    assert file_name(first) != file_name(second)
    assert "aaaa" not in file_name(first) + hashed_name(first)


def test_a_file_with_a_secret_in_its_name_is_still_found(tmp_path: Path) -> None:
    test = f"test_it[sk-proj-{'a' * 40}]"
    (tmp_path / f"{test}.yaml").touch()
    names = Names()
    names.collected(tmp_path, test)
    assert names.file(tmp_path, test) == tmp_path / f"{test}.yaml"
