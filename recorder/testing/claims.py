"""Which tests claim which cassette files, as far as collecting them tells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Claim:
    """A collected test and its file; where no marker has `named` that, the test's fixtures may yet do."""

    test: str
    module: str
    file: str
    named: bool


@dataclass(frozen=True, slots=True)
class Collected:
    """All claims, those of tests that are left out by `-k` too, and where no others can be.

    `modules` and `folders` are those that were collected as a whole.
    """

    claims: tuple[Claim, ...] = ()
    modules: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    _by_file: dict[str, list[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_file: defaultdict[str, list[str]] = defaultdict(list)  # asked for by each test of a suite
        for claim in self.claims:
            by_file[claim.file].append(claim.test)
        object.__setattr__(self, "_by_file", dict(by_file))

    def of(self, file: str) -> list[str]:
        """The tests that claim a file."""
        return self._by_file.get(file, [])

    def elsewhere(self, place: Place) -> str:
        """Why tests that were not collected may use this file as well; "" if none can."""
        if place.named == "name" and place.module not in self.modules:
            return f"not all of {Path(place.module).name} was collected"
        file = Path(place.file).resolve()
        if place.named == "path" and not any(file.is_relative_to(folder) for folder in self.folders):
            return f"only a run of all tests in {file.parent.name} and above knows who else uses it"
        return ""

    def packed(self) -> list[Any]:
        """Plain lists, as processes send them to each other."""
        return [[list(astuple(claim)) for claim in self.claims], list(self.modules), list(self.folders)]


@dataclass(frozen=True, slots=True)
class Place:
    """The file of a test that runs, and how it was named: by the test itself (""), a `name` or a `path`.

    `alone` tells whether no other test can have it; what is unused is known then as soon as it ends.
    """

    file: str
    module: str
    named: str = ""
    by_fixture: bool = False
    alone: bool = True


def unpacked(packed: Sequence[Any]) -> Collected:
    """What `packed` made."""
    claims, modules, folders = packed
    return Collected(tuple(Claim(*claim) for claim in claims), tuple(modules), tuple(folders))


def whole_folders(arguments: Iterable[str], invocation: Path) -> tuple[str, ...]:
    """Those of pytest's arguments that are folders."""
    folders = [Path(invocation, argument) for argument in arguments if "::" not in argument]
    return tuple(str(folder.resolve()) for folder in folders if folder.is_dir())
