"""One call as a page: its row, then what went over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.text import Text

from .calls import outcome_text, plain_call
from .conversation import print_answer, print_body, print_conversation, tool_name
from .cost_fields import print_cost
from .page import Page
from .reading import Reading, Wire, read_body, read_chunks
from .tables import Column, print_table
from .text import json_text, styled, styled_block
from .timeline import timeline
from .times import show_duration

if TYPE_CHECKING:
    from ..exchange import Exchange, Headers

_CHUNK_COLUMNS = (
    Column("#", "right"),
    Column("at", "right"),
    Column("after", "right"),
    Column("bytes", "right"),
    Column("text", floor=10),
)


def print_call(
    page: Page,
    reading: Reading,
    *,
    headers: bool,
    chunks: bool,
    title: Text | None = None,
    more: str | None = None,
) -> None:
    """Print all that is known of a call; headers and chunks where they are asked for.

    `title` stands in place of its id, and `more` is the command that cuts nothing.
    """
    _print_row(page, reading, title)
    if reading.wire is None:
        page.console.print()
        page.line(styled(reading.missing, "yellow"))
    else:
        _print_wire(page, reading.wire, headers=headers, chunks=chunks)
    if page.cut:
        page.console.print()
        more = more or f"recorder show {reading.row['id'][-8:]} --full"
        page.line(Text("Long texts are cut; all of it: ", style="dim").append_text(styled(more)))


def _print_row(page: Page, reading: Reading, title: Text | None) -> None:
    """What the row says: how it went, where it belongs, how long it took, what it used."""
    row = plain_call(reading.row)
    outcome = outcome_text(row)
    if row["replayed"]:
        outcome.append(" replayed", "dim")
    title = title or Text("Call ", "bold").append_text(styled(row["id"], "cyan"))
    page.line(title.copy().append("  ").append_text(outcome))
    if row["error_message"]:
        page.field("error", styled_block(row["error_message"].strip(), "red"))
    page.field("when", _when(row["started_at"]))
    page.field("model", _models(row))
    page.field("provider", f"{row['provider']} at {row['host']}")
    page.field("operation", row["operation"])
    page.field("http status", None if row["http_status"] is None else str(row["http_status"]))
    if (row["attempt"] or 1) > 1 or row["operation_id"] != row["id"]:
        page.field("attempt", f"{row['attempt']} of {row['operation_id']}")
    page.field("response id", row["response_id"])
    page.field("gateway id", row["model_id"])
    page.field("session", row["session_id"])
    page.field("user", row["user_id"])
    page.field("tags", _joined(row["tags"]))
    page.field("trace", " ".join(part for part in (row["trace_id"], row["span_id"]) if part))
    page.field("cassette", row["cassette"])
    for index, note in enumerate(row["notes"]):
        page.field("" if index else "notes", styled(note, "yellow"))
    if row["redacted"]:
        page.field("redacted", "secrets were taken out before this was stored")
    page.heading("Timing", show_duration(row["duration_s"]))
    for line in timeline(reading.moments, min(page.width, 90)):
        page.line(line)
    page.heading("Tokens", _usage(row))
    print_cost(page, reading)


def _print_wire(page: Page, wire: Wire, *, headers: bool, chunks: bool) -> None:
    """What was sent and what came back."""
    exchange = wire.exchange
    page.heading("Request", f"{exchange.request.method} {exchange.request.url}")
    parameters = {name: value for name, value in wire.request.parameters.items() if name != "model"}
    page.field("parameters", _joined(parameters))
    if wire.tools:
        page.field("tools", ", ".join(tool_name(tool) for tool in wire.tools))
    if headers:
        _print_headers(page, "Request headers", exchange.request.headers)
        if exchange.head is not None:
            _print_headers(page, "Response headers", exchange.head.headers)
    if wire.messages:
        print_conversation(page, wire.messages)
    print_answer(page, wire.answer)
    if not wire.answer.choices and exchange.chunks:
        print_body(page, read_body(exchange))
    if chunks:
        _print_chunks(page, exchange)


def _when(started_at: float | None) -> str | None:
    if started_at is None:
        return None
    try:
        moment = datetime.fromtimestamp(started_at).astimezone()
    except (ValueError, OverflowError, OSError):
        return f"{started_at:.3f}"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03} {moment:%Z}"


def _models(row: Mapping[str, Any]) -> Text:
    requested, served = row["request_model"], row["response_model"]
    if requested and served and requested != served:
        return styled(requested, "dim").append(" → ", "dim").append_text(styled(served))
    return styled(served or requested or "")


def _joined(values: dict[str, Any]) -> Text:
    """`name=value` in a row, long values cut."""
    text = Text()
    for name, value in values.items():
        shown = value if isinstance(value, str) else json_text(value, indent=None)
        shown = shown if len(shown) <= 160 else f"{shown[:160]}…"
        text.append("  " if text else "").append_text(styled(name, "dim")).append("=", "dim").append_text(
            styled(shown)
        )
    return text


def _usage(row: Mapping[str, Any]) -> str:
    parts = []
    for title, total, details in (
        ("in", "input_tokens", (("cached", "cached_tokens"), ("cache write", "cache_write_tokens"))),
        ("out", "output_tokens", (("reasoning", "reasoning_tokens"),)),
    ):
        if row[total] is not None:
            inner = ", ".join(
                f"{name} {row[column]:,}" for name, column in details if row[column] is not None
            )
            parts.append(f"{title} {row[total]:,}" + (f" ({inner})" if inner else ""))
    if (speed := _tokens_per_second(row)) is not None:
        parts.append(f"{speed:.0f} tokens/s")
    return " · ".join(parts) or "unknown, since the answer has no usage"


def _tokens_per_second(row: Mapping[str, Any]) -> float | None:
    starts = [at for at in (row["first_reasoning_s"], row["first_token_s"]) if at is not None]
    if not starts or not row["output_tokens"] or row["output_tokens"] < 2:
        return None
    seconds = row["duration_s"] - min(starts)
    return (row["output_tokens"] - 1) / seconds if seconds > 0.01 else None


def _print_headers(page: Page, title: str, headers: Headers) -> None:
    if headers:
        page.heading(title)
    for name, value in headers:
        line = Text("  ").append_text(styled(name.decode("latin-1"), "dim")).append(": ", "dim")
        page.line(line.append_text(styled(value.decode("latin-1"))))


def _print_chunks(page: Page, exchange: Exchange) -> None:
    page.heading("Chunks", str(len(exchange.chunks)))
    rows, before = [], 0.0
    for index, (at, size, text) in enumerate(read_chunks(exchange)):
        after = Text(f"+{at - before:.3f}s", style="dim")
        rows.append(
            ((Text(str(index)),), (Text(f"{at:.3f}s"),), (after,), (Text(str(size)),), (styled(text),))
        )
        before = at
    print_table(page.console, _CHUNK_COLUMNS, rows)
