"""`recorder db`: looking after the store itself."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from . import options
from .calls import counted
from .console import output, say
from .db_erase import erase
from .db_prune import prune
from .db_snapshot import snapshot
from .db_stats import stats
from .db_status import status
from .progress import progress
from .store import open_store
from .text import styled

app = typer.Typer(help="Look after the store.", no_args_is_help=True)
app.command()(prune)
app.command()(erase)
app.command()(snapshot)
app.command()(status)
app.command()(stats)


@app.command()
def upgrade(store: options.Store = None) -> None:
    """Bring the store's tables up to this recorder; make them where there are none."""
    from ..ledger.upgrading import make_current  # SQLAlchemy takes 200 ms to import

    with progress("carrying over") as advance:
        before, after = make_current(options.store_url(store), advance)
    if before == after:
        output().print(Text(f"up to date ({after})"))
    else:
        output().print(Text(f"upgraded from {before or 'nothing'} to {after}"))


@app.command()
def rollup(
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Forget all figures, and count every call anew.")
    ] = False,
    store: options.Store = None,
) -> None:
    """Count the calls that are not in the rollups yet, from which reports are answered."""
    opened = open_store(options.store_url(store))
    with progress("counting") as advance:
        done = opened.roll_up(advance, rebuild=rebuild)
    output().print(Text(f"{counted(done, 'call')} counted" if done else "up to date"))


@app.command()
def index(
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Forget it, and look through all calls anew.")
    ] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Remove it; the next search makes it anew.")] = False,
    store: options.Store = None,
) -> None:
    """Look through the calls that the index of `ls --search` lacks, as each search does too."""
    if rebuild and drop:
        raise typer.BadParameter("contradicts --rebuild", param_hint="--drop")
    opened = open_store(options.store_url(store))
    if drop:
        opened.drop_index()
        output().print(Text("removed"))
        return
    with progress("indexing") as advance:
        done = opened.index(advance, rebuild=rebuild)
    output().print(Text(f"{counted(done, 'call')} looked through" if done else "up to date"))


@app.command()
def check(store: options.Store = None) -> None:
    """Read every call back and look for damage; exit code 1 if something is wrong."""
    opened = open_store(options.store_url(store))
    payloads = 0
    with progress("checking") as advance:

        def told(done: int, total: int) -> None:
            nonlocal payloads
            payloads = total
            advance(done, total)

        problems = opened.check(told)
    if not problems:
        output().print(
            Text(f"fine: {counted(opened.number_of_calls(), 'call')}, {counted(payloads, 'payload')}")
        )
        return
    for problem in problems:
        output().print(styled(problem))
    say(counted(len(problems), "problem"), "bold red")
    raise typer.Exit(1)
