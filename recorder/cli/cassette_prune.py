"""`recorder cassette prune`: recordings that are too old or not wanted any more are removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from ..errors import CassetteError
from . import options
from .calls import counted
from .cassette_place import file_source, files_under, is_ours, store_source
from .cassette_show import entry_numbers
from .console import output, say, write_text
from .store import open_store
from .text import json_text, styled

if TYPE_CHECKING:
    from ..cassettes import CassetteSource, Recorded

_Wanted = Callable[[Sequence["Recorded"]], set[int]]
"""Which recordings go, by place."""


def prune_cassettes(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME|FILE|DIR",
            help="Which cassettes. Default: all of the store.",
            show_default=False,
        ),
    ] = None,
    older_than: Annotated[
        str | None, typer.Option(metavar="TIME", help="Remove recordings older than that: 90d, 2026-01-01.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="PATTERN",
            help="Only cassettes with such a name, such as 'checkout-*'; alone, all of them.",
        ),
    ] = None,
    entries: Annotated[
        list[str] | None,
        typer.Option(metavar="N", help="Remove these entries of one cassette: 3, 1,4 or 2-5."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, remove nothing.")] = False,
    store: options.Store = None,
    format: options.Format = "table",
) -> None:
    """Remove recordings by age, name or number; a cassette without recordings goes as a whole.

    Calls that a cassette of the store refers to stay in the store.
    """
    if not (older_than or name or entries):
        raise typer.BadParameter(
            "say what to remove: --older-than, --name or --entries", param_hint="--older-than"
        )
    url = options.store_url(store)
    found = [
        (its_name, source)
        for its_name, source in _sources(names or [], url)
        if name is None or fnmatchcase(its_name, name) or fnmatchcase(Path(its_name).name, name)
    ]
    if entries and len(found) != 1:
        raise typer.BadParameter(f"goes with one cassette, not with {len(found)}", param_hint="--entries")
    wanted = _wanted(options.moment(older_than, "--older-than"), entries)
    rows = [_prune(its_name, source, wanted, dry_run) for its_name, source in found]
    rows = [row for row in rows if row["removed"]]
    if format == "json":
        write_text(json_text(rows))
    else:
        _print(rows, dry_run)


def _wanted(older_us: int | None, entries: Sequence[str] | None) -> _Wanted:
    """What all criteria together mean; a recording whose time is unknown is never too old."""

    def wanted(recordings: Sequence[Recorded]) -> set[int]:
        places = set(range(len(recordings)))
        if entries:
            places = {number - 1 for number in entry_numbers(entries, len(recordings), "--entries")}
        if older_us is not None:
            places = {place for place in places if 0 < recordings[place].exchange.started_us < older_us}
        return places

    return wanted


def _sources(names: Sequence[str], url: str) -> Iterator[tuple[str, CassetteSource]]:
    if not names:
        for summary in open_store(url).cassettes():
            yield summary.name, store_source(summary.name, url)
    for name in names:
        path = Path(name)
        if path.is_dir():
            yield from ((str(file), file_source(file)) for file in files_under(path) if is_ours(file))
        elif path.is_file():
            if not is_ours(path):
                raise CassetteError(f"{name} is no cassette of recorder, and others are only read")
            yield name, file_source(path)
        else:
            yield name, store_source(name, url)


def _prune(name: str, source: CassetteSource, wanted: _Wanted, dry_run: bool) -> dict[str, Any]:
    """Remove what is wanted of one cassette; what that was."""
    recordings = source.load()
    if recordings is None:
        raise CassetteError(f"there is no file and no cassette {name!r}; `recorder cassette list` shows them")
    places = wanted(recordings)
    gone = {id(recordings[place]) for place in places}
    whole = len(gone) == len(recordings)
    if places and not dry_run:
        if whole:
            _remove(source)
        else:
            removed = [recordings[place] for place in sorted(places)]
            source.update(lambda now: _without(now or (), removed))
    return {
        "name": name,
        "removed": [place + 1 for place in sorted(places)],
        "left": len(recordings) - len(places),
        "whole": whole,
    }


def _without(now: Sequence[Recorded], removed: Sequence[Recorded]) -> list[Recorded]:
    """What is there now but for those, each taken away once."""
    left = list(now)
    for each in removed:
        if each in left:
            left.remove(each)
    return left


def _remove(source: CassetteSource) -> None:
    from ..ledger import StoreCassette

    if isinstance(source, StoreCassette):
        source.delete()
    else:
        Path(source.name).unlink(missing_ok=True)


def _print(rows: Sequence[dict[str, Any]], dry_run: bool) -> None:
    verb = "would go" if dry_run else "removed"
    for row in rows:
        text = styled(row["name"], "cyan").append(f"  {counted(len(row['removed']), 'recording')} {verb}")
        text.append(", and the cassette with it" if row["whole"] else f", {row['left']} left")
        output().print(text, soft_wrap=True)
    total = sum(len(row["removed"]) for row in rows)
    if not rows:
        say("Nothing to remove.")
    elif len(rows) > 1:
        say(Text(f"{counted(total, 'recording')} of {counted(len(rows), 'cassette')} {verb}", "dim"))
