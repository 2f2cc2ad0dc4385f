"""`recorder tail`: calls as they are stored, until Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import StoreNotFound
from ..ledger.url import shown
from . import options
from .calls import call_row, columns_for, plain_call
from .console import output, say, write_text
from .store import open_to_look
from .tables import lay_out, print_line
from .text import json_text

if TYPE_CHECKING:
    from ..ledger import Store

POLL_S = 0.5


def tail(
    number: Annotated[int, typer.Option("-n", min=0, help="How many earlier calls to begin with.")] = 10,
    store: options.Store = None,
    format: options.Format = "table",
) -> None:
    """Print calls as they are stored, until Ctrl-C."""
    try:
        batches = _batches(options.store_url(store), number)
        if format == "json":
            _print_json(batches)
        else:
            _print_table(batches)
    except KeyboardInterrupt:
        raise typer.Exit from None


def _batches(url: str, number: int) -> Iterator[list[dict[str, Any]]]:
    """The last calls, oldest first, then what comes; the first batch comes at once, even an empty one."""
    opened, history = _wait_for_store(url, max(1, number))
    arrivals = opened.follow(history[0]["seq"] if history else 0)
    yield history[:number][::-1]
    while True:
        if calls := arrivals.next():
            yield calls
        time.sleep(POLL_S)


def _wait_for_store(url: str, number: int) -> tuple[Store, list[dict[str, Any]]]:
    """The store, once there is one, and its last calls in the order in which they were stored, last first."""
    waiting = False
    while True:
        try:
            opened = open_to_look(url)
            return opened, opened.calls(limit=number, after_seq=0)
        except StoreNotFound:
            if not waiting:
                say(f"Nothing in {shown(url)} yet; waiting for a call …", "dim")
            waiting = True
            time.sleep(POLL_S)


def _print_json(batches: Iterator[list[dict[str, Any]]]) -> None:
    for calls in batches:
        for call in calls:
            write_text(json_text(plain_call(call), indent=None))


def _print_table(batches: Iterator[list[dict[str, Any]]]) -> None:
    console = output()
    layout = None
    for calls in batches:
        rows = [call_row(call) for call in calls]
        if layout is None:
            layout = lay_out(columns_for(calls), rows, console.width, more=True)
            print_line(console, layout.header())
        for row in rows:
            print_line(console, layout.line(row))
