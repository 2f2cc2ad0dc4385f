"""Asking before something is removed for good."""

from __future__ import annotations

import sys

import typer

from ..errors import RecorderError
from .console import say


def ask(question: str, *, yes: bool, needed: bool = False) -> None:
    """Ask at a terminal, unless the answer was given; ends with exit code 1 where it is no.

    Where nobody can be asked it goes on, unless an answer is `needed`: then RecorderError says how to give it.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        if needed:
            raise RecorderError("nobody is there to ask; if this is to be done, say so with --yes")
        return
    if not typer.confirm(question, err=True):
        say("Nothing was removed.")
        raise typer.Exit(1)
