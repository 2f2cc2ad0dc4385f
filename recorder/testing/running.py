"""The cassette of one test while it runs: what fails the test, and whether its recordings are kept."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ..errors import RecorderWarning
from .claims import Place
from .pending import Pending
from .precedence import Chosen
from .strays import Strays
from .verdict import Verdict

if TYPE_CHECKING:
    from ..cassette_context import Cassette
    from ..cassettes import Recorded
    from ..interchange import Watch


@dataclass(slots=True)
class Running:
    """One test's cassette, from set-up to the end of tear-down; `passed` is told by the test's reports."""

    test: str
    cassette: Cassette
    pending: Pending
    strays: Strays
    place: Place
    mode: Chosen
    watch: Watch | None = None
    on_unused: str = "ignore"
    update: str | None = None
    passed: bool = False
    stopped: bool = False
    told: int = 0

    def missed(self) -> list[str]:
        """The misses since this was last asked; those of a dry run are its result, and fail no test."""
        if self.update == "dry-run":
            return []
        new = self.cassette.report.misses[self.told :]
        self.told += len(new)
        return [*new, *self.hint] if new else []

    @property
    def hint(self) -> list[str]:
        """What to do where the test has no cassette yet."""
        if not self.pending.missing or self.mode.value != "none":
            return []
        return [f"there is no file {_shown(self.place.file)}; record it with --recorder-mode=once"]

    def unused(self) -> str | None:
        """What the test left unused, as text; None if nothing, or if that is still for others to say."""
        report = self.cassette.report
        if not report.unused or self.mode.value in ("all", "rewrite") or not self.place.alone:
            return None
        titles = "\n".join(f"  {title}" for title in _titles(report.unused))
        return (
            f"cassette {_shown(self.place.file)!r}: {len(report.unused)} of {report.total} recordings were not "
            f"asked for\n{titles}\ndrop them with --recorder-update, or accept them with on_unused='ignore'"
        )

    def check_unused(self) -> None:
        """After a test that passed: fail it for what it left unused, where that is wanted."""
        if self.on_unused == "fail" and (text := self.unused()):
            pytest.fail(text, pytrace=False)

    def settle(self, report: pytest.TestReport) -> None:
        """Whether the test is good so far; one that was to fail and did so is, unless it missed."""
        expected = report.skipped and hasattr(report, "wasxfail")
        if expected and self.update != "dry-run" and self.cassette.report.misses:
            expected = False
            del report.wasxfail
            report.outcome = "failed"
            if texts := self.missed():
                report.sections.append(("recorder", "\n\n".join(texts)))
        elif report.failed and self.update == "dry-run" and self.cassette.report.anew:
            self.stopped = True
            reason = f"Skipped: only after an update is it known how this ends: {_last_line(report)}"
            report.outcome, report.longrepr = "skipped", (report.location[0], report.location[1] or 0, reason)
        if report.when == "call" or (expected and report.when == "setup"):
            self.passed = report.passed or expected

    def leave(self) -> None:
        """The test's own fixtures are torn down: its clients are no longer covered."""
        if not self.passed:
            self.cassette.discard("its test did not pass")
        self.cassette.__exit__(None, None, None)
        self.strays.leave()
        told = self.strays.told()
        if self.passed and self.on_unused == "warn" and (text := self.unused()):
            told.append(text)
        for text in told:
            warnings.warn(RecorderWarning(text), stacklevel=2)

    def end(self) -> None:
        """All is torn down: what was recorded is kept if the test was good to the end."""
        if self.passed:
            self.pending.keep()
        else:
            self.pending.refuse()

    @property
    def rejected(self) -> str:
        """The file that recordings went to which are not kept; "" if there are none."""
        return _shown(self.pending.rejected) if self.pending.rejected else ""

    def verdict(self) -> Verdict:
        """What came of it."""
        report = self.cassette.report
        unused, places = self._left()
        return Verdict(
            test=self.test,
            cassette=_shown(self.place.file),
            place=self.place,
            mode=self.mode.value,
            by=self.mode.by,
            hits=report.hits,
            recorded=report.recorded if self.passed else 0,
            total=len(self.pending.loaded),
            misses=tuple(miss.partition("\n")[0] for miss in report.misses),
            unused=tuple(_titles(unused)),
            places=places,
            planned=report.anew,
            drifted=tuple(map(str, self.watch.report().drifted)) if self.watch is not None else (),
            rejected=self.rejected,
            on_unused=self.on_unused,
            passed=self.passed,
            prunes=self.update == "yes" or (self.mode.value == "rewrite" and not self.place.alone),
            stopped=self.stopped,
        )

    def _left(self) -> tuple[list[Recorded], tuple[int, ...]]:
        """What of the cassette the test has no use for, and its places."""
        loaded, ids = self.pending.loaded, {id(each) for each in self.cassette.report.unused}
        if self.mode.value == "rewrite":
            ids = set() if self.place.alone else {id(each) for each in loaded}
        places = tuple(place for place, each in enumerate(loaded) if id(each) in ids)
        return [loaded[place] for place in places], places


def _titles(recordings: Iterable[Recorded]) -> list[str]:
    return [f"{each.request.method} {each.request.url}" for each in recordings]


def _last_line(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(getattr(crash, "message", report.longrepr))
    return text.partition("\n")[0]


def _shown(name: str) -> str:
    """The path as short as it can be said here."""
    path = os.path.relpath(name) if Path(name).is_relative_to(Path.cwd()) else name
    return path.replace(os.sep, "/")
