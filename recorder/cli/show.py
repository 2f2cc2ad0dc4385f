"""`recorder show`: one call in full."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..errors import RecorderError
from . import options
from .console import output, write_text
from .page import Page
from .store import open_to_look
from .text import json_text, visible

if TYPE_CHECKING:
    from ..exchange import Exchange


def show(
    id: Annotated[
        str, typer.Argument(help="Any unique beginning or end of an id; `last` is the newest call.")
    ] = "last",
    headers: Annotated[
        bool, typer.Option("--headers", help="Also the headers of request and response.")
    ] = False,
    chunks: Annotated[bool, typer.Option("--chunks", help="Also each chunk, and when it came.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Cut nothing.")] = False,
    raw: Annotated[
        Literal["request", "response"] | None, typer.Option(help="Only this body, byte for byte.")
    ] = None,
    store: options.Store = None,
    format: options.Format = "table",
) -> None:
    """Show one call in full: timing, tokens, conversation, answer."""
    from .call_page import print_call
    from .reading import find_call, plain_reading, read_call

    opened = open_to_look(options.store_url(store))
    found = find_call(opened, id)
    if raw is not None:
        write_body(opened.exchange(found), raw, f"recorder show {found[-8:]}")
        return
    reading = read_call(opened, found)
    if format == "json":
        write_text(json_text(plain_reading(reading, headers=headers, chunks=chunks)))
        return
    print_call(Page(output(), full=full), reading, headers=headers, chunks=chunks)


def write_body(exchange: Exchange, side: str, command: str) -> None:
    """Write one body as it is; raises RecorderError where a terminal would obey something in it."""
    body = exchange.request.body if side == "request" else exchange.body
    if sys.stdout.isatty() and not _is_harmless(body):
        raise RecorderError(
            f"the {side} holds bytes that a terminal would obey; send them elsewhere: "
            f"{command} --raw {side} > {side}.bin"
        )
    sys.stdout.buffer.write(body)
    sys.stdout.buffer.flush()


def _is_harmless(body: bytes) -> bool:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return False
    return visible(text) == text
