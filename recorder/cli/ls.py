"""`recorder ls`: the newest calls, one a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from ..call import Outcome
from ..ledger.url import shown
from . import options
from .calls import call_row, columns_for, print_losses, summary
from .console import messages, output, say, write_text
from .snippets import plain_found, snippet_line
from .store import bring_index_up_to_date, open_to_look
from .tables import print_footer, print_table
from .text import json_text

if TYPE_CHECKING:
    from ..ledger.conditions import Condition


def ls(
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="How many; 0 for all.")] = 20,
    since: options.Since = None,
    until: options.Until = None,
    model: Annotated[str | None, typer.Option(help="Only this model, served or requested.")] = None,
    outcome: Annotated[
        str | None, typer.Option(help="Only ok, error, cancelled, incomplete or interrupted.")
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Only this provider.")] = None,
    session: Annotated[str | None, typer.Option(help="Only this session.")] = None,
    user: Annotated[str | None, typer.Option(help="Only this user.")] = None,
    search: options.Search = None,
    where: options.Where = None,
    tag: options.Tags = None,
    errors: Annotated[bool, typer.Option("--errors", help="Only calls that failed.")] = False,
    before: Annotated[
        str | None, typer.Option(metavar="ID", help="Only calls older than this one: the next page.")
    ] = None,
    store: options.Store = None,
    format: options.Format = "table",
) -> None:
    """List the newest calls, one a line."""
    url = options.store_url(store)
    wanted = {
        "outcome": _wanted_outcome(outcome, errors=errors),
        "provider": provider,
        "session_id": session,
        "user_id": user,
    }
    conditions = [*options.conditions(where), *_equal(wanted)]
    tags = options.pairs(tag, "--tag")
    since_us, until_us = options.period(since, until)
    query = options.query(search)
    opened = open_to_look(url)
    if query is not None:
        bring_index_up_to_date(opened)
    found = _newest(
        opened.calls if query is None else partial(opened.search, query),
        model,
        conditions,
        # One more than is shown tells whether there are more.
        limit=limit + 1 if limit else None,
        since_us=since_us,
        until_us=until_us,
        tags=tags,
        before=None if before is None else opened.place(opened.find(before)),
    )
    calls = found[:limit] if limit else found
    if format == "json":
        write_text(json_text([plain_found(call) for call in calls]))
    elif calls:
        _print(calls, snippets=query is not None, more=len(found) > len(calls))
    else:
        filtered = bool(query or model or conditions or tags or since_us or until_us or before)
        say("No call matches." if filtered else _how_to_record(url))
    print_losses(messages() if format == "json" else output(), opened.losses())


def _wanted_outcome(named: str | None, *, errors: bool) -> str | None:
    if errors and named not in (None, "error"):
        raise typer.BadParameter("contradicts --outcome", param_hint="--errors")
    if named is not None and named not in get_args(Outcome):
        raise typer.BadParameter(
            f"{named!r} is none of {', '.join(get_args(Outcome))}", param_hint="--outcome"
        )
    return "error" if errors else named


def _equal(wanted: Mapping[str, str | None]) -> Iterator[Condition]:
    """The conditions of options that name a column of their own."""
    from ..ledger.conditions import Condition  # brings SQLAlchemy along

    yield from (Condition(name, "=", value) for name, value in wanted.items() if value is not None)


def _newest(
    listed: Callable[..., list[dict[str, Any]]],
    model: str | None,
    where: Sequence[Condition],
    *,
    limit: int | None,
    **filters: Any,
) -> list[dict[str, Any]]:
    """The newest calls; those of a model are the ones that it served and the ones that asked for it."""
    if model is None:
        return listed(limit=limit, where=where, **filters)
    found = {}
    for column in ("response_model", "request_model"):
        calls = listed(limit=limit, where=[*where, *_equal({column: model})], **filters)
        found.update({call["id"]: call for call in calls})
    newest = sorted(found.values(), key=lambda call: (call["started_at"], call["seq"]), reverse=True)
    return newest[:limit]


def _print(calls: Sequence[Mapping[str, Any]], *, snippets: bool, more: bool) -> None:
    """The table; below each call what was found in it, below them all how to see `more`."""
    lines = [snippet_line(call) for call in calls] if snippets else ()
    print_table(output(), columns_for(calls), [call_row(call) for call in calls], lines)
    older = [f"older: --before {calls[-1]['id']}"] if more else []
    print_footer(output(), [*summary(calls), *older])


def _how_to_record(url: str) -> str:
    return (
        f"No calls in {shown(url)} yet. Record some:\n"
        "  recorder run -- python app.py\n"
        "  or in Python: recorder.Recorder().install()"
    )
