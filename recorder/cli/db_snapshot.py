"""`recorder db snapshot`: a consistent copy of the store, to take along or to keep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..ledger.url import shown
from . import options
from .cassette_list import show_size
from .console import output, write_text
from .progress import progress
from .text import json_text, styled


def snapshot(
    file: Annotated[Path, typer.Argument(help="The SQLite file to write.", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")] = False,
    store: options.Store = None,
    format: options.Format = "table",
) -> None:
    """Copy the store as it is now into one SQLite file, while others go on writing; PostgreSQL's too.

    The file appears when it is whole. `recorder ls --store sqlite:///FILE` reads it.
    """
    from ..ledger import Retention

    url = options.store_url(store)
    with progress("copying") as advance:
        size = Retention(url).snapshot(file, advance, overwrite=force)
    if format == "json":
        write_text(json_text({"store": shown(url), "file": str(file), "bytes": size}))
    else:
        output().print(styled(f"{file}: {show_size(size)}, a copy of {shown(url)}"), soft_wrap=True)
