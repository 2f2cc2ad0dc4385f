"""What came of one test's cassette, as a value that travels from xdist's workers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .claims import Place


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts, and titles (`POST https://…`) of what is listed.

    `drifted` are requests that were answered though they no longer equal their recordings, with the differences.
    `unused` are recordings that were there when the run began, at these `places` in the cassette.
    `rejected` is the file that recordings of a failed test went to; `planned` is what updating would
    record, with the differences, and `stopped` tells that there may be more, as a dry run could not go on.
    With `prunes`, what no test used is to be dropped.
    """

    test: str
    cassette: str
    place: Place
    mode: str
    by: str
    hits: int
    recorded: int
    total: int
    misses: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    places: tuple[int, ...] = ()
    planned: tuple[str, ...] = ()
    drifted: tuple[str, ...] = ()
    rejected: str = ""
    on_unused: str = "ignore"
    passed: bool = True
    prunes: bool = False
    stopped: bool = False

    @property
    def line(self) -> str:
        """What was hit, missed, recorded and, where no other test has a say in it, unused."""
        counts = f"{self.hits} hit, {len(self.misses)} missed, {self.recorded} recorded"
        if self.drifted:
            counts += f", {len(self.drifted)} drifted"
        if self.place.alone:
            return f"{self.test}: {counts}, {len(self.unused)} unused  ({self.cassette}, mode {self.mode})"
        return f"{self.test}: {counts}  ({self.cassette}, shared, mode {self.mode})"

    def packed(self) -> dict[str, Any]:
        """Plain lists, dicts and strings, as reports carry them between processes."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }


def unpacked(packed: dict[str, Any]) -> Verdict:
    """What `packed` made."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in packed.items()
    }
    return Verdict(**{**values, "place": Place(**values["place"])})
