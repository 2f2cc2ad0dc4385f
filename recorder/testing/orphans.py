"""Cassette files that belong to no test any more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path

from .names import SUFFIXES


def orphans(modules: Iterable[Path], claimed: Iterable[Path], patterns: Sequence[str]) -> list[Path]:
    """The files below the cassette folders of these test modules that none of their tests claims.

    `modules` are the test files that were collected as a whole, `patterns` those of pytest's
    `python_files`. The folders of modules that exist no more are looked into as well; those of modules
    that were not collected are not, nor is what lies directly in `cassettes`, where files are that
    tests open by name.
    """
    whole, mine = set(modules), set(claimed)
    return sorted(
        file
        for home in {module.parent for module in whole}
        for folder in _folders(home)
        if _judged(home / f"{folder.name}.py", whole, patterns)
        for file in folder.rglob("*")
        if file.suffix in SUFFIXES and file not in mine and file.is_file()
    )


def _judged(module: Path, whole: set[Path], patterns: Sequence[str]) -> bool:
    if module in whole:
        return True
    return not module.exists() and any(fnmatch(module.name, pattern) for pattern in patterns)


def _folders(home: Path) -> list[Path]:
    cassettes = home / "cassettes"
    return [folder for folder in cassettes.iterdir() if folder.is_dir()] if cassettes.is_dir() else []


def whole_modules(modules: Iterable[Path], arguments: Iterable[str], invocation: Path) -> set[Path]:
    """Those of these test files of which not just single tests were asked for (`file.py::test`)."""
    parts = {
        (invocation / argument.partition("::")[0]).resolve() for argument in arguments if "::" in argument
    }
    return {module for module in modules if module.resolve() not in parts}
