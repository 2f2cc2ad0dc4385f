"""What came of one test's cassette, as a value that travels from xdist's workers, and as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts, and titles (`POST https://…`) of what is listed.

    `rejected` is the file that recordings of a failed test went to; `planned` and `dropped` are what
    updating would record and drop.
    """

    test: str
    cassette: str
    mode: str
    by: str
    hits: int
    recorded: int
    total: int
    misses: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    planned: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    rejected: str = ""
    passed: bool = True

    @property
    def line(self) -> str:
        """What was hit, missed, recorded and unused."""
        return (
            f"{self.test}: {self.hits} hit, {len(self.misses)} missed, {self.recorded} recorded, "
            f"{len(self.unused)} unused  ({self.cassette}, mode {self.mode})"
        )

    def packed(self) -> dict[str, Any]:
        """Plain lists and strings, as reports carry them between processes."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def unpacked(packed: dict[str, Any]) -> Verdict:
    """What `packed` made."""
    tuples: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in packed.items()
    }
    return Verdict(**tuples)


def summary_lines(
    verdicts: Sequence[Verdict], orphans: Iterable[str], *, report: bool, dry_run: bool
) -> list[str]:
    """All that is told at the end of a run; nothing where nothing was asked for and nothing is amiss."""
    lines = report_lines(verdicts) if report else []
    if dry_run:
        lines += plan_lines(verdicts)
    return [*lines, *rejected_lines(verdicts), *(f"orphan: {file} belongs to no test" for file in orphans)]


def report_lines(verdicts: Sequence[Verdict]) -> list[str]:
    """A line a test, what it left unused below it, and the sum."""
    lines: list[str] = []
    for verdict in sorted(verdicts, key=lambda verdict: verdict.test):
        lines.append(verdict.line)
        lines += [f"    missed {miss}" for miss in verdict.misses]
        lines += [f"    unused {title}" for title in verdict.unused]
    return [*lines, summary(verdicts)]


def plan_lines(verdicts: Sequence[Verdict]) -> list[str]:
    """What a dry run found: per test, what would be recorded and dropped."""
    changing = [verdict for verdict in verdicts if verdict.planned or verdict.dropped]
    lines: list[str] = []
    for verdict in sorted(changing, key=lambda verdict: verdict.test):
        lines.append(f"{verdict.test} ({verdict.cassette})")
        lines += [f"    would record {title}" for title in verdict.planned]
        lines += [f"    would drop {title}" for title in verdict.dropped]
    same = len(verdicts) - len(changing)
    return [*lines, f"{len(changing)} of {len(verdicts)} cassettes would change, {same} would not"]


def rejected_lines(verdicts: Sequence[Verdict]) -> list[str]:
    """Where the recordings of failed and skipped tests went."""
    return sorted(
        f"{each.test}: recordings not kept, see {each.rejected}" for each in verdicts if each.rejected
    )


def summary(verdicts: Sequence[Verdict]) -> str:
    """All tests in one line."""
    hits, recorded = sum(each.hits for each in verdicts), sum(each.recorded for each in verdicts)
    misses, unused = sum(len(each.misses) for each in verdicts), sum(len(each.unused) for each in verdicts)
    return f"{len(verdicts)} tests with a cassette: {hits} hit, {misses} missed, {recorded} recorded, {unused} unused"
