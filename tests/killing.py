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

import httpx2

import recorder

THREADS = 3
URL = "https://api.deepseek.com/chat/completions"
ANSWER = {"choices": [{"index": 0, "message": {"content": "Yes."}, "finish_reason": "stop"}]}


def record(url: str, name: str, output: int) -> None:
    """Make calls until killed; each is reported when it has returned."""
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=ANSWER))
    client = recorder.Recorder(url).wrap(httpx2.Client(transport=transport))

    def call(thread: int) -> None:
        for number in range(1_000_000):
            model = f"{name}-{thread}-{number}"
            client.post(URL, json={"model": model})
            os.write(output, f"{model}\n".encode())

    threads = [threading.Thread(target=call, args=(thread,)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


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
    print(json.dumps([kill_one(sys.argv[1], f"p{number}", dice) for number in range(int(sys.argv[2]))]))
