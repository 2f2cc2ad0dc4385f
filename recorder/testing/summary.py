"""What is told at the end of a run, as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .files import FileVerdict
from .verdict import Verdict


def summary_lines(
    verdicts: Sequence[Verdict],
    files: Sequence[FileVerdict],
    orphans: Iterable[str],
    *,
    report: bool,
    dry_run: bool,
) -> list[str]:
    """All that is told; nothing where nothing was asked for and nothing is amiss."""
    lines = report_lines(verdicts, files) if report else []
    lines += plan_lines(files) if dry_run else pruned_lines(files)
    lines += [line for each in files if each.blamed for line in _unused_lines(each)]
    return [*lines, *rejected_lines(verdicts), *(f"orphan: {file} belongs to no test" for file in orphans)]


def report_lines(verdicts: Sequence[Verdict], files: Sequence[FileVerdict]) -> list[str]:
    """A line a test, what it left unused below it, what nobody used of shared files, and the sum."""
    lines: list[str] = []
    for verdict in sorted(verdicts, key=lambda verdict: verdict.test):
        lines.append(verdict.line)
        lines += [f"    missed {miss}" for miss in verdict.misses]
        for drifted in verdict.drifted:
            title, *differences = drifted.split("\n")
            lines += [f"    drifted {title}", *(f"    {difference}" for difference in differences)]
        lines += [f"    unused {title}" for title in verdict.unused if verdict.place.alone]
    for each in files:
        if each.unknown and not each.alone:
            lines.append(f"{each.cassette} ({each.tests}): what is unused is not known, since {each.unknown}")
        elif each.counted and not each.alone and not each.blamed:
            lines += _unused_lines(each)
    return [*lines, summary(verdicts, files)]


def plan_lines(files: Sequence[FileVerdict]) -> list[str]:
    """What a dry run found: per file, what would be recorded and dropped, and how sure that is."""
    changing = [each for each in files if each.unused or any(verdict.planned for verdict in each.verdicts)]
    lines: list[str] = []
    for each in changing:
        lines.append(f"{each.cassette} ({each.tests})")
        for verdict in each.verdicts:
            lines += _planned_lines(verdict, len(each.verdicts) > 1)
        at_most = " at most" if each.unknown and each.unused else ""
        lines += [f"    would drop{at_most} {title}" for title in each.unused]
        if at_most:
            lines.append(f"    what it drops is not certain, since {each.unknown}")
    same = len(files) - len(changing)
    return [*lines, f"{len(changing)} of {len(files)} cassettes would change, {same} would not"]


def pruned_lines(files: Iterable[FileVerdict]) -> list[str]:
    """What was dropped, and what was not since it may be in use."""
    lines = []
    for each in files:
        if each.prunes and each.unknown:
            lines.append(f"{each.cassette}: nothing was dropped, since {each.unknown}")
        elif each.prunes and each.counted:
            lines.append(f"{each.cassette}: dropped {_some(len(each.unused))} that no test asked for")
    return lines


def rejected_lines(verdicts: Sequence[Verdict]) -> list[str]:
    """Where the recordings of failed and skipped tests went."""
    return sorted(
        f"{each.test}: recordings not kept, see {each.rejected}" for each in verdicts if each.rejected
    )


def summary(verdicts: Sequence[Verdict], files: Sequence[FileVerdict]) -> str:
    """All tests in one line."""
    hits, recorded = sum(each.hits for each in verdicts), sum(each.recorded for each in verdicts)
    misses = sum(len(each.misses) for each in verdicts)
    unused = sum(len(each.unused) for each in files if each.counted)
    return f"{len(verdicts)} tests with a cassette: {hits} hit, {misses} missed, {recorded} recorded, {unused} unused"


def _planned_lines(verdict: Verdict, several: bool) -> list[str]:
    by = f" ({verdict.test})" if several else ""
    lines = []
    for planned in verdict.planned:
        title, *differences = planned.split("\n")
        lines += [f"    would record {title}{by}", *(f"      {difference}" for difference in differences)]
    if verdict.stopped:
        lines.append(f"    at least, since {verdict.test} could not go on")
    return lines


def _unused_lines(each: FileVerdict) -> list[str]:
    told = f"{each.cassette} ({each.tests}): {len(each.unused)} of {_some(each.total)} unused"
    return [told, *(f"    unused {title}" for title in each.unused)]


def _some(count: int) -> str:
    return f"{count} recording{'s' * (count != 1)}"
