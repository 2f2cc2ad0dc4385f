"""`recorder drain`: carry what waits in the journal into the store."""

from __future__ import annotations

import threading
from typing import Annotated

import typer
from rich.text import Text

from ..errors import StoreError
from ..ledger.journal.draining import Draining
from ..ledger.journal.refused import try_again
from ..ledger.url import check_url, shown
from . import options
from .calls import counted
from .console import output, say
from .journal_place import wanted_directory

POLL_S = 0.5


def drain(
    watch: Annotated[bool, typer.Option("--watch", help="Go on with what comes, until Ctrl-C.")] = False,
    refused: Annotated[
        bool, typer.Option("--refused", help="Try again what the store would not have before.")
    ] = False,
    store: options.Store = None,
    journal: options.Journal = None,
) -> None:
    """Carry calls from the journal into the store: those of ended programs, and of Recorder(drain="external")."""
    url = options.store_url(store)
    check_url(url)
    directory = wanted_directory(url, journal, there=not watch)
    if directory is None:
        raise StoreError(f"{shown(url)} has no journal; name its directory with --journal")
    if refused:
        try_again(directory)
    draining = Draining(url, directory)
    try:
        done = draining.run()
        if watch:
            say(f"Watching the journal of {shown(url)}; Ctrl-C ends it", "dim")
            draining.watch(POLL_S, threading.main_thread().is_alive)
    except KeyboardInterrupt:
        done = True
    finally:
        draining.close()
    output().print(Text(f"{counted(draining.stored, 'call')} stored in {shown(url)}"), soft_wrap=True)
    if not done:
        raise StoreError(draining.failure)
