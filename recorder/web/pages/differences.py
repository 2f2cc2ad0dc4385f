"""How two cassettes differ, wherever each is."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from ...interchange.cassette_files import Opened
from ...interchange.comparison import Comparison, compare_cassettes
from ..shelf import Reference, read_reference
from ..site import Site, site_of
from .cassettes import MOST, opened_or_told, twins


def page(request: Request) -> Response:
    """The page of two; to htmx, which fills a line of the list, how they differ in a few words alone."""
    site = site_of(request)
    texts, references, problems = read_pair(request.query_params)
    opened = [opened_or_told(site, each, problems) for each in references]
    found = _compared([each for each in opened if each is not None])
    part = request.headers.get("hx-request") == "true"
    return site.render(
        request,
        "difference.html" if part else "differences.html",
        title="Differences",
        texts=[*texts, "", ""][:2],
        references=references,
        problems=problems,
        found=found,
        words=None if found is None else words(found),
        whole=all(each is None or len(each.recordings) <= MOST for each in opened),
        most=MOST,
        known=[] if part else _known(site),
        twins=twins(site, references[0]) if len(references) == 1 and not part else [],
    )


def read_pair(query: QueryParams) -> tuple[list[str], list[Reference], list[str]]:
    """The first two that an address names: as they are written, what they mean, and what is wrong with them."""
    given = [text.strip() for text in query.getlist("of") if text.strip()]
    texts = given[:2]
    references, problems = [], []
    for text in texts:
        if (reference := read_reference(text)) is not None:
            references.append(reference)
        else:
            problems.append(f"{text!r} names no cassette; write store:NAME or file:PATH")
    if len(given) > 2:
        problems.append("two can be compared at a time; these are the first two that were ticked")
    return texts, references, problems


def words(found: Comparison) -> str:
    """How two cassettes differ, as short as it can be said."""
    counts = ((found.removed, "removed"), (found.added, "added"), (found.changed, "changed"))
    parts = [f"{len(entries):,} {name}" for entries, name in counts if entries]
    return ", ".join(parts) or "equal"


def _compared(opened: Sequence[Opened]) -> Comparison | None:
    if len(opened) < 2:
        return None
    left, right = (each.recordings[:MOST] for each in opened)
    return compare_cassettes(left, right)


def _known(site: Site) -> list[Reference]:
    stored = [Reference("store", each.name) for each in site.store.cassettes()]
    return [*stored, *site.shelf.files()][:MOST]
