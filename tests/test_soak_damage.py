"""A journal whose bytes were changed at random: nothing raises, nothing wrong is stored, what is lost is counted."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from recorder.exchange import Ending, Request, ResponseHead
from recorder.ledger.journal.backlog import claim_backlog
from recorder.ledger.journal.entries import Dropped, End, Start, frame_of
from recorder.ledger.journal.frames import MARK
from recorder.ledger.journal.kept import Kept
from recorder.ledger.journal.status import condition

NAME = "0123456789ab-1-00000000"
HEADERS = ((b"content-type", b"application/json"),)


def a_start(number: int, dice: random.Random) -> Start:
    body = b'{"model":"m-%d","pad":"%s"}' % (number, MARK * dice.randrange(30))
    request = Request("POST", "https://model.test/v1/chat/completions", HEADERS, body)
    ids = [(number + kind).to_bytes(16, "big") for kind in (1_000, 2_000)]
    return Start(ids[0], ids[1], bytes(16), bytes(8), (None, None, {}), None, "chat", "corp", request, number)


def an_end(number: int, dice: random.Random) -> End:
    chunks = tuple(dice.randbytes(dice.randrange(200)) for _ in range(dice.randrange(4)))
    head = ResponseHead(200, HEADERS, b"HTTP/1.1", b"OK", 5)
    times = tuple(range(len(chunks)))
    id = (number + 1_000).to_bytes(16, "big")
    return End(id, Ending("complete", 9), head, chunks, times, False, False, False)


def a_journal(directory: Path, dice: random.Random) -> dict[bytes, tuple[Start, End | None]]:
    """Segments of a process that ended, and what they say: calls that ended, were in flight, or were dropped."""
    said: dict[bytes, tuple[Start, End | None]] = {}
    records: list[bytes] = []
    for number in range(dice.randrange(2, 14)):
        start, end = a_start(number, dice), an_end(number, dice)
        kind = dice.random()
        ending = [] if kind < 0.1 else [Dropped(start.id)] if kind < 0.2 else [end]
        if kind >= 0.2 or kind < 0.1:
            said[start.id] = (start, end if kind >= 0.2 else None)
        place = dice.randrange(len(records) + 1)
        records.insert(place, frame_of(start))
        for entry in ending:
            records.insert(dice.randrange(place + 1, len(records) + 1), frame_of(entry))
    cut = dice.randrange(len(records))
    for number, part in enumerate((records[:cut], records[cut:]), 1):
        (directory / f"{NAME}.{number:010}.segment").write_bytes(b"".join(part))
    return said


def flip(data: bytearray, dice: random.Random) -> None:
    """Change a few bits."""
    for _ in range(dice.choice((1, 1, 2, 8))):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def blank(data: bytearray, dice: random.Random) -> None:
    """Lose a region, as a disk does."""
    at = dice.randrange(len(data))
    size = dice.randrange(1, 600)
    data[at : at + size] = bytes(len(data[at : at + size]))


def cut_out(data: bytearray, dice: random.Random) -> None:
    """Lose bytes so that what follows moves."""
    at = dice.randrange(len(data))
    del data[at : at + dice.randrange(1, 300)]


def insert(data: bytearray, dice: random.Random) -> None:
    """Get bytes that were never written, or that were before."""
    at, source = dice.randrange(len(data)), dice.randrange(len(data))
    data[at:at] = dice.choice((dice.randbytes(40), bytes(data[source : source + 400])))


def truncate(data: bytearray, dice: random.Random) -> None:
    """Lose the end."""
    del data[dice.randrange(len(data)) :]


HURTS: tuple[Callable[[bytearray, random.Random], None], ...] = (flip, flip, blank, cut_out, insert, truncate)


def hurt_one(directory: Path, dice: random.Random) -> bool:
    """Damage one segment; whether that may look as if half a record had been written when the process was killed."""
    paths = sorted(path for path in directory.glob("*.segment") if path.stat().st_size)
    path = dice.choice(paths)
    data = bytearray(path.read_bytes())
    hurt = dice.choice(HURTS)
    hurt(data, dice)
    path.write_bytes(data)
    return path == paths[-1] or hurt is truncate


def read_all(directory: Path, dice: random.Random) -> tuple[list[Kept], int]:
    """Store it as a writer does, in batches of any size; the calls, and how many are counted as lost."""
    backlog = claim_backlog(directory, NAME)
    assert backlog is not None
    backlog.look()
    found: list[Kept] = []
    while records := backlog.take(dice.randrange(1, 6)):
        found += records[: (count := dice.randrange(1, len(records) + 1))]
        backlog.settle(count)
    assert backlog.finished
    backlog.close(finished=True)
    return found, backlog.damaged


def is_own(kept: Kept, said: tuple[Start, End | None]) -> bool:
    """Whether this is what was written, or the call without its end."""
    return kept.start == said[0] and kept.end in (said[1], None)


@pytest.mark.parametrize("times", [150, pytest.param(20_000, marks=pytest.mark.soak)])
def test_damage_is_never_stored_and_never_silent(tmp_path: Path, times: int) -> None:
    lost_in_all = 0
    for seed in range(times):
        dice = random.Random(seed)
        directory = tmp_path / str(seed)
        directory.mkdir()
        said = a_journal(directory, dice)
        excused = hurt_one(directory, dice)
        corrupt = condition(directory).corrupt
        found, lost = read_all(directory, dice)
        assert all(is_own(kept, said[kept.id]) for kept in found if kept.id in said), seed
        assert all(kept.end is None for kept in found if kept.id not in said), seed
        whole = {kept.id for kept in found if kept.end is not None}
        missing = [id for id, (_, end) in said.items() if end is not None and id not in whole]
        assert not missing or lost or excused, seed
        assert bool(lost) <= bool(corrupt) or excused, seed
        left = sorted(path.name for path in directory.iterdir())
        assert left in ([], [f"{NAME}.corrupt"]), seed
        lost_in_all += lost
    assert lost_in_all
    print(f"{times:,} damaged journals: {lost_in_all:,} calls counted as lost, none stored wrong")


def test_a_position_that_was_changed_skips_nothing(tmp_path: Path) -> None:
    for seed in range(80):
        dice = random.Random(seed)
        said = a_journal(tmp_path, dice)
        backlog = claim_backlog(tmp_path, NAME)
        assert backlog is not None
        backlog.look()
        stored = [kept.id for kept in backlog.take(2)]
        backlog.settle(len(stored))
        backlog.close()
        data = bytearray((tmp_path / f"{NAME}.position").read_bytes())
        if data:
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
            (tmp_path / f"{NAME}.position").write_bytes(data)
        found, _ = read_all(tmp_path, dice)
        for path in tmp_path.iterdir():
            path.unlink()
        assert {*stored, *(kept.id for kept in found)} >= set(said), seed
