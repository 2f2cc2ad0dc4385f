"""Cassettes of the store and in files: what each holds, and how old it is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from ...errors import CassetteError, CassetteMissing
from ...interchange.cassette_files import Opened
from ...interchange.contents import read_entries, summarize
from ...ledger.cassettes import CassetteSummary
from ..shelf import FileSummary, Reference, Shelf, read_reference
from ..site import Site, site_of

PAGE: Final = 50
MOST: Final = 500
"""So many entries of a cassette are shown and compared, and so many cassettes proposed."""


class Row(Struct, frozen=True):
    """One line of the list; `twin` has the same name on the other side."""

    reference: Reference
    stored: CassetteSummary | None
    file: FileSummary | None
    twin: Reference | None


def cassettes(request: Request) -> Response:
    """A page of them: those of the store by name, then the files by name."""
    site, query = site_of(request), request.query_params
    search, start = query.get("q", "").strip(), _number(query.get("from", ""))
    stored = {Reference("store", each.name): each for each in site.store.cassettes()}
    files = site.shelf.files()
    all = [each for each in (*stored, *files) if search.lower() in each.name.lower()]
    rows = [_row(site.shelf, each, stored, files) for each in all[start : start + PAGE]]
    return site.render(
        request,
        "cassettes.html",
        title="Cassettes",
        stored=[row for row in rows if row.stored is not None],
        files=[row for row in rows if row.file is not None],
        folder=site.shelf.folder,
        search=search,
        start=start,
        page=PAGE,
        total=len(all),
        now=time.time(),
    )


def cassette(request: Request) -> Response:
    """The entries of one; a file that cannot be read says why."""
    site = site_of(request)
    reference = read_reference(request.query_params.get("of", ""))
    if reference is None:
        raise CassetteMissing("this address names no cassette")
    problems: list[str] = []
    opened = opened_or_told(site, reference, problems, missing=False)
    recordings = () if opened is None else opened.recordings
    entries = read_entries(recordings[:MOST])
    return site.render(
        request,
        "cassette.html",
        title=f"Cassette {reference.name[:60]}",
        reference=reference,
        folder=site.shelf.folder,
        opened=opened,
        problems=problems,
        contents=summarize(entries, None if opened is None else opened.size),
        entries=entries,
        more=len(recordings) - len(entries),
        twins=twins(site, reference),
        now=time.time(),
    )


def twins(site: Site, reference: Reference) -> list[Reference]:
    """Those of the same name on the other side."""
    if reference.where == "store":
        return [each for each in site.shelf.files() if each.bare == reference.name]
    names = {each.name for each in site.store.cassettes()}
    return [Reference("store", reference.bare)] if reference.bare in names else []


def _row(
    shelf: Shelf,
    reference: Reference,
    stored: dict[Reference, CassetteSummary],
    files: Sequence[Reference],
) -> Row:
    if reference.where == "store":
        twin = next((each for each in files if each.bare == reference.name), None)
        return Row(reference, stored[reference], None, twin)
    twin = Reference("store", reference.bare)
    return Row(reference, None, shelf.summary(reference), twin if twin in stored else None)


def opened_or_told(
    site: Site, reference: Reference, problems: list[str], *, missing: bool = True
) -> Opened | None:
    """The cassette, or what is wrong with it among the problems, also that it is missing if `missing`.

    What is wrong with a file may cite what was said.
    """
    try:
        return site.shelf.open(reference)
    except CassetteError as error:
        if isinstance(error, CassetteMissing) and not missing:
            raise
        problems.append(str(error) if site.content else f"{reference.name} cannot be read")
        return None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
