"""`recorder cassette diff`: how two cassettes differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from . import options
from .cassette_place import open_cassette
from .console import output, write_text
from .tables import print_footer
from .text import json_text, styled

if TYPE_CHECKING:
    from ..cassettes.differences import Difference
    from ..interchange.comparison import Changed, Comparison
    from ..interchange.contents import Entry

_MOST_LINES = 40
_STYLES = {"+": "green", "-": "red", "…": "dim"}


def diff_cassettes(
    left: Annotated[str, typer.Argument(metavar="A", help="A cassette of the store, or a file.")],
    right: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    full: Annotated[bool, typer.Option("--full", help="Cut nothing.")] = False,
    store: options.Store = None,
    format: options.Format = "table",
) -> None:
    """Show what was added, removed and changed from A to B; exit code 1 if anything was."""
    from ..interchange.comparison import compare_cassettes

    url = options.store_url(store)
    before, after = open_cassette(left, url), open_cassette(right, url)
    found = compare_cassettes(before.recordings, after.recordings)
    if format == "json":
        write_text(json_text(found.plain()))
    else:
        _print(output(), found, full)
    if not found.equal:
        raise typer.Exit(1)


def _print(console: Console, found: Comparison, full: bool) -> None:
    for sign, entries, style in (("-", found.removed, "red"), ("+", found.added, "green")):
        for entry in entries:
            console.print(
                Text().append(f"{sign} ", f"bold {style}").append_text(_title(entry)), soft_wrap=True
            )
    for changed in found.changed:
        _print_changed(console, changed, full)
    counts = ((found.removed, "removed"), (found.added, "added"), (found.changed, "changed"))
    parts = [f"{len(entries)} {name}" for entries, name in counts if entries]
    print_footer(console, [*parts, f"{found.same} the same"] if parts else [f"equal: {found.same} the same"])


def _title(entry: Entry) -> Text:
    title = Text().append(f"{entry.number} ", "cyan").append_text(styled(f"{entry.method} {entry.url}"))
    return title.append_text(styled(f" {entry.model}", "dim")) if entry.model else title


def _print_changed(console: Console, changed: Changed, full: bool) -> None:
    moved = f" (was {changed.left.number})" if changed.left.number != changed.right.number else ""
    title = Text().append("~ ", "bold yellow").append_text(_title(changed.right)).append(moved, "dim")
    console.print(title, soft_wrap=True)
    _print_differences(console, "request", changed.request)
    _print_differences(console, "answer", changed.answer)
    lines = changed.text if full else changed.text[:_MOST_LINES]
    if lines:
        console.print(Text("  answer text", "bold"))
    print_text_changes(console, lines)
    if len(lines) < len(changed.text):
        left_out = f"    … {len(changed.text) - len(lines)} more lines; all of them: --full"
        console.print(Text(left_out, "dim italic"))


def print_text_changes(console: Console, lines: Sequence[str]) -> None:
    """Lines of a diff in its colours."""
    for line in lines:
        console.print(Text("    ").append_text(styled(line, _STYLES.get(line[:1], ""))), soft_wrap=True)


def _print_differences(console: Console, name: str, differences: Sequence[Difference]) -> None:
    """Each place with both values: on one line where they are short."""
    for difference in differences:
        console.print(
            Text().append(f"  {name} ", "bold").append_text(styled(difference.path)), soft_wrap=True
        )
        for sign, value in (("-", difference.recorded), ("+", difference.asked)):
            console.print(styled(f"    {sign}{value}", _STYLES[sign]), soft_wrap=True)
