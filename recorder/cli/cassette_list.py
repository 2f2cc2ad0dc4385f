"""`recorder cassette list`: cassettes, one a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from ..errors import CassetteError
from ..ledger.url import shown
from . import options
from .calls import OUTCOME_STYLES, counted
from .cassette_place import OURS, files_under, open_file, open_stored
from .console import output, say, write_text
from .progress import progress
from .store import open_store
from .tables import Cell, Column, print_footer, print_table
from .text import json_text, styled
from .times import UNKNOWN, show_moment

if TYPE_CHECKING:
    from ..interchange.cassette_files import Opened
    from ..interchange.contents import Contents

_COLUMNS = (
    Column("cassette", floor=16, ceiling=70),
    Column("entries", "right"),
    Column("recorded", floor=11, drop=2),
    Column("size", "right", drop=1),
    Column("models", floor=18, ceiling=40, drop=4),
    Column("outcomes", floor=10, ceiling=60),
)
_FORMAT = Column("format", floor=6, ceiling=16, drop=3)

_Open = Callable[[], "Opened"]


def list_cassettes(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Cassette files, or folders of them. Default: the cassettes of the store.",
            show_default=False,
        ),
    ] = None,
    store: options.Store = None,
    format: options.Format = "table",
) -> None:
    """List cassettes: entries, age, size, models and outcomes."""
    url = options.store_url(store)
    found = list(_files(paths) if paths else _stored(url))
    rows: list[dict[str, Any]] = []
    with progress("reading") as advance:
        for done, (name, opened) in enumerate(found):
            advance(done, len(found))
            if (row := _read(name, opened)) is not None:
                rows.append(row)
    if format == "json":
        write_text(json_text([_plain(row) for row in rows]))
    elif rows:
        _print(rows)
    else:
        where = ", ".join(map(repr, map(str, paths))) if paths else shown(url)
        say(f"There is no cassette in {where}")
    if any(row["error"] for row in rows):
        raise typer.Exit(1)


def _stored(url: str) -> Iterator[tuple[str, _Open]]:
    for summary in open_store(url).cassettes():
        yield summary.name, partial(open_stored, summary.name, url)


def _files(paths: Sequence[Path]) -> Iterator[tuple[str, _Open]]:
    for path in paths:
        if not path.exists():
            raise CassetteError(f"there is no file or folder {str(path)!r}")
        for file in files_under(path) if path.is_dir() else [path]:
            yield str(file), partial(open_file, file)


def _read(name: str, opened: _Open) -> dict[str, Any] | None:
    """One row; None for a file that is no cassette at all."""
    from ..interchange import NoCassette
    from ..interchange.contents import read_entries, summarize

    try:
        cassette = opened()
        contents = summarize(read_entries(cassette.recordings), cassette.size)
    except NoCassette:
        return None
    except CassetteError as error:
        return {"name": name, "format": None, "contents": None, "error": str(error)}
    return {"name": name, "format": cassette.format, "contents": contents, "error": None}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    contents: Contents | None = row["contents"]
    figures = {} if contents is None else contents.plain()
    return {"name": row["name"], "format": row["format"], **figures, "error": row["error"]}


def _print(rows: Sequence[dict[str, Any]]) -> None:
    foreign = any(row["format"] not in (OURS, None) for row in rows)
    columns = (*_COLUMNS, _FORMAT) if foreign else _COLUMNS
    console = output()
    short = unique_tails([row["name"] for row in rows])
    print_table(console, columns, [_cells(row, tail) for row, tail in zip(rows, short, strict=True)])
    known: list[Contents] = [row["contents"] for row in rows if row["contents"] is not None]
    parts = [
        counted(len(rows), "cassette"),
        counted(sum(each.entries for each in known), "recording"),
        show_size(sum(each.bytes for each in known)),
    ]
    print_footer(console, parts)
    for row in rows:
        if row["error"]:
            say(Text().append("unreadable: ", "bold red").append_text(styled(row["error"])))


def unique_tails(names: Sequence[str]) -> list[str]:
    """As little of the end of each path as tells it from the others."""
    paths = [Path(name).parts for name in names]
    tails = [path[-1:] for path in paths]
    while True:
        taken = Counter(tails)
        longer = [
            path[-len(tail) - 1 :] if taken[tail] > 1 else tail
            for path, tail in zip(paths, tails, strict=True)
        ]
        if longer == tails:
            return [str(Path(*tail)) for tail in tails]
        tails = longer


def _cells(row: dict[str, Any], short: str) -> tuple[Cell, ...]:
    name = (styled(row["name"], "cyan"), styled(short, "cyan"))
    contents: Contents | None = row["contents"]
    unknown: Cell = (Text(UNKNOWN, style="dim"),)
    if contents is None:
        return (name, unknown, unknown, unknown, unknown, (Text("unreadable", "bold red"),), unknown)
    moment = unknown
    if contents.last_us is not None:
        moment = tuple(Text(each, style="dim") for each in show_moment(contents.last_us / 1e6))
    return (
        name,
        (Text(f"{contents.entries:,}"),),
        moment,
        (Text(show_size(contents.bytes)),),
        _models(contents.models) or unknown,
        _outcomes(contents.outcomes),
        (styled(row["format"], "dim"),),
    )


def _models(models: Sequence[str]) -> Cell:
    """All of them; where room is short, the first and how many others there are."""
    if not models:
        return ()
    first = styled(models[0])
    short = first if len(models) == 1 else first.copy().append(f" +{len(models) - 1}", "dim")
    return (Text(", ").join([styled(model) for model in models]), short)


def _outcomes(outcomes: dict[str, int]) -> Cell:
    """How many of each; where room is short, how many are fine."""
    parts = [
        Text(f"{number:,} ").append_text(styled(name, OUTCOME_STYLES.get(name, "")))
        for name, number in outcomes.items()
    ]
    fine, all = outcomes.get("ok", 0), sum(outcomes.values())
    return (Text(" · ").join(parts), Text(f"{fine:,} of {all:,} ").append("ok", OUTCOME_STYLES["ok"]))


def show_size(size: int) -> str:
    """`812 B`, `3.4 kB`, `12 MB`."""
    amount = float(size)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 9.95 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
