"""What a cassette is to keep waits until the whole test is known to be good."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from recorder.cassettes import Recorded
from recorder.cassettes.source import Change
from recorder.exchange import Ending, Exchange, Request
from recorder.testing.pending import Pending


def recording(url: str) -> Recorded:
    return Recorded(Exchange(Request("GET", url, (), b""), 0, Ending("complete", 0)), "")


class Kept:
    """A source that remembers what is done to it."""

    name = "kept"

    def __init__(self) -> None:
        self.held: tuple[Recorded, ...] | None = None
        self.rejected: list[Recorded] = []

    def load(self) -> tuple[Recorded, ...] | None:
        return self.held

    def save(self, recordings: Sequence[Recorded]) -> None:
        self.held = tuple(recordings)

    def update(self, change: Change) -> None:
        self.held = tuple(change(self.held))

    def reject(self, recordings: Sequence[Recorded]) -> str:
        self.rejected += recordings
        return "kept.rej"


def test_changes_wait_and_see_what_others_wrote_meanwhile() -> None:
    source = Kept()
    pending = Pending(source)
    pending.update(lambda now: [*(now or ()), recording("/mine")])
    assert source.held is None
    source.save([recording("/theirs")])
    pending.keep()
    assert source.held == (recording("/theirs"), recording("/mine"))


def test_refused_changes_go_beside_the_cassette() -> None:
    source = Kept()
    source.save([recording("/old")])
    pending = Pending(source)
    pending.save([recording("/new")])
    pending.refuse()
    assert source.held == (recording("/old"),)
    assert (source.rejected, pending.rejected) == ([recording("/new")], "kept.rej")


@pytest.mark.parametrize("empty", [True, False])
def test_missing_cassette_can_count_as_empty(empty: bool) -> None:
    pending = Pending(Kept(), missing_is_empty=empty)
    assert pending.load() == (() if empty else None)
    assert pending.missing


def test_without_changes_nothing_is_written() -> None:
    source = Kept()
    pending = Pending(source)
    pending.keep()
    pending.refuse()
    assert (source.held, source.rejected, pending.rejected) == (None, [], "")
