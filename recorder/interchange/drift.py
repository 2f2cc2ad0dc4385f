"""Which requests a cassette still answers although they no longer equal what was recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from ..cassette_context import Cassette
from ..cassettes import CassetteSource, Matching, Recorded, Session, Slot
from ..cassettes.comparable import comparable
from ..cassettes.credentials import Credential
from ..cassettes.differences import Difference, compare, explain
from ..cassettes.heads import Fingerprint
from ..errors import CassetteMiss
from ..exchange import Request

_EXACT = Matching().scope()


class Drifted(Struct, frozen=True):
    """One request that was answered by a recording of another one; `entry` counts the recordings from 1."""

    entry: int
    method: str
    url: str
    differences: tuple[Difference, ...]

    def __str__(self) -> str:
        return f"recording {self.entry}: {self.method} {self.url}\n{explain(self.differences)}"


class DriftReport(Struct, frozen=True):
    """What became of the requests of one cassette: `answered` by it, of which `drifted`; `misses` were not."""

    name: str
    answered: int = 0
    drifted: tuple[Drifted, ...] = ()
    misses: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """The report for people: nothing but its first line where all is as it was recorded."""
        missed = f", {len(self.misses)} not answered" if self.misses else ""
        yield (
            f"{self.name}: of {self.answered} answered requests {len(self.drifted)} "
            f"no longer equal their recordings{missed}"
        )
        for each in self.drifted:
            yield from str(each).splitlines()


class Watch:
    """Looks on while a session answers; `report()` says which requests drifted so far."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._find = session.find
        self._answered: list[tuple[Request, Recorded]] = []
        self._misses: list[str] = []
        session.find = self._watched  # type: ignore[method-assign]  # for as long as the session lives

    @classmethod
    def over(cls, cassette: Cassette) -> Watch:
        """Look on at a cassette that is in use."""
        return cls(cassette._active())

    def report(self) -> DriftReport:
        """What was seen so far."""
        return drifted(self._session.name, self._session.recordings, self._answered, self._misses)

    def _watched(
        self,
        request: Request,
        credential: Credential | Fingerprint = None,
        clean: Callable[[Request], Request] | None = None,
    ) -> Recorded | Slot:
        try:
            found = self._find(request, credential, clean)
        except CassetteMiss as miss:
            self._misses.append(str(miss))
            raise
        if isinstance(found, Recorded):
            self._answered.append((self._session.as_kept(request, clean), found))
        return found


def drift(source: CassetteSource, asked: Iterable[Request], matching: Matching | None = None) -> DriftReport:
    """Ask a cassette these requests by loose rules, and report where what answers was recorded for another body.

    Bodies are compared as JSON: order of keys and spacing do not count. Raises CassetteMissing where
    there is no such cassette.
    """
    session = Session(source, "none", matching=matching, repeat="last")
    watch = Watch(session)
    for request in asked:
        try:
            session.find(request)
        except CassetteMiss:
            continue
    session.close(save=False)
    return watch.report()


def drifted(
    name: str,
    recordings: Sequence[Recorded],
    answered: Iterable[tuple[Request, Recorded]],
    misses: Iterable[str] = (),
) -> DriftReport:
    """The report over requests and the recordings that answered them."""
    places = {id(recorded): place for place, recorded in enumerate(recordings, start=1)}
    found: list[Drifted] = []
    count = 0
    for request, recorded in answered:
        count += 1
        differences = compare(comparable(recorded.request, _EXACT), comparable(request, _EXACT))
        if differences:
            found.append(
                Drifted(places.get(id(recorded), 0), request.method, request.url, tuple(differences))
            )
    return DriftReport(name, count, tuple(found), tuple(misses))
