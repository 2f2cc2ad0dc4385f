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
from .pending import Pending
from .precedence import Chosen
from .verdict import Verdict

if TYPE_CHECKING:
    from ..cassette_context import Cassette
    from ..cassettes import Recorded


@dataclass(slots=True)
class Running:
    """One test's cassette, from set-up to the end of tear-down; `passed` is told by the test's reports."""

    test: str
    cassette: Cassette
    pending: Pending
    file: Path
    mode: Chosen
    on_unused: str = "ignore"
    passed: bool = False
    told: int = 0

    def missed(self) -> list[str]:
        """The misses since this was last asked."""
        new = self.cassette.report.misses[self.told :]
        self.told += len(new)
        return list(new)

    @property
    def hint(self) -> list[str]:
        """What to do where the test has no cassette yet."""
        if not self.pending.missing or self.mode.value != "none":
            return []
        return [f"there is no file {_shown(self.file)}; record it with --recorder-mode=once"]

    def unused(self) -> str | None:
        """What the test left unused, as text; None if nothing."""
        report = self.cassette.report
        if not report.unused or self.mode.value in ("all", "rewrite"):
            return None
        titles = "\n".join(f"  {title}" for title in _titles(report.unused))
        return (
            f"cassette {_shown(self.file)!r}: {len(report.unused)} of {report.total} recordings were not asked for\n"
            f"{titles}\ndrop them with --recorder-update, or accept them with on_unused='ignore'"
        )

    def check_unused(self) -> None:
        """After a test that passed: fail it for what it left unused, where that is wanted."""
        if self.on_unused == "fail" and (text := self.unused()):
            pytest.fail(text, pytrace=False)

    def leave(self) -> None:
        """The test's own fixtures are torn down: its clients are no longer covered."""
        if not self.passed:
            self.cassette.discard()
        self.cassette.__exit__(None, None, None)
        if self.passed and self.on_unused == "warn" and (text := self.unused()):
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
        return _shown(Path(self.pending.rejected)) if self.pending.rejected else ""

    def verdict(self) -> Verdict:
        """What came of it."""
        report = self.cassette.report
        return Verdict(
            test=self.test,
            cassette=_shown(self.file),
            mode=self.mode.value,
            by=self.mode.by,
            hits=report.hits,
            recorded=report.recorded if self.passed else 0,
            total=report.total,
            misses=tuple(miss.partition("\n")[0] for miss in report.misses),
            unused=tuple(_titles(report.unused)),
            planned=report.anew,
            dropped=tuple(_titles(report.dropped)) if self.passed else (),
            rejected=self.rejected,
            passed=self.passed,
        )


def _titles(recordings: Iterable[Recorded]) -> list[str]:
    return [f"{each.exchange.request.method} {each.exchange.request.url}" for each in recordings]


def _shown(file: Path) -> str:
    """The path as short as it can be said here."""
    path = os.path.relpath(file) if file.is_relative_to(Path.cwd()) else str(file)
    return path.replace(os.sep, "/")
