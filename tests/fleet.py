"""Recording processes that go on for as long as they are wanted, and tell what they made and what was said to them."""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from msgspec import Struct

import recorder

from .accounting import call, client_of

ROOT = Path(__file__).parents[1]


class Told(Struct, frozen=True):
    """What one process says in the end; `closed` is whether its recorder found all stored."""

    made: tuple[str, ...]
    closed: bool
    lost: int


class Process:
    """A Python that knows these tests, under way."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def finish(self, timeout: float = 180.0) -> str:
        """Close its input and wait until it has ended well; what it printed."""
        stdout, self.stderr = self.process.communicate(timeout=timeout)
        assert self.process.returncode == 0, self.stderr
        return stdout

    def end_by(self, number: signal.Signals) -> str:
        """Send it a signal and wait until it has ended, however; what it printed."""
        self.process.send_signal(number)
        stdout, self.stderr = self.process.communicate(timeout=60)
        return stdout


class Ship(Process):
    """A process that records; without `calls` it goes on until it is ended."""

    def __init__(self, url: str, name: str, *, calls: int = 0, pause_s: float = 0.0, **options: Any) -> None:
        wanted = {"url": url, "name": name, "calls": calls, "pause_s": pause_s, "options": options}
        super().__init__("-m", "tests.fleet", json.dumps(wanted))
        self.name = name

    def tell(self, timeout: float = 180.0) -> Told:
        """Let it end by itself, and hear what it has to tell."""
        made, closed, lost = json.loads(self.finish(timeout))
        return Told(tuple(f"{self.name}-{number}" for number in range(made)), closed, lost)


class Fleet:
    """Processes of one test, none of which outlives it."""

    def __init__(self) -> None:
        self._processes: list[Process] = []

    def ship(self, url: str, name: str, **options: Any) -> Ship:
        """Start a recording process."""
        ship = Ship(url, name, **options)
        self._processes.append(ship)
        return ship

    def command(self, *arguments: str) -> Process:
        """Start a command of recorder's."""
        return self.python("-m", "recorder", *arguments)

    def python(self, *arguments: str, **environment: str) -> Process:
        """Start any program."""
        process = Process(*arguments, **environment)
        self._processes.append(process)
        return process

    def sink(self) -> None:
        """Leave none of them behind."""
        for each in self._processes:
            each.process.kill()
            each.process.communicate()


def main(url: str, name: str, calls: int, pause_s: float, options: dict[str, Any]) -> None:
    """What each process does."""
    logging.basicConfig(level=logging.WARNING)
    rec = recorder.Recorder(url, **options)
    client = client_of(rec)
    made = 0
    # The end of its input is the sign to stop.
    while made < calls or not (calls or select.select([sys.stdin], [], [], pause_s)[0]):
        call(client, f"{name}-{made}")
        made += 1
        if calls and pause_s:
            time.sleep(pause_s)
    closed = rec.close(120.0)
    print(json.dumps([made, closed, rec.lost]))


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
