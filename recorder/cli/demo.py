"""`recorder demo`: record real clients against a local upstream, look at it, and replay it without one."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from ..errors import RecorderError
from ..ledger.url import sqlite_path
from .calls import call_row, columns_for, summary
from .console import output
from .tables import Column, print_footer, print_table
from .text import styled

if TYPE_CHECKING:
    from rich.console import Console

    from ..demo.comparison import Replayed
    from ..demo.target import Target
    from ..ledger import Store

_STORE = "sqlite:///recorder-demo.db"
_LOCAL_KEY = "sk-demo0123456789abcdefghijklmn"


def demo(
    base_url: Annotated[
        str | None,
        typer.Option("--base-url", metavar="URL", help="Ask this endpoint instead of a local one."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="The model to ask for there.")] = None,
    api_key_env: Annotated[
        str | None, typer.Option("--api-key-env", metavar="NAME", help="The variable that holds its key.")
    ] = None,
    store: Annotated[
        str | None,
        typer.Option("--store", metavar="URL", help=f"Where to record. Default: {_STORE}, made anew."),
    ] = None,
) -> None:
    """Record some calls, show what was kept, and replay them without a network."""
    from ..demo.surroundings import require_clients

    require_clients()
    console = output()
    url = store or _fresh_store()
    if base_url is None:
        equal = _run_local(console, url)
    else:
        equal = _run_live(console, url, _live_target(base_url, model, api_key_env))
    raise typer.Exit(0 if equal else 1)


def _fresh_store() -> str:
    """The demo's own store, emptied; raises StoreError where the file is somebody else's."""
    from ..errors import StoreNotFound
    from ..ledger import Store

    path = Path(sqlite_path(_STORE) or "")
    try:
        Store(_STORE).calls(limit=1)
    except StoreNotFound:
        pass
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    return _STORE


def _live_target(base_url: str, model: str | None, api_key_env: str | None) -> Target:
    from ..demo.target import Target

    if model is None:
        raise typer.BadParameter("is needed with --base-url", param_hint="--model")
    key = os.environ.get(api_key_env or "", "")
    if api_key_env is not None and not key:
        raise RecorderError(f"${api_key_env} is not set; it should hold the key for {base_url}")
    return Target(base_url.rstrip("/"), key or "none", model, model)


def _run_local(console: Console, url: str) -> bool:
    from ..demo.target import Target
    from ..demo.upstream import Upstream

    with Upstream() as upstream:
        target = Target(
            upstream.base_url,
            _LOCAL_KEY,
            "deepseek-chat",
            "deepseek-reasoner",
            gateway_url=upstream.gateway_url,
        )
        recorded = _record(console, url, target)
    _say(console, f"The upstream is stopped; it had answered {len(upstream.requests)} requests.")
    return _replay(console, url, target, recorded)


def _run_live(console: Console, url: str, target: Target) -> bool:
    recorded = _record(console, url, target)
    equal = _replay(console, url, target, recorded)
    if all(step.failure is not None for step in recorded):
        _say(
            console,
            f"No call was answered: check {target.base_url}, the model's name and the key.",
            "bold red",
        )
        return False
    return equal


def _record(console: Console, url: str, target: Target) -> list[Any]:
    """Make the calls live, and show what was kept of them; the steps with what their callers saw."""
    from ..demo.scenario import CASSETTE, run
    from ..demo.surroundings import spans_in_memory
    from ..ledger import Store
    from ..recorder import Recorder

    _say(console, f"Recording from {target.base_url}", "bold")
    steps = []
    started_us = time.time_ns() // 1000
    with (
        spans_in_memory() as (tracer_provider, ended),
        Recorder(url, tracer_provider=tracer_provider, providers=target.providers) as recorder,
        recorder.cassette(CASSETTE, mode="rewrite"),
    ):
        for step in run(recorder, target):
            _say(console, f"  {step.title}", "dim")
            if step.failure is not None:
                _say(console, f"    {step.failure}", "red")
            steps.append(step)
        spans = ended()
    kept = Store(url)
    calls = kept.calls(limit=None, newest_first=False, since_us=started_us)
    console.print()
    _print_calls(console, calls)
    _print_one_call(console, kept, calls)
    if spans:
        _print_span(console, spans)
    return steps


def _replay(console: Console, url: str, target: Target, recorded: list[Any]) -> bool:
    """Make the same calls again, all answered from the store; whether everything came out equal."""
    from ..demo.comparison import compare_calls
    from ..demo.scenario import CASSETTE, run
    from ..demo.surroundings import no_network
    from ..ledger import Store
    from ..recorder import Recorder

    _say(console, "Replaying all of it from the store, with sockets forbidden", "bold")
    started, started_us = time.perf_counter(), time.time_ns() // 1000
    with Recorder(url, providers=target.providers) as recorder, recorder.cassette(CASSETTE), no_network():
        replayed = list(run(recorder, target))
    took = time.perf_counter() - started
    calls = compare_calls(Store(url), CASSETTE, started_us)
    _print_comparison(console, calls)
    equal = replayed == recorded and bool(calls) and all(call.equal for call in calls)
    _say(
        console,
        f"{len(calls)} calls replayed in {took:.1f} s: "
        + ("the same bytes, chunks, statuses and errors, and no network." if equal else "NOT the same."),
        "bold green" if equal else "bold red",
    )
    command = "recorder" if shutil.which("recorder") else os.path.relpath(sys.argv[0])
    _say(console, f"Look around: {command} ls --store {url} · {command} show last --store {url}", "dim")
    return equal


def _print_calls(console: Console, calls: list[dict[str, Any]]) -> None:
    print_table(console, columns_for(calls), [call_row(call) for call in calls])
    print_footer(console, summary(calls))
    console.print()


def _print_one_call(console: Console, store: Store, calls: list[dict[str, Any]]) -> None:
    """The call that shows most: a stream with reasoning, if there is one."""
    from .call_page import print_call
    from .page import Page
    from .reading import read_call

    telling = [call for call in calls if call["first_reasoning_s"] is not None] or calls
    _say(console, "One call in full", "bold")
    print_call(Page(console, full=False), read_call(store, telling[0]["id"]), headers=False, chunks=False)
    console.print()


def _print_span(console: Console, spans: list[Any]) -> None:
    span = max(spans, key=lambda each: len(each.attributes or {}))
    duration_s = (span.end_time - span.start_time) / 1e9
    _say(
        console,
        f"One span: {span.name} · {span.kind.name} · {span.status.status_code.name} · {duration_s:.3f} s",
        "bold",
    )
    rows = [
        ((styled(name, "dim"),), (styled(str(value)),)) for name, value in sorted(span.attributes.items())
    ]
    print_table(console, (Column("attribute"), Column("value", floor=10)), rows)
    console.print()


def _print_comparison(console: Console, calls: list[Replayed]) -> None:
    columns = (
        Column("call", floor=16),
        Column("status", "right"),
        Column("chunks", "right"),
        Column("bytes", "right"),
        Column("ended", floor=10),
        Column("replay"),
    )
    rows = [
        (
            (styled(call.title),),
            (styled("–" if call.status is None else str(call.status)),),
            (styled(str(call.chunks)),),
            (styled(f"{call.size:,}"),),
            (styled(call.ended),),
            (Text("identical", style="green") if call.equal else Text("differs", style="bold red"),),
        )
        for call in calls
    ]
    print_table(console, columns, rows)


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(styled(text, style), soft_wrap=True)
