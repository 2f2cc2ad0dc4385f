"""`recorder db stats`: where the bytes of a store are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from . import options
from .console import output, write_text
from .store import open_store
from .tables import Column, print_table
from .text import json_text

if TYPE_CHECKING:
    from ..ledger.content.sizes import Sizes

_COLUMNS = (
    Column("part"),
    Column("rows", "right"),
    Column("bytes", "right"),
    Column("share", "right"),
    Column("", drop=1),
)
_WHAT = {
    "calls": "narrow rows and their indexes",
    "payloads": "a record a call, of all that is its own",
    "blobs": "messages, tool lists, long texts: each once",
    "nodes": "the tree of conversations",
    "dictionaries": "what all of these are compressed with",
    "former_payloads": "not carried over yet; run: recorder db upgrade",
    "rollups": "figures by hour and day, for reports",
    "search": "what `ls --search` looks in; the next one makes it again",
    "others": "prices, cassettes and the like",
    "free": "pages that will be used again",
}


def stats(store: options.Store = None, format: options.Format = "table") -> None:
    """Say where the bytes of the store are, and what keeping messages once saves."""
    measured = open_store(options.store_url(store)).sizes()
    if format == "json":
        write_text(json_text(_plain(measured)))
        return
    rows = [
        (
            (Text(part.name),),
            (Text("" if part.rows is None else f"{part.rows:,}"),),
            (Text(f"{part.bytes:,}"),),
            (Text(f"{part.bytes / (measured.total or 1):.1%}"),),
            (Text(_WHAT[part.name], style="dim"),),
        )
        for part in measured.parts
        if part.bytes and (part.rows != 0 or part.name != "former_payloads")
    ]
    print_table(output(), _COLUMNS, rows)
    for line in _summary(measured):
        output().print(Text(line))


def _summary(measured: Sizes) -> list[str]:
    calls = measured.parts[0].rows
    lines = [f"total {measured.total:,} bytes" + (f", {measured.total / calls:,.0f} a call" if calls else "")]
    if measured.ratio is not None:
        lines.append(
            f"bodies of {measured.sent:,} bytes are kept in {measured.kept:,}: {measured.ratio:.1f} to 1"
        )
    return lines


def _plain(measured: Sizes) -> dict[str, object]:
    return {
        "parts": [{"name": part.name, "rows": part.rows, "bytes": part.bytes} for part in measured.parts],
        "total_bytes": measured.total,
        "sent_bytes": measured.sent,
        "kept_bytes": measured.kept,
        "ratio": measured.ratio,
    }
