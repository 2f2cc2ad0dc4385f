"""A program that starts recording processes and kills them at random points; it prints what their callers got."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
import threading
import time
from typing import NoReturn

import recorder

from .accounting import call, client_of

THREADS = 3


def record(url: str, name: str, output: int) -> NoReturn:
    """Make calls until killed; each is reported when it has returned."""
    client = client_of(recorder.Recorder(url))

    def go_on(thread: int) -> None:
        for number in range(1_000_000):
            call(client, f"{name}-{thread}-{number}")
            os.write(output, f"{name}-{thread}-{number}\n".encode())

    threads = [threading.Thread(target=go_on, args=(thread,)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    raise AssertionError("nobody killed this process")


def kill_one(url: str, name: str, dice: random.Random) -> list[str]:
    """Start a process, kill it, and give the calls that had returned."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        record(url, name, writing)
    os.close(writing)
    select.select([reading], [], [], 30)
    time.sleep(dice.uniform(0, 0.25))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with open(reading, "rb") as returned:
        return returned.read().decode().splitlines()


if __name__ == "__main__":
    dice = random.Random(int(sys.argv[3]))
    told = [kill_one(sys.argv[1], f"p{number}", dice) for number in range(int(sys.argv[2]))]
    print(json.dumps([name for each in told for name in each]))
