"""`recorder import`: calls from JSONL and HAR into the store."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal, cast

import typer
from rich.text import Text

from ..errors import CallFileError
from ..ledger.url import shown
from . import options
from .calls import counted
from .console import say, write_text
from .progress import Advance, progress
from .text import json_text, styled

if TYPE_CHECKING:
    from ..interchange.calls_import import CallImport, ImportedCalls

_FEW = 20

Kind = Literal["jsonl", "har"]


def import_calls(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="JSONL that `recorder export` wrote, or HAR; also with .gz; - is standard input.",
        ),
    ],
    kind: Annotated[
        Kind | None, typer.Option("--format", help="The kind of the files. Default: as their names say.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read all, write nothing.")] = False,
    store: options.Store = None,
    json: options.Summary = False,
) -> None:
    """Store calls from files, each once: those that the store has are left as they are.

    Secrets are taken out first, as of any call. From HAR come chat completions alone, priced at their own
    time. Exit code 1 if something was skipped because it could not be read.
    """
    from ..interchange.calls_import import CallImport

    named = [(file, _kind(file, kind)) for file in files]
    url = options.store_url(store)
    run = CallImport(url, dry_run=dry_run)
    with progress("importing") as advance:
        for file, each in named:
            (_add_jsonl if each == "jsonl" else _add_har)(run, file, advance)
    done = run.done
    if json:
        write_text(json_text(_plain(done, dry_run)))
    else:
        _print(done, url, dry_run)
    if done.skipped:
        raise typer.Exit(1)


def _kind(file: str, given: Kind | None) -> Kind:
    from ..interchange.calls_export import kind_of

    kind = given or ("jsonl" if file == "-" else kind_of(file))
    if kind not in ("jsonl", "har"):
        raise typer.BadParameter(
            f"{file!r} ends neither in .jsonl nor in .har; say --format", param_hint="--format"
        )
    if kind == "har" and file == "-":
        raise typer.BadParameter("a HAR is read from a file", param_hint="--format")
    return kind


def _add_jsonl(run: CallImport, name: str, advance: Advance) -> None:
    from ..interchange.calls_jsonl import read_lines

    called = "standard input" if name == "-" else name
    with _opened(name) as (file, size, position):
        run.add(read_lines(file, called), lambda: advance(position(), size))


def _add_har(run: CallImport, name: str, advance: Advance) -> None:
    from ..interchange.calls_har import read_har

    path = Path(name)
    if not path.is_file():
        raise CallFileError(f"there is no file {name!r} to import")
    number, entries = read_har(path)
    read = iter(range(1, number + 1))
    run.add(entries, lambda: advance(next(read), number))


@contextmanager
def _opened(name: str) -> Iterator[tuple[IO[bytes], int, Callable[[], int]]]:
    """A file to read, how many bytes it has on the disk, and what tells how many are read."""
    if name == "-":
        yield sys.stdin.buffer, 0, lambda: 0
        return
    try:
        with open(name, "rb") as raw:
            size = raw.seek(0, io.SEEK_END)
            raw.seek(0)
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file = cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if packed else raw
            yield file, size, raw.tell
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CallFileError(f"{name} cannot be read: {reason}") from error


def _plain(done: ImportedCalls, dry_run: bool) -> dict[str, Any]:
    import msgspec

    return {"dry_run": dry_run, **msgspec.to_builtins(done)}


def _print(done: ImportedCalls, url: str, dry_run: bool) -> None:
    for skipped in done.skipped[:_FEW]:
        say(styled(skipped, "yellow"))
    if len(done.skipped) > _FEW:
        say(f"… and {len(done.skipped) - _FEW:,} more; --json tells all", "yellow")
    verb = "would be imported" if dry_run else "imported"
    text = Text(f"{counted(done.imported, 'call')} {verb} into ").append_text(styled(shown(url), "cyan"))
    for number, what in (
        (done.known, "known already"),
        (done.redacted, "with secrets taken out"),
        (len(done.skipped), "skipped"),
        (done.others, "about something else"),
    ):
        if number:
            text.append(f" · {number:,} {what}")
    say(text)
