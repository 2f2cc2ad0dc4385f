"""`recorder cassette import`: recordings of other tools as cassette files, or a cassette file into the store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from ..errors import CassetteError
from ..ledger.url import shown
from . import options
from .calls import counted
from .cassette_place import OURS, is_ours, open_file, tell_notes
from .console import output, say, write_text
from .progress import progress
from .text import json_text, styled

if TYPE_CHECKING:
    from ..cassettes import CassetteSource, Recorded
    from ..interchange import Summary


def import_cassettes(
    source: Annotated[
        Path,
        typer.Argument(
            help="A file or a directory: vcrpy (YAML, JSON), pytest-recording, cassetter, ruby VCR, go-vcr, HAR; "
            "with --to-store also a cassette file of recorder.",
            metavar="FILE|DIR",
        ),
    ],
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE|DIR", help="Write cassette files there.")
    ] = None,
    to_store: Annotated[
        str | None,
        typer.Option("--to-store", metavar="NAME", help="Keep one file as this cassette of the store."),
    ] = None,
    overwrite: options.Overwrite = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read all, write nothing.")] = False,
    keep_secrets: options.KeepSecrets = False,
    store: options.Store = None,
    format: options.Format = "table",
) -> None:
    """Import recordings of other tools; exit code 1 if something was left behind."""
    if (to is None) == (to_store is None):
        raise typer.BadParameter("give one of --to and --to-store", param_hint="--to")
    if not source.exists():
        raise CassetteError(f"there is no file or directory {str(source)!r} to import")
    if to_store is not None:
        if keep_secrets:
            raise typer.BadParameter("is for files; the store keeps no secrets", param_hint="--keep-secrets")
        _into_store(source, to_store, options.store_url(store), overwrite=overwrite, dry_run=dry_run)
        return
    assert to is not None
    if source.is_file() and is_ours(source):
        raise CassetteError(
            f"{source} is a cassette of recorder already; --to-store NAME keeps it in the store"
        )
    summary = _into_files(source, to, overwrite=overwrite, dry_run=dry_run, redact=not keep_secrets)
    if format == "json":
        write_text(json_text(_plain(summary)))
    else:
        _print(summary, dry_run)
    if not summary.complete or not summary.imported:
        raise typer.Exit(1)


def _into_files(source: Path, to: Path, *, overwrite: bool, dry_run: bool, redact: bool) -> Summary:
    from ..interchange import import_tree

    with progress("importing") as advance:
        return import_tree(
            source,
            to,
            progress=lambda done, total, name: advance(done, total),
            overwrite=overwrite,
            redact=redact,
            target=_nowhere if dry_run else None,
        )


def _into_store(source: Path, name: str, url: str, *, overwrite: bool, dry_run: bool) -> None:
    if source.is_dir():
        raise CassetteError(f"{source} is a directory; --to-store takes one file, which becomes one cassette")
    opened = open_file(source)
    tell_notes(opened)
    if dry_run:
        say(f"{counted(len(opened.recordings), 'recording')} ({opened.format}) would be kept as {name!r}")
        return
    from ..interchange.storing import store_recordings

    with progress("storing") as advance:
        new = store_recordings(url, name, opened.recordings, overwrite=overwrite, progress=advance)
    known = len(opened.recordings) - new
    text = Text(f"{counted(len(opened.recordings), 'recording')} kept as ").append_text(styled(name, "cyan"))
    text.append(f" in {shown(url)}").append(f"; {known} of them the store had already" if known else "")
    say(text)
    if opened.format != OURS and opened.notes:
        raise typer.Exit(1)


def _print(summary: Summary, dry_run: bool) -> None:
    console = output()
    for number, line in enumerate(summary.lines()):
        indented = len(line) - len(line.lstrip())
        text = styled(line, "dim" if indented else "bold" if number == 0 else "yellow")
        console.print(text, soft_wrap=True)
    if dry_run:
        say("Nothing was written, since this is a dry run.", "dim")


def _plain(summary: Summary) -> dict[str, object]:
    import msgspec

    return {
        **msgspec.to_builtins(summary),
        "others": _named(summary.others),
        "failed": _named(summary.failed),
        "complete": summary.complete,
    }


def _named(files: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"file": file, "reason": reason} for file, reason in files]


class _Nowhere:
    """A place that keeps nothing."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)

    def load(self) -> None:
        return None

    def save(self, recordings: Sequence[Recorded]) -> None:
        return None

    def update(self, change: object) -> None:
        return None


def _nowhere(path: Path) -> CassetteSource:
    return _Nowhere(path)
