"""`recorder run`: records a program that knows nothing of it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import RecorderError, StoreNotFound
from ..ledger.url import check_url, shown
from . import options
from .calls import counted
from .console import say
from .store import absolute_url, command_for, open_store
from .text import visible

SITE = Path(__file__).parent / "site"
_FORWARDED = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")


def run(
    command: Annotated[
        list[str], typer.Argument(metavar="COMMAND", help="The program and its arguments, after --.")
    ],
    store: options.Store = None,
    otel: Annotated[
        bool,
        typer.Option(
            "--otel", help="Set OpenTelemetry up by its OTEL_* variables, for programs that do not do so."
        ),
    ] = False,
) -> None:
    """Record the calls of a program that stays as it is.

    For example: recorder run -- python app.py
    """
    url = absolute_url(options.store_url(store))
    check_url(url)
    since_us = time.time_ns() // 1000
    code = run_command(command, child_environment(url, os.environ, otel=otel))
    if code not in (126, 127) or shutil.which(command[0]):
        say(_told(url, since_us), "dim")
    raise typer.Exit(code)


def child_environment(url: str, environment: Mapping[str, str], *, otel: bool = False) -> dict[str, str]:
    """The environment in which a Python program records to a store, and with `otel` exports its spans too."""
    paths = [
        path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path and path != str(SITE)
    ]
    child = {**environment, "RECORDER_STORE": url, "PYTHONPATH": os.pathsep.join([str(SITE), *paths])}
    return {**child, "RECORDER_RUN_OTEL": "1"} if otel else child


def run_command(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end and give its exit code as a shell does: 127 not found, 128 + n signal n."""
    with _signals_forwarded() as children:
        try:
            child = subprocess.Popen(_program(command), env=dict(environment))
        except FileNotFoundError:
            return _refused(127, command[0], "command not found")
        except OSError as error:
            return _refused(126, command[0], error.strerror or str(error))
        children.append(child)
        code = child.wait()
    return 128 - code if code < 0 else code


def _program(command: Sequence[str]) -> list[str]:
    """The command as it is; only a bare `python` where there is none is this Python."""
    if command[0] == "python" and shutil.which("python") is None:
        return [sys.executable, *command[1:]]
    return list(command)


def _refused(code: int, name: str, reason: str) -> int:
    say(f"recorder: {visible(name)}: {reason}", "bold red")
    return code


@contextmanager
def _signals_forwarded() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Survive the signals that are meant for the child, and pass them on to it.

    Ctrl-C is not passed on where a terminal has sent it: there the child has got it as well.
    """
    children: list[subprocess.Popen[bytes]] = []

    def forward(number: int, frame: Any) -> None:
        for child in children:
            if not (number in (signal.SIGINT, getattr(signal, "SIGQUIT", None)) and _in_foreground()):
                child.send_signal(number)

    numbers = [signal.SIGINT, *(getattr(signal, name) for name in _FORWARDED if hasattr(signal, name))]
    # A handler that is a function becomes the default in the child; an ignored signal stays ignored there.
    before = {
        number: signal.signal(number, forward)
        for number in numbers
        if signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield children
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _in_foreground() -> bool:
    """Whether a terminal sends its signals to this process, and with it to its child."""
    try:
        with open("/dev/tty", "rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except (OSError, AttributeError):
        return os.name == "nt"


def _told(url: str, since_us: int) -> str:
    """What was recorded since then, and how to look at it."""
    number = 0
    try:
        number = sum(1 for _ in open_store(url).iterate_calls(("id",), since_us=since_us))
    except StoreNotFound:
        pass
    except RecorderError as error:
        return f"recorder: {error}"
    text = f"recorded {counted(number, 'call') if number else 'no calls'} in {shown(url)}"
    return f"{text} · {command_for('ls', url)}" if number else text
