"""`recorder cassette show`: what a cassette holds, or one entry of it in full."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from msgspec import Struct
from rich.text import Text

from ..errors import CassetteError
from . import options
from .calls import OUTCOME_STYLES, counted
from .cassette_place import open_cassette, tell_notes
from .console import output, write_text
from .page import Page
from .store import command_for
from .tables import Cell, Column, print_footer, print_table
from .text import json_text, styled
from .times import UNKNOWN, show_duration

if TYPE_CHECKING:
    from ..cassettes import Recorded
    from ..interchange.cassette_files import Opened
    from ..interchange.contents import Entry
    from .reading import Reading

_COLUMNS = (
    Column("#", "right"),
    Column("method", drop=1),
    Column("path", floor=12, ceiling=70, drop=4),
    Column("model", floor=10, ceiling=40),
    Column("status", "right"),
    Column("outcome", floor=10, ceiling=40),
    Column("chunks", "right", drop=3),
    Column("in", "right", drop=5),
    Column("out", "right", drop=6),
    Column("took", "right", drop=2),
)


class _Asked(Struct, frozen=True):
    """One entry that was asked for by its number."""

    opened: Opened
    number: int
    url: str

    @property
    def recorded(self) -> Recorded:
        """Its recording; raises CassetteError where there are not so many."""
        count = len(self.opened.recordings)
        if self.number > count:
            raise CassetteError(
                f"{self.opened.name} has {counted(count, 'recording')}, no entry {self.number}"
            )
        return self.opened.recordings[self.number - 1]

    @property
    def command(self) -> str:
        """What to type to see it."""
        command = f"cassette show {shlex.quote(self.opened.name)} {self.number}"
        return command_for(command, self.url) if self.opened.path is None else f"recorder {command}"


def show_cassette(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A cassette of the store, or a file.")],
    number: Annotated[
        int | None, typer.Argument(metavar="N", help="Show this entry in full.", min=1, show_default=False)
    ] = None,
    headers: Annotated[
        bool, typer.Option("--headers", help="Of one entry: also the headers of request and response.")
    ] = False,
    chunks: Annotated[
        bool, typer.Option("--chunks", help="Of one entry: also each chunk, and when it came.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Cut nothing.")] = False,
    raw: Annotated[
        Literal["request", "response"] | None,
        typer.Option(help="Of one entry: only this body, byte for byte."),
    ] = None,
    store: options.Store = None,
    format: options.Format = "table",
) -> None:
    """Show what a cassette holds, or one entry of it in full."""
    url = options.store_url(store)
    opened = open_cassette(name, url)
    if number is None:
        if headers or chunks or full or raw:
            raise typer.BadParameter(
                "needs the number of an entry", param_hint="--headers, --chunks, --full, --raw"
            )
        _show_all(opened, format)
        return
    asked = _Asked(opened, number, url)
    if raw is not None:
        from .show import write_body

        write_body(asked.recorded.exchange, raw, asked.command)
        return
    _show_one(asked, format, headers=headers, chunks=chunks, full=full)


def _show_all(opened: Opened, format: str) -> None:
    from ..interchange.contents import read_entries, summarize

    entries = read_entries(opened.recordings)
    if format == "json":
        write_text(json_text([entry.plain() for entry in entries]))
        return
    console = output()
    print_table(console, _COLUMNS, [_cells(entry) for entry in entries])
    outcomes = [f"{count} {styled(name)}" for name, count in summarize(entries).outcomes.items()]
    lanes, credentials = (
        len({entry.lane for entry in entries}),
        len({entry.credential for entry in entries} - {0}),
    )
    parts = [counted(len(entries), "recording"), *outcomes]
    parts += [counted(lanes, "lane")] if lanes > 1 else []
    parts += [counted(credentials, "credential")] if credentials > 1 else []
    print_footer(console, parts)
    tell_notes(opened)


def _cells(entry: Entry) -> tuple[Cell, ...]:
    path = (styled(entry.url), styled(entry.path), styled(entry.path.rpartition("/")[2] or entry.path))
    return (
        (Text(str(entry.number), style="cyan"),),
        (styled(entry.method, "dim"),),
        path,
        (styled(entry.model) if entry.model else Text(UNKNOWN, style="dim"),),
        (Text(UNKNOWN if entry.http_status is None else str(entry.http_status)),),
        _outcome(entry),
        (Text(str(entry.chunks) if entry.stream else UNKNOWN, style="" if entry.stream else "dim"),),
        (_count(entry.input_tokens),),
        (_count(entry.output_tokens),),
        (Text(show_duration(entry.duration_s)),),
    )


def _outcome(entry: Entry) -> Cell:
    """The outcome with the error's type, or with how the stream ended where that says more."""
    text = styled(entry.outcome, OUTCOME_STYLES.get(entry.outcome, ""))
    if entry.error_type:
        short = entry.error_type.rpartition(".")[2]
        return (
            text.append(" ").append_text(styled(entry.error_type, "red")),
            styled(entry.error_type, "bold red"),
            styled(short, "bold red"),
        )
    if entry.ending != "complete":
        return (text.copy().append(f" {entry.ending}", "dim"), text)
    return (text,)


