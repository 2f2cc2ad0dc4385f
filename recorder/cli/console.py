"""The two consoles: results go to standard output, all that is said about them to standard error."""

from __future__ import annotations

import codecs
import os
import sys

from rich.console import Console
from rich.text import Text

_WIDTH_WITHOUT_TERMINAL = 200
_PLAIN = str.maketrans({"–": "-", "→": ">", "·": "|", "…": "~", "│": "|", "╷": ".", "━": "="})


def output() -> Console:
    """Standard output, as wide as the terminal; wider where there is none, since no one's screen is cut."""
    return _console(stderr=False)


def messages() -> Console:
    """Standard error."""
    return _console(stderr=True)


def say(text: Text | str, style: str = "") -> None:
    """Say something on standard error; the terminal wraps it, so that a command in it can be copied."""
    messages().print(text if isinstance(text, Text) else Text(text, style=style), soft_wrap=True)


def write_text(text: str) -> None:
    """Write text to standard output as it is, with a line end, past any wrapping."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def accept_any_character() -> None:
    """Let both streams print what their encoding lacks: our own signs as one of ASCII, all else escaped."""
    codecs.register_error("recorder", _replaced)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="recorder")


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAIN)
    return text.encode("ascii", "backslashreplace").decode(), error.end


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal and not os.environ.get("COLUMNS"):
        console.width = _WIDTH_WITHOUT_TERMINAL
    return console
