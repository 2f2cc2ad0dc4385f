"""The options that several commands share, and how their values are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..ledger.moments import parse_moment
from ..settings import default_store

if TYPE_CHECKING:
    from ..ledger.conditions import Condition
    from ..ledger.search.query import Query

Store = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="Where calls are kept: a SQLite or PostgreSQL URL. Default: $RECORDER_STORE, else sqlite:///recorder.db.",
        show_default=False,
    ),
]
Journal = Annotated[
    Path | None,
    typer.Option(
        "--journal",
        metavar="DIR",
        help="Where journals are kept, as in Recorder(journal=DIR). Default: $RECORDER_JOURNAL, else beside the store.",
        show_default=False,
    ),
]
Format = Annotated[Literal["table", "json"], typer.Option("--format", help="How to print.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there already.")]
KeepSecrets = Annotated[
    bool, typer.Option("--keep-secrets", help="Take no secrets out; the file is then nothing for git.")
]
Summary = Annotated[
    bool,
    typer.Option("--json", help="Say in JSON what was done; on standard error where the calls go to output."),
]
Since = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Only calls from then on: 7d, 2h, 2026-11-01, 2026-11-01T12:00."),
]
Until = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Only calls before then; a date takes in that day."),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="CONDITION",
        help="Only calls of which it holds; may be repeated. A column of v_calls, `model` or tag.NAME, one of "
        "= != < <= > >= ~ (contains) !~ ^= (begins with), and a value; `none` is unknown.",
    ),
]
Search = Annotated[
    str | None,
    typer.Option(
        "--search",
        metavar="WORDS",
        help='Only calls whose own turn says all words; "a phrase", beginning*, -without. The first makes an index.',
    ),
]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="KEY=VALUE", help="Only calls with this tag; may be repeated."),
]


def store_url(given: str | None) -> str:
    """The URL that the user means."""
    return given or default_store()


def moment(text: str | None, option: str, *, end: bool = False) -> int | None:
    """The epoch microseconds of a time option; a usage error if it is none."""
    if text is None:
        return None
    try:
        return parse_moment(text, end=end)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def period(since: str | None, until: str | None) -> tuple[int | None, int | None]:
    """What `--since` and `--until` say, in epoch microseconds; a usage error where no time is between them."""
    since_us, until_us = moment(since, "--since"), moment(until, "--until", end=True)
    if since_us is not None and until_us is not None and until_us <= since_us:
        raise typer.BadParameter(f"{until!r} is not later than --since {since!r}", param_hint="--until")
    return since_us, until_us


def conditions(texts: Sequence[str] | None) -> tuple[Condition, ...]:
    """What `--where` asks for; a usage error if one is no condition."""
    if not texts:
        return ()
    from ..ledger.conditions import parse_conditions  # brings SQLAlchemy along

    try:
        return parse_conditions(texts)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--where") from None


def query(text: str | None) -> Query | None:
    """What `--search` asks for; a usage error if it is nothing that can be found."""
    if text is None:
        return None
    from ..ledger.search.query import parse_query  # brings SQLAlchemy along

    try:
        return parse_query(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--search") from None


def pairs(texts: Sequence[str] | None, option: str) -> dict[str, str]:
    """The key and value of each `KEY=VALUE`; a usage error if one has no `=`."""
    read: dict[str, str] = {}
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise typer.BadParameter(f"{text!r} is not KEY=VALUE", param_hint=option)
        read[key.strip()] = value
    return read
