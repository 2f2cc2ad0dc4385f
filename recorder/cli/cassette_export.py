"""`recorder cassette export`: a cassette of the store as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from ..errors import CassetteError
from ..ledger.url import shown
from . import options
from .calls import counted
from .cassette_place import file_source, refuse_existing, store_source
from .console import say
from .text import styled

if TYPE_CHECKING:
    from ..cassettes import Recorded


def export_cassette(
    name: Annotated[str, typer.Argument(help="A cassette of the store.")],
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="The file to write.")],
    overwrite: options.Overwrite = False,
    keep_secrets: options.KeepSecrets = False,
    store: options.Store = None,
) -> None:
    """Write a cassette of the store into a file, for git."""
    url = options.store_url(store)
    refuse_existing(to, overwrite)
    recordings = store_source(name, url).load()
    if recordings is None:
        raise CassetteError(
            f"there is no cassette {name!r} in {shown(url)}; `recorder cassette list` shows them"
        )
    write_file(to, recordings, keep_secrets=keep_secrets)


def write_file(path: Path, recordings: tuple[Recorded, ...], *, keep_secrets: bool) -> None:
    """Write recordings without the secrets that are still in them, and say so."""
    from msgspec.structs import replace

    from ..interchange.redaction import without_secrets
    from ..redact import Redactor
    from ..settings import RedactionRules

    redactor = Redactor(None if keep_secrets else RedactionRules())
    clean = [replace(each, content=without_secrets(each.exchange, redactor)) for each in recordings]
    file_source(path).save(clean)
    text = Text(f"{counted(len(clean), 'recording')} written to ").append_text(styled(path, "cyan"))
    cleaned = sum(new.exchange is not old.exchange for new, old in zip(clean, recordings, strict=True))
    if cleaned:
        text.append(f"; secrets were taken out of {cleaned}")
    say(text)
