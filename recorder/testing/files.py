"""What came of each cassette file, over all tests that use it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .claims import Collected
from .precedence import LEVELS
from .verdict import Verdict

if TYPE_CHECKING:
    from ..cassettes import Recorded
    from .begun import Begun


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """The tests that used a file, and what none of them asked for; `unknown` says why others still might.

    `unused` are titles, of the recordings at `places` in what the file held when the run began.
    """

    file: str
    cassette: str
    verdicts: tuple[Verdict, ...]
    total: int
    unused: tuple[str, ...]
    places: tuple[int, ...]
    unknown: str = ""

    @property
    def alone(self) -> bool:
        return all(each.place.alone for each in self.verdicts)

    @property
    def on_unused(self) -> str:
        """What the strictest of its tests wants done about unused recordings."""
        return max((each.on_unused for each in self.verdicts), key=LEVELS.index)

    @property
    def tests(self) -> str:
        """Its only test, or how many there are."""
        return self.verdicts[0].test if len(self.verdicts) == 1 else f"{len(self.verdicts)} tests"

    @property
    def prunes(self) -> bool:
        return bool(self.places) and any(each.prunes for each in self.verdicts)

    @property
    def counted(self) -> bool:
        """Whether what is unused is known, and not to be replaced anyway."""
        rewritten = any(each.mode == "rewrite" for each in self.verdicts)
        return self.alone or not (self.unknown or rewritten)

    @property
    def blamed(self) -> bool:
        """Whether it is told only now that recordings are unused, as several tests had to run first."""
        return bool(self.unused) and self.counted and not self.alone and self.on_unused != "ignore"


def judge(verdicts: Iterable[Verdict], collected: Collected) -> list[FileVerdict]:
    """A verdict on every file that was used, in the order of their names."""
    ran = {each.test: each for each in verdicts}
    by_file: dict[str, list[Verdict]] = defaultdict(list)
    for each in ran.values():
        by_file[each.place.file].append(each)
    return [_judged(file, its, collected, ran) for file, its in sorted(by_file.items())]


def prune(judged: FileVerdict, begun: Begun) -> None:
    """Drop what no test asked for, of what the file held when the run began."""
    from ..cassettes.file import FileCassette  # brings a YAML library along

    held = FileCassette(begun.copy(Path(judged.file))).load() or ()
    dropped = Counter(
        held[place] for place in judged.places if place < len(held)
    )  # beyond are further cassettes

    def change(now: Sequence[Recorded] | None) -> list[Recorded]:
        kept = []
        for recorded in now or ():
            if dropped[recorded]:
                dropped[recorded] -= 1
            else:
                kept.append(recorded)
        return kept

    FileCassette(judged.file).update(change)


def _judged(file: str, its: list[Verdict], collected: Collected, ran: dict[str, Verdict]) -> FileVerdict:
    total = min(each.total for each in its)  # what is beyond was recorded in this run
    left = set(range(total)).intersection(*(each.places for each in its))
    titles = dict(zip(its[0].places, its[0].unused, strict=True))
    places = tuple(sorted(left))
    return FileVerdict(
        file=file,
        cassette=its[0].cassette,
        verdicts=tuple(sorted(its, key=lambda each: each.test)),
        total=total,
        unused=tuple(titles[place] for place in places),
        places=places,
        unknown=_unknown(file, its, collected, ran),
    )


def _unknown(file: str, its: list[Verdict], collected: Collected, ran: dict[str, Verdict]) -> str:
    for test in collected.of(file):
        if test not in ran:
            return f"{test} did not run"
    for each in its:
        if not each.passed:
            return f"{each.test} did not pass"
    for each in its:
        if elsewhere := collected.elsewhere(each.place):
            return elsewhere
    if any(each.place.by_fixture for each in its):
        modules = {each.place.module for each in its}
        anywhere = any(each.place.named == "path" for each in its)
        for claim in collected.claims:
            if not claim.named and claim.test not in ran and (anywhere or claim.module in modules):
                return f"{claim.test} did not run"
    return ""
