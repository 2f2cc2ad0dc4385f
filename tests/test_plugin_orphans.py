"""Orphans: cassette files that belong to no test any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from recorder.testing.orphans import orphans, whole_modules

PATTERNS = ["test_*.py"]


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Two modules, and cassettes of these, of one that is gone, and of none."""
    for name in ("test_a", "test_b", "test_gone", "shared"):
        (tmp_path / "cassettes" / name).mkdir(parents=True)
        (tmp_path / "cassettes" / name / "test_x.yaml").touch()
    for name in ("test_a", "test_b"):
        (tmp_path / f"{name}.py").touch()
    (tmp_path / "cassettes" / "by_name.yaml").touch()
    (tmp_path / "cassettes" / "test_a" / "test_x.yaml.rej").touch()
    return tmp_path


def test_files_of_gone_tests_and_gone_modules_are_orphans(suite: Path) -> None:
    whole = [suite / "test_a.py", suite / "test_b.py"]
    claimed = [suite / "cassettes/test_a/test_x.yaml"]
    assert orphans(whole, claimed, PATTERNS) == [
        suite / "cassettes/test_b/test_x.yaml",
        suite / "cassettes/test_gone/test_x.yaml",
    ]


def test_modules_that_were_not_collected_are_not_judged(suite: Path) -> None:
    assert orphans([suite / "test_a.py"], [suite / "cassettes/test_a/test_x.yaml"], PATTERNS) == [
        suite / "cassettes/test_gone/test_x.yaml"
    ]


def test_a_module_of_which_single_tests_were_asked_for_is_not_whole(suite: Path) -> None:
    modules = [suite / "test_a.py", suite / "test_b.py"]
    assert whole_modules(modules, ["test_a.py::test_x", "test_b.py"], suite) == {suite / "test_b.py"}


def test_folders_without_cassettes_have_no_orphans(tmp_path: Path) -> None:
    assert orphans([tmp_path / "test_a.py"], [], PATTERNS) == []
