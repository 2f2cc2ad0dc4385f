"""`recorder export`: calls as JSONL, CSV, Parquet or HAR."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Literal, cast

import typer
from rich.text import Text

from ..errors import CallFileError
from . import options
from .calls import counted
from .console import say, write_text
from .progress import progress
from .store import bring_index_up_to_date, open_to_look
from .text import json_text, styled, visible

if TYPE_CHECKING:
    from ..interchange.calls_export import Exported, Kind

_FEW = 3


def export(
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FILE",
            help="The file to write: .jsonl, .csv, .parquet or .har, also with .gz; - for standard output.",
        ),
    ] = "-",
    kind: Annotated[
        Literal["jsonl", "csv", "parquet", "har"] | None,
        typer.Option(
            "--format", help="The kind of file. Default: as the file's name says; JSONL on standard output."
        ),
    ] = None,
    since: options.Since = None,
    until: options.Until = None,
    search: options.Search = None,
    where: options.Where = None,
    tag: options.Tags = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, help="Only the newest so many.")
    ] = None,
    payloads: Annotated[
        bool, typer.Option("--payloads", help="In Parquet, also what went over the wire.")
    ] = False,
    overwrite: options.Overwrite = False,
    store: options.Store = None,
    json: options.Summary = False,
) -> None:
    """Write calls into a file, oldest first. JSONL has all that is known of each, for `recorder import`.

    HAR is for tools that show HTTP traffic; CSV and Parquet have the columns of `v_calls`. Exit code 1 if
    the payload of a call could not be read.
    """
    from ..interchange.calls_export import export_calls
    from ..ledger.selection import Selection

    kind = _kind(to, kind, payloads=payloads)
    since_us, until_us = options.period(since, until)
    url, query = options.store_url(store), options.query(search)
    if query is not None:
        bring_index_up_to_date(open_to_look(url))
    selection = Selection(
        url,
        since_us=since_us,
        until_us=until_us,
        where=options.conditions(where),
        tags=options.pairs(tag, "--tag"),
        limit=limit,
        search=query,
    )
    bar = nullcontext(_untold) if to == "-" and sys.stdout.isatty() else progress("exporting")
    with bar as advance, _opened(to, kind, overwrite) as file:
        done = export_calls(selection, kind, file, payloads=payloads, progress=advance)
    if json:
        _write_summary(to, kind, done)
    else:
        _print(to, done)
    if done.damaged:
        raise typer.Exit(1)


def _untold(done: int, total: int) -> None:
    """Where the calls themselves go to the terminal, a bar would stand among them."""


def _kind(to: str, given: Kind | None, *, payloads: bool) -> Kind:
    """The format that is asked for, by name or by the file's."""
    from ..interchange.calls_export import KINDS, kind_of

    kind = given or ("jsonl" if to == "-" else kind_of(to))
    if kind is None:
        raise typer.BadParameter(
            f"{to!r} ends in none of {', '.join(KINDS)}; say --format", param_hint="--to"
        )
    if payloads and kind != "parquet":
        raise typer.BadParameter(
            "is for Parquet; JSONL and HAR have them, CSV has not", param_hint="--payloads"
        )
    return kind


@contextmanager
def _opened(to: str, kind: Kind, overwrite: bool) -> Iterator[IO[bytes]]:
    if to != "-":
        from ..interchange.writing import written

        path = Path(to)
        if path.is_dir():
            raise CallFileError(f"{to} is a directory; name the file to write in it")
        if path.is_file() and not overwrite:
            raise CallFileError(f"{to} exists already; --overwrite replaces it")
        with written(path) as file:
            yield file
        return
    if not sys.stdout.isatty():
        with _explaining():
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    if kind == "parquet":
        raise CallFileError("Parquet is nothing for a terminal; name a file with --to")
    yield cast(IO[bytes], _Terminal())


@contextmanager
def _explaining() -> Iterator[None]:
    """Say why standard output takes no more; where its reader has left, nobody needs to be told."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CallFileError(f"standard output cannot be written: {error.strerror or error}") from error


class _Terminal:
    """Shows what is written, with all that a terminal would obey made visible."""

    def write(self, data: bytes) -> None:
        sys.stdout.write(visible(data.decode("utf-8", "replace").replace("\r\n", "\n")))


def _write_summary(to: str, kind: Kind, done: Exported) -> None:
    """As JSON; on standard error where the calls themselves went to standard output."""
    damaged = [{"id": id, "reason": reason} for id, reason in done.damaged.items()]
    counts = {"calls": done.calls, "without_payload": done.without_payload, "damaged": damaged}
    text = json_text({"file": to, "format": kind, **counts})
    if to == "-":
        sys.stderr.write(text + "\n")
    else:
        write_text(text)


def _print(to: str, done: Exported) -> None:
    text = Text(f"{counted(done.calls, 'call')} written")
    if to != "-":
        text.append(" to ").append_text(styled(to, "cyan"))
    if done.without_payload:
        text.append(f"; the payloads of {done.without_payload:,} had been removed")
    say(text)
    for reason in list(done.damaged.values())[:_FEW]:
        say(styled(reason, "red"))
    if len(done.damaged) > _FEW:
        say(
            f"… and {counted(len(done.damaged) - _FEW, 'more payload')}; `recorder db check` tells all", "red"
        )
