"""`recorder db erase`: all that the calls of one person hold, removed for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from ..ledger.journal.status import condition
from ..ledger.url import is_sqlite, shown
from . import options
from .calls import counted
from .cassette_list import show_size
from .consent import ask
from .console import messages, output, say, write_text
from .journal_place import wanted_directory
from .leftovers import store_leftovers
from .progress import progress
from .text import json_text, styled, visible

if TYPE_CHECKING:
    from ..ledger.retention.erasing import Erased, Holdings


def erase(
    user: Annotated[str | None, typer.Option(metavar="ID", help="The calls of this user.")] = None,
    session: Annotated[
        str | None, typer.Option(metavar="ID", help="The calls of this session; with --user, of both.")
    ] = None,
    keep_numbers: Annotated[
        bool,
        typer.Option(
            "--keep-numbers", help="Keep rows of tokens, cost and times, without what says whose they are."
        ),
    ] = False,
    vacuum: Annotated[
        bool,
        typer.Option(help="Write a SQLite file anew, since its pages may hold what was removed earlier."),
    ] = True,
    journal: options.Journal = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, remove nothing.")] = False,
    yes: options.Yes = False,
    store: options.Store = None,
    format: options.Format = "table",
) -> None:
    """Erase all that the calls of a person hold, also from cassettes of the store; for those who must.

    Backups, snapshots, cassettes in files and exports are not reached from here.
    """
    from ..ledger import Retention
    from ..ledger.retention.erasing import Person

    if not (user or session):
        raise typer.BadParameter("say whose calls: --user or --session", param_hint="--user")
    url = options.store_url(store)
    directory = wanted_directory(url, journal)
    waiting = 0 if directory is None or not dry_run else condition(directory).records
    if not dry_run:
        store_leftovers(url)
    retention = Retention(url)
    if not dry_run:
        retention.store_waiting(directory)
    person = Person(user or None, session or None)
    held = retention.holdings(person)
    if format == "table":
        _print_held(held, waiting, dry_run=dry_run)
    done = None
    if (held.calls or held.unfinished) and not dry_run:
        if held.calls:
            ask(f"Erase {counted(held.calls, 'call')} for good?", yes=yes, needed=True)
        with progress("erasing") as advance:
            done = retention.erase(
                person, keep_numbers=keep_numbers, rewrite=vacuum, journal=directory, progress=advance
            )
    if format == "json":
        write_text(json_text(_plain(held, waiting, done)))
    elif done is not None:
        _print_done(done, url, keep_numbers=keep_numbers)


def _print_held(held: Holdings, waiting: int, *, dry_run: bool) -> None:
    console = output() if dry_run else messages()
    if waiting:
        wait = "1 call waits" if waiting == 1 else f"{waiting:,} calls wait"
        say(f"{wait} in the journal, of whoever it may be, and not counted here", "yellow")
    if held.unfinished:
        then = "the next one does" if dry_run else "this one does"
        say(f"An erasing was interrupted, or goes on now; what it has left to do, {then} as well.", "yellow")
    if not held.calls:
        say("There is no such call.")
        return
    size = show_size(held.payload_bytes)
    console.print(Text(f"{counted(held.calls, 'call')}, {counted(held.payloads, 'payload')} of {size}"))
    for name, entries in held.cassettes.items():
        text = styled(f"cassette {name}", "yellow").append(f": {counted(entries, 'recording')} of it")
        console.print(text, soft_wrap=True)
    if dry_run:
        console.print(Text("nothing was removed", style="dim"))


def _print_done(done: Erased, url: str, *, keep_numbers: bool) -> None:
    rows = "made nobody's" if keep_numbers else "erased"
    output().print(Text(f"{counted(done.calls, 'call')} {rows}, {counted(done.payloads, 'payload')} erased"))
    if done.entries:
        gone = f", and all of {', '.join(map(visible, done.cassettes))}" if done.cassettes else ""
        output().print(
            Text(f"{counted(done.entries, 'recording')} of cassettes erased{gone}"), soft_wrap=True
        )
    if not is_sqlite(url):
        say("The server's own log holds them until it is recycled.", "yellow")
    elif not done.rewritten:
        say(
            f"Pages of {shown(url)} may hold what was removed from them earlier, until it is vacuumed.",
            "yellow",
        )
    if not done.log_empty:
        say(
            f"Another program reads {shown(url)}, so its log {shown(url).rpartition('/')[2]}-wal still holds them; "
            "end that program, or run this again.",
            "yellow",
        )
    for name in done.journal:
        say(
            f"{name} may hold some of them until it is removed: with its program's end, or by hand.", "yellow"
        )
    say("Backups, snapshots, exports and cassettes in files have to be looked after by themselves.", "dim")


def _plain(held: Holdings, waiting: int, done: Erased | None) -> dict[str, Any]:
    import msgspec

    return {
        "calls": held.calls,
        "payloads": held.payloads,
        "payload_bytes": held.payload_bytes,
        "cassettes": dict(held.cassettes),
        "waiting": waiting,
        "unfinished": held.unfinished,
        "dry_run": done is None,
        "erased": None if done is None else msgspec.to_builtins(done),
    }
