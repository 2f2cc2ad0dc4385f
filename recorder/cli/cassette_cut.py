"""`recorder cassette cut`: calls that were recorded in production as a cassette for a test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import CallNotFound
from ..ledger.url import shown
from . import options
from .cassette_export import write_file
from .cassette_place import refuse_existing
from .cassette_stub import test_stub
from .console import write_text
from .store import open_to_look

if TYPE_CHECKING:
    from ..ledger import Store


def cut_cassette(
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="The cassette file to write.")],
    trace: Annotated[str | None, typer.Option(metavar="ID", help="All calls of this trace.")] = None,
    call: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="This call: any unique beginning or end of its id; may be repeated."),
    ] = None,
    session: Annotated[str | None, typer.Option(metavar="ID", help="All calls of this session.")] = None,
    since: options.Since = None,
    until: options.Until = None,
    include_replayed: Annotated[
        bool, typer.Option("--include-replayed", help="Also calls that were themselves replayed.")
    ] = False,
    overwrite: options.Overwrite = False,
    keep_secrets: options.KeepSecrets = False,
    store: options.Store = None,
) -> None:
    """Cut recorded calls out of the store as a cassette file, and print a test that replays it."""
    from ..interchange.excerpt import cut_calls

    if sum((bool(call), trace is not None, session is not None)) != 1:
        raise typer.BadParameter("give one of --trace, --call and --session", param_hint="--trace")
    if call and (since or until):
        raise typer.BadParameter("goes with --trace and --session only", param_hint="--since, --until")
    url = options.store_url(store)
    refuse_existing(to, overwrite)
    opened = open_to_look(url)
    if call:
        rows = [opened.call(id) for id in dict.fromkeys(opened.find(part) for part in call)]
    else:
        where = {"trace_id": trace} if trace is not None else {"session_id": session or ""}
        rows = _rows(opened, url, where, *options.period(since, until))
    excerpt = cut_calls(opened, rows, replayed=include_replayed)
    write_file(to, excerpt.recordings, keep_secrets=keep_secrets)
    write_text(test_stub(to, excerpt.rows))


def _rows(
    store: Store, url: str, where: Mapping[str, str], since_us: int | None, until_us: int | None
) -> list[dict[str, Any]]:
    rows = store.calls(limit=None, newest_first=False, where=where, since_us=since_us, until_us=until_us)
    if not rows:
        ((column, value),) = where.items()
        raise CallNotFound(
            f"no call in {shown(url)} has the {column.replace('_id', ' id')} {value!r} in that time"
        )
    return rows
