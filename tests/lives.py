"""Programs that record while they fork, spawn, exec, end in odd ways or lose their store; each tells its calls."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

import httpx2

import recorder

from .accounting import call, client_of


def tell(client: httpx2.Client, name: str) -> None:
    """Make a call and say so when it has returned."""
    call(client, name)
    os.write(1, f"{name}\n".encode())


def some(url: str, name: str, number: int = 20) -> None:
    """A few calls with a recorder of one's own, which nobody closes."""
    client = client_of(recorder.Recorder(url))
    for each in range(number):
        tell(client, f"{name}-{each}")


def forever(client: httpx2.Client, name: str) -> NoReturn:
    """Calls until something ends this."""
    number = 0
    while True:
        tell(client, f"{name}-{number}")
        number += 1
        time.sleep(0.002)


def prefork(url: str, rounds: str) -> None:
    """A master makes the recorder, workers serve; they end in every way and are replaced."""
    client = client_of(recorder.Recorder(url))
    tell(client, "master-0")
    dice = random.Random(2)

    def worker(name: str) -> int:
        if (child := os.fork()) == 0:
            signal.signal(signal.SIGUSR1, lambda *_: os._exit(0))
            signal.signal(signal.SIGUSR2, lambda *_: sys.exit(0))
            with suppress(SystemExit):
                forever(client, name)
            sys.exit(0)
        return child

    workers = [worker(f"w{number}") for number in range(3)]
    ends = (signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
    for turn in range(int(rounds)):
        time.sleep(dice.uniform(0.05, 0.2))
        tell(client, f"master-{turn + 1}")
        gone = workers.pop(0)
        os.kill(gone, ends[turn % len(ends)])
        os.waitpid(gone, 0)
        workers.append(worker(f"r{turn}"))
    for each in workers:
        os.kill(each, signal.SIGKILL)
        os.waitpid(each, 0)


def spawned(url: str) -> None:
    """Processes of multiprocessing's, made in each way, beside the one that makes them."""
    some(url, "parent")
    for method in multiprocessing.get_all_start_methods():
        context: Any = multiprocessing.get_context(method)
        children = [context.Process(target=some, args=(url, f"{method}-{number}")) for number in range(2)]
        for child in children:
            child.start()
        for child in children:
            child.join()
            assert child.exitcode == 0


def in_flight(url: str) -> None:
    """The interpreter ends while daemon threads make calls."""
    client = client_of(recorder.Recorder(url))
    for number in range(3):
        threading.Thread(target=forever, args=(client, f"t{number}"), daemon=True).start()
    time.sleep(0.3)


def leaving_threads(url: str) -> None:
    """Threads leave by sys.exit, and their program ends after them."""
    client = client_of(recorder.Recorder(url))

    def leave(name: str) -> None:
        tell(client, name)
        sys.exit(3)

    for number in range(20):
        threading.Thread(target=leave, args=(f"t-{number}",)).start()


def torn_off(url: str) -> None:
    """No handler of any kind runs at the end."""
    some(url, "c")
    os._exit(0)


def terminated(url: str) -> None:
    """The signal that service managers send, which nobody handles."""
    some(url, "c")
    os.kill(os.getpid(), signal.SIGTERM)


def raised(url: str) -> None:
    """An error nobody catches."""
    some(url, "c")
    raise RuntimeError("the program's own")


def replaced(url: str) -> None:
    """The process becomes another program, which records too."""
    some(url, "before")
    os.execv(sys.executable, [sys.executable, "-m", "tests.lives", "torn_off", url])


def two(url: str) -> None:
    """Two recorders of one process have one store, one of them is closed early; a client has both."""
    first, second = recorder.Recorder(url), recorder.Recorder(url)
    clients = client_of(first), client_of(second)
    for number in range(40):
        tell(clients[number % 2], f"c-{number}")
        if number == 20:
            first.flush()
    first.close()
    second.close()


LIVES: dict[str, Callable[..., None]] = {
    each.__name__: each
    for each in (prefork, spawned, in_flight, leaving_threads, torn_off, terminated, raised, replaced, two)
}

if __name__ == "__main__":
    LIVES[sys.argv[1]](*sys.argv[2:])
