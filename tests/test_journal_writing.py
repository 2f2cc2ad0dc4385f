"""Writing to segments: what the system says comes back, and a slow disk holds up nobody else for long."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from recorder.ledger.journal import writing
from recorder.ledger.journal.writing import Writing

DATA = b"\0record\0" * 1000


def test_what_is_written_is_in_the_file(tmp_path: Path) -> None:
    with (tmp_path / "segment").open("wb") as file:
        assert Writing().write(file.fileno(), DATA) == len(DATA)
    assert (tmp_path / "segment").read_bytes() == DATA


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is full here")
def test_a_full_disk_is_told() -> None:
    with open("/dev/full", "wb", buffering=0) as file, pytest.raises(OSError, match="No space") as told:
        Writing().write(file.fileno(), DATA)
    assert told.value.errno == errno.ENOSPC


@pytest.mark.skipif(writing._held is None, reason="other threads always go on here")
def test_others_go_on_while_a_slow_disk_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow: list[int] = []

    def released(file: int, data: bytes) -> int:
        slow.append(file)
        return len(data)

    monkeypatch.setattr(os, "write", released)
    times = iter([0.0, 0.001, 1.0, 1.2, 2.0, 12.0, 12.001])
    with (tmp_path / "segment").open("wb") as file:
        one = Writing(clock=lambda: next(times))
        assert [one.write(file.fileno(), DATA) for _ in range(4)] == [len(DATA)] * 4
        assert slow == [file.fileno()]
