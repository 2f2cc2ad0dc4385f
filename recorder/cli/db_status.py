"""`recorder db status`: what waits to be stored, and what was lost on the way."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from rich.text import Text

from ..errors import StoreError, StoreNotFound
from ..ledger.journal.status import Condition, Owner, condition
from ..ledger.url import argument, shown
from . import options
from .calls import counted
from .console import output, write_text
from .journal_place import wanted_directory
from .store import open_store
from .text import json_text, styled


def status(
    store: options.Store = None, journal: options.Journal = None, format: options.Format = "table"
) -> None:
    """Show what waits in the journal, since when and from whom, and how many calls were lost."""
    url = options.store_url(store)
    directory = wanted_directory(url, journal)
    lost, problem = _losses(url)
    found = None if directory is None else condition(directory)
    if format == "json":
        write_text(json_text(_plain(found) | {"store": shown(url), "problem": problem, "lost": lost}))
        return
    for line in _lines(url, found, lost, problem):
        output().print(line, soft_wrap=True)


def _losses(url: str) -> tuple[int | None, str | None]:
    """How many calls the store knows to be lost, or why it cannot say: its journal matters most then."""
    try:
        return open_store(url).losses(), None
    except StoreNotFound:
        return None, "there is no store yet"
    except StoreError as error:
        return None, str(error)


def _plain(found: Condition | None) -> dict[str, Any]:
    if found is None:
        return {"directory": None, "records": 0, "bytes": 0, "oldest_s": None, "owners": []}
    plain: dict[str, Any] = msgspec.to_builtins(found)
    for each in (plain, *plain["owners"]):
        each["oldest_s"] = _age_s(each.pop("oldest_us"))
    return plain


def _lines(url: str, found: Condition | None, lost: int | None, problem: str | None) -> list[Text]:
    if found is None:
        return [Text("no journal: calls wait in memory"), _lost_line(lost, problem)]
    age_s = _age_s(found.oldest_us)
    since = "" if age_s is None else f", the oldest for {age_s:.0f} s"
    lines = [
        styled(f"journal  {found.directory}"),
        Text(f"waiting  {counted(found.records, 'call')}, {found.bytes:,} bytes{since}"),
        *map(_owner_line, found.owners),
    ]
    if found.corrupt or found.corrupt_bytes:
        text = f"damaged  {counted(found.corrupt, 'record')}; {found.corrupt_bytes:,} bytes kept in *.corrupt"
        lines.append(Text(text, "red"))
    if found.refused_bytes:
        text = f"refused  {found.refused_bytes:,} bytes of calls that the store would not have"
        lines.append(Text(f"{text}; to try again: recorder drain --refused --store {argument(url)}", "red"))
    lines.append(_lost_line(lost, problem))
    if any(not owner.alive for owner in found.owners):
        lines.append(
            styled(f"To store what ended programs left, run: recorder drain --store {argument(url)}")
        )
    return lines


def _owner_line(owner: Owner) -> Text:
    state = "alive" if owner.alive else "ended"
    in_flight = "in flight" if owner.alive else "interrupted"
    return Text(
        f"process  {owner.pid or owner.name}, {state}: {counted(owner.segments, 'segment')}, "
        f"{counted(owner.records, 'call')} waiting, {owner.open} {in_flight}"
    )


def _lost_line(lost: int | None, problem: str | None) -> Text:
    if lost is None:
        return styled(f"lost     unknown: {problem}")
    return Text(f"lost     {counted(lost, 'call')}", "red" if lost else "")


def _age_s(since_us: int | None) -> float | None:
    return None if since_us is None else max(0.0, time.time() - since_us / 1e6)