def _count(number: int | None) -> Text:
    return Text(UNKNOWN, style="dim") if number is None else Text(f"{number}")


def _show_one(asked: _Asked, format: str, *, headers: bool, chunks: bool, full: bool) -> None:
    from .call_page import print_call
    from .reading import plain_reading

    reading = _reading(asked.recorded, asked.url)
    if format == "json":
        plain: dict[str, Any] = plain_reading(reading, headers=headers, chunks=chunks)
        write_text(json_text({"number": asked.number, **plain}))
        return
    of = f"of {len(asked.opened.recordings)} in {asked.opened.name}"
    title = Text().append(f"Entry {asked.number} ", "bold").append_text(styled(of, "dim"))
    more = f"{asked.command} --full"
    print_call(Page(output(), full=full), reading, headers=headers, chunks=chunks, title=title, more=more)


def _reading(recorded: Recorded, url: str) -> Reading:
    """The store's own row where the store knows the call, else one made of the recording."""
    from .reading import Reading, read_call, read_wire

    if recorded.call_id:
        from .store import open_store

        return read_call(open_store(url), recorded.call_id)
    row = recorded_row(recorded)
    return Reading(row, read_wire(recorded.exchange, row["provider"]))


def recorded_row(recorded: Recorded) -> dict[str, Any]:
    """A row as `v_calls` has it, with what only a store could know left empty."""
    from ..interchange.meaning import read_ended
    from ..ledger.rows import call_row

    ended = read_ended(recorded.exchange)
    row = call_row(ended.call, ended.exchange)
    for name in [name for name in row if name.endswith("_us")]:
        value = row.pop(name)
        row[name.removesuffix("_us") + "_s"] = None if value is None else value / 1e6
    started = row.pop("started_s")
    row["started_at"] = started or None
    row.pop("cost_pico", None)
    return {**row, "id": None, "operation_id": None, "cost": None}


def entry_numbers(texts: Sequence[str], count: int, option: str) -> list[int]:
    """The numbers of `3`, `1,4` or `2-5`; a usage error for what there is not."""
    numbers: set[int] = set()
    for part in ",".join(texts).split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or int(first) > int(last or first):
            raise typer.BadParameter(f"{part!r} is no entry; write 3, 1,4 or 2-5", param_hint=option)
        ends = int(first), int(last or first)
        if wrong := [number for number in ends if not 1 <= number <= count]:
            raise typer.BadParameter(
                f"there is no entry {wrong[0]}, entries are 1 to {count}", param_hint=option
            )
        numbers |= set(range(ends[0], ends[1] + 1))
    return sorted(numbers)
