"""`recorder db prune`: calls, or their payloads alone, removed by age."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from . import options
from .calls import counted
from .cassette_list import show_size
from .consent import ask
from .console import messages, output, say, write_text
from .progress import progress
from .tables import Cell, Column, print_footer, print_table
from .text import json_text

if TYPE_CHECKING:
    from ..ledger.content.collecting import Collected
    from ..ledger.retention.plan import Month, Plan
    from ..ledger.retention.pruning import Pruned

_COLUMNS = (
    Column("month (UTC)"),
    Column("calls", "right"),
    Column("payloads", "right"),
    Column("bytes", "right"),
)


def prune(
    older_than: Annotated[
        str, typer.Option(metavar="TIME", help="Calls that began before then: 90d, 2w, 2026-08-01.")
    ],
    payloads_only: Annotated[
        bool, typer.Option("--payloads-only", help="Keep the calls with all their numbers, without content.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, remove nothing.")] = False,
    vacuum: Annotated[
        bool,
        typer.Option(
            "--vacuum", help="Then write a SQLite file anew, as small as it gets; writers wait for it."
        ),
    ] = False,
    yes: options.Yes = False,
    store: options.Store = None,
    format: options.Format = "table",
) -> None:
    """Remove old calls, or their content alone, while others read and write.

    What a cassette of the store refers to is kept. Asks first at a terminal.
    """
    from ..ledger import Retention

    before_us = options.moment(older_than, "--older-than")
    assert before_us is not None
    if before_us > time.time_ns() // 1000:
        raise typer.BadParameter(f"{older_than!r} is yet to come", param_hint="--older-than")
    retention = Retention(options.store_url(store))
    plan = retention.plan(before_us, payloads_only=payloads_only, with_content=dry_run)
    if format == "table":
        _print_plan(plan, dry_run=dry_run)
    done = None
    if not dry_run:
        if plan.total or plan.losses:
            ask(_question(plan), yes=yes)
        with progress("pruning") as advance:
            done = retention.prune(plan, advance)
        if vacuum:
            retention.vacuum()
            done.given_back_bytes, done.free_bytes = done.given_back_bytes + done.free_bytes, 0
    if format == "json":
        write_text(json_text(_plain(plan, done)))
    elif done is not None:
        _print_done(plan, done)


def _print_plan(plan: Plan, *, dry_run: bool) -> None:
    console = output() if dry_run else messages()
    if plan.months:
        print_table(console, _COLUMNS, [*map(_row, plan.months), _total(plan)])
    else:
        say(f"No {'payload' if plan.payloads_only else 'call'} is that old.")
    parts = []
    if plan.kept:
        kept = counted(plan.kept, "payload" if plan.payloads_only else "call")
        parts.append(f"{kept} kept for cassettes")
    if plan.losses:
        parts.append(f"{counted(plan.losses, 'note')} of lost calls {'would go' if dry_run else 'go'} too")
    if plan.content is not None and (plan.content.blobs or plan.content.nodes):
        parts.append(_with_content(plan.payload_bytes, plan.content))
    if dry_run:
        parts.append("nothing was removed")
    print_footer(console, parts)


def _row(month: Month) -> list[Cell]:
    return _cells(month.month, month.calls, month.payloads, month.payload_bytes)


def _total(plan: Plan) -> list[Cell]:
    return _cells("total", plan.calls, plan.payloads, plan.payload_bytes, "bold")


def _cells(name: str, calls: int, payloads: int, size: int, style: str = "") -> list[Cell]:
    texts = (name, f"{calls:,}", f"{payloads:,}", show_size(size))
    return [(Text(text, style=style),) for text in texts]


def _question(plan: Plan) -> str:
    if plan.payloads_only:
        return f"Remove the content of {counted(plan.payloads, 'call')}?"
    return f"Remove {counted(plan.calls, 'call')}?"


def _print_done(plan: Plan, done: Pruned) -> None:
    what = counted(done.payloads, "payload")
    if not plan.payloads_only:
        what = f"{counted(done.calls, 'call')} and {what}"
    parts = [f"{what} removed"] if done.calls or done.payloads else []
    if done.content.blobs or done.content.nodes:
        parts.append(_with_content(done.payload_bytes, done.content))
    if done.given_back_bytes:
        parts.append(f"{show_size(done.given_back_bytes)} given back to the disk")
    if done.free_bytes:
        parts.append(
            f"{show_size(done.free_bytes)} of the file are free for new calls; --vacuum gives them back"
        )
    print_footer(output(), parts)


def _with_content(payload_bytes: int, content: Collected) -> str:
    """What goes with the payloads, since nothing else refers to it."""
    what = f"{counted(content.blobs, 'blob')} and {counted(content.nodes, 'node')}"
    return f"with {what}, {show_size(payload_bytes + content.bytes)} in all"


def _plain(plan: Plan, done: Pruned | None) -> dict[str, Any]:
    import msgspec

    return {
        "before": plan.before_us / 1_000_000,
        "payloads_only": plan.payloads_only,
        "dry_run": done is None,
        "calls": plan.calls,
        "payloads": plan.payloads,
        "payload_bytes": plan.payload_bytes,
        "content": None if plan.content is None else msgspec.to_builtins(plan.content),
        "kept": plan.kept,
        "losses": plan.losses,
        "months": msgspec.to_builtins(plan.months),
        "removed": None if done is None else msgspec.to_builtins(done),
    }
