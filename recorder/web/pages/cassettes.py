"""The cassettes of the store: what each holds, and how old it is."""

from __future__ import annotations

import time

from starlette.requests import Request
from starlette.responses import Response

from ...errors import CassetteError
from ...interchange.contents import read_entries
from ..site import site_of

_MOST = 500


def cassettes(request: Request) -> Response:
    """All cassettes, by name."""
    site = site_of(request)
    now = time.time()
    found = [(each, (now - each.created_us / 1e6) / 86_400) for each in site.store.cassettes()]
    return site.render(request, "cassettes.html", title="Cassettes", cassettes=found)


def cassette(request: Request) -> Response:
    """The entries of one cassette."""
    site, name = site_of(request), request.path_params["name"]
    recordings = site.store.cassette(name).load()
    if recordings is None:
        raise CassetteError(f"there is no cassette {name!r} in this store")
    entries = read_entries(recordings[:_MOST])
    return site.render(
        request,
        "cassette.html",
        title=f"Cassette {name[:60]}",
        name=name,
        entries=entries,
        more=len(recordings) - len(entries),
    )
