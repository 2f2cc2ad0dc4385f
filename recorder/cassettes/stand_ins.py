"""What answers in a dry run in place of the calls that would be recorded, so that the code under test goes on."""

from __future__ import annotations

from ..exchange import Request
from .comparable import comparable, part
from .differences import explain, nearest
from .shelf import Shelf
from .source import Recorded


class StandIns:
    """Recordings that answer requests which they do not match, each once; not thread-safe, its owner locks.

    `planned` names those requests, each with the JSON paths at which it differs. A recording that stood in
    is still unused, and still there for the request that it matches.
    """

    def __init__(self, shelf: Shelf) -> None:
        self.planned: list[str] = []
        self._shelf = shelf
        self._used: set[int] = set()

    def find(self, request: Request) -> Recorded | None:
        """The nearest recording that nobody asked for yet; None where there is none of this method and path."""
        shelf = self._shelf
        title = f"{request.method} {request.url}"
        asked = comparable(request, shelf.scope)
        if alike := shelf.alike(asked):
            self.planned.append(
                f"{title}\n  asked more often, or with other credentials or ids, than it was recorded"
            )
            return shelf.recordings[alike[-1]]
        places = [place for place in range(len(shelf.recordings)) if self._free(place, request)]
        requests = [shelf.recordings[place].request for place in places]
        found = nearest([comparable(each, shelf.scope) for each in requests], asked)
        if found is None:
            self.planned.append(title)
            return None
        index, differences = found
        self.planned.append(f"{title}\n{explain(differences)}")
        self._used.add(places[index])
        return shelf.recordings[places[index]]

    def _free(self, place: int, request: Request) -> bool:
        recorded = self._shelf.recordings[place].request
        return (
            not self._shelf.played[place]
            and place not in self._used
            and all(part(recorded, name) == part(request, name) for name in ("method", "path"))
        )
