"""The loaded recordings of a cassette, by request: which of them answers next."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..exchange import Headers, Request
from .comparable import Comparable, Key, comparable, digest
from .credentials import Credentials, Sender
from .heads import Heads
from .matching import Matching, refusal
from .options import Repeat
from .renaming import Bijection
from .source import Recorded

Accepts = Callable[[int], bool]


class Queue:
    """Places of one request, lane and credential, in recorded order."""

    __slots__ = ("_next", "places")

    def __init__(self) -> None:
        self.places: list[int] = []
        self._next = 0

    def first(self, played: bytearray, accepts: Accepts | None) -> int | None:
        """The first one that was not played yet."""
        places = self.places
        while self._next < len(places) and played[places[self._next]]:
            self._next += 1
        if accepts is None:
            return places[self._next] if self._next < len(places) else None
        left = (place for place in places[self._next :] if not played[place])
        return next((place for place in left if accepts(place) and not played[place]), None)


Bucket = dict[tuple[int, int], Queue]
"""All places of one request, by lane and credential."""
Same = int | Bucket
"""The same; of a request that was recorded once, as nearly all were, just its place."""


class Shelf:
    """Finds recordings by request, each once; not thread-safe, its owner locks.

    A request that equals a recorded one byte for byte is found without reading it. Only when one does
    not are all of them reduced to their canonical form. The lane's own recordings come first, then
    those of any other, since work may be shared out otherwise.
    """

    def __init__(
        self,
        recordings: Sequence[Recorded],
        matching: Matching,
        significant: tuple[bytes, ...],
        credentials: Credentials,
        repeat: Repeat = "error",
    ) -> None:
        self.recordings = recordings
        self.scope = matching.scope(significant)
        self.matchers = matching.matchers
        self.credentials = credentials
        self.lanes = len({recorded.lane for recorded in recordings}) > 1
        self.ids: Bijection[str, str] = Bijection()
        self.played = bytearray(len(recordings))
        self.varied: set[int] = set()
        self.repeat = repeat
        self._repeated: dict[tuple[Key, int, Sender], int] = {}
        self._by_bytes: dict[tuple[object, ...], Same] = {}
        self._by_digest: dict[Key, Bucket] | None = None
        self._digests: list[Key] = []
        self._ids: list[tuple[str, ...]] = []
        if not (self.scope.rename_ids or self.matchers):
            self._put_by_bytes(Heads(self.scope.headers))

    def _put_by_bytes(self, heads: Heads) -> None:
        by_bytes, recordings = self._by_bytes, self.recordings
        for place, recorded in enumerate(recordings):
            request = recorded.request
            exact = request.method, request.url, request.body, *heads.compared(request)
            if (others := by_bytes.setdefault(exact, place)) == place:
                continue
            if isinstance(others, int):
                first, others = others, {}
                by_bytes[exact] = others
                _put(others, recordings[first], first)
            _put(others, recorded, place)

    def same(self, request: Request, compared: Headers) -> Same | None:
        """The recordings of a request that equals this one byte for byte, where that is all that counts.

        `compared` are those of its headers that count.
        """
        exact = request.method, request.url, request.body, *compared
        return self._by_bytes.get(exact) if self._by_bytes else None

    def find(self, request: Request, same: Same | None, lane: int, sender: Sender) -> int | None:
        """The place of the recording that answers, preferably one of the `same` bytes; None where there is none."""
        if same is not None:
            place = (
                self._take_only(same, sender)
                if isinstance(same, int)
                else self._take(same, lane, sender, None)
            )
            if place is not None:
                return place
        if not self.recordings:
            return None
        by_digest = self._same_digest()
        asked: Comparable | None = None
        if same is not None:
            key = self._digests[same if isinstance(same, int) else next(iter(same.values())).places[0]]
        else:
            asked = comparable(request, self.scope)
            key = digest(asked)
        if (alike := by_digest.get(key)) is None:
            return None
        accepts = self._accepting(request, asked)
        if (place := self._take(alike, lane, sender, accepts)) is None:
            place = self._again(alike, key, lane, sender, accepts)
        if place is not None and asked is not None and asked.ids:
            self.ids.bind(asked.ids, self._ids[place])
        return place

    def alike(self, asked: Comparable) -> list[int]:
        """The places of all recordings that equal this request, leaving ids, credentials and own rules aside."""
        return sorted(
            place for queue in self._same_digest().get(digest(asked), {}).values() for place in queue.places
        )

    def unplayed(self) -> tuple[Recorded, ...]:
        """What nobody asked for, not of a variant either."""
        return tuple(
            recorded
            for recorded, played in zip(self.recordings, self.played, strict=True)
            if not played and id(recorded.request) not in self.varied
        )

    def count_variant(self, variant: Shelf) -> None:
        """What a variant of these recordings played, which keeps their requests, is in use here too."""
        self.varied |= variant.varied
        self.varied |= {
            id(recorded.request)
            for recorded, played in zip(variant.recordings, variant.played, strict=True)
            if played
        }

    def _take_only(self, place: int, sender: Sender) -> int | None:
        """The only place of a request, for this sender."""
        if self.played[place]:
            return None
        number, recorded = self.credentials.number(sender), self.recordings[place].credential
        if number is None:
            if not self.credentials.free(sender[0], recorded):
                return None
            self.credentials.bind(sender, recorded)
        elif number != recorded:
            return None
        self.played[place] = 1
        return place

    def _take(self, bucket: Bucket, lane: int, sender: Sender, accepts: Accepts | None) -> int | None:
        number = self.credentials.number(sender)
        place = None
        if number is not None and (own := bucket.get((lane, number))) is not None:
            place = own.first(self.played, accepts)
        if place is None:
            found = [
                (its_lane != lane, first, its_number)
                for (its_lane, its_number), queue in bucket.items()
                if (
                    its_number == number
                    if number is not None
                    else self.credentials.free(sender[0], its_number)
                )
                and (first := queue.first(self.played, accepts)) is not None
            ]
            if not found:
                return None
            _, place, its_number = min(found)
            if number is None:
                self.credentials.bind(sender, its_number)
        self.played[place] = 1
        return place

    def _again(
        self, bucket: Bucket, key: Key, lane: int, sender: Sender, accepts: Accepts | None
    ) -> int | None:
        """The recording that answers a request once more, where all of its recordings were played."""
        if self.repeat == "error":
            return None
        number = self.credentials.number(sender)
        queues = {its_lane: queue for (its_lane, its_number), queue in bucket.items() if its_number == number}
        if lane in queues:
            queues = {lane: queues[lane]}
        places = sorted(
            place for queue in queues.values() for place in queue.places if accepts is None or accepts(place)
        )
        if not places:
            return None
        if self.repeat == "last":
            return places[-1]
        times = self._repeated.get((key, lane, sender), 0)
        self._repeated[key, lane, sender] = times + 1
        return places[times % len(places)]

    def _accepting(self, request: Request, asked: Comparable | None) -> Accepts | None:
        """What else must hold, that no digest can tell: ids stand for one another, functions of the user's agree."""
        if asked is None or not (asked.ids or self.matchers):
            return None
        return lambda place: (
            self.ids.allows(asked.ids, self._ids[place])
            and refusal(self.matchers, request, self.recordings[place].request) is None
        )

    def _same_digest(self) -> dict[Key, Bucket]:
        if self._by_digest is None:
            self._by_digest = {}
            for place, recorded in enumerate(self.recordings):
                reduced = comparable(recorded.request, self.scope)
                self._digests.append(digest(reduced))
                self._ids.append(reduced.ids)
                _put(self._by_digest.setdefault(self._digests[-1], {}), recorded, place)
        return self._by_digest


def _put(bucket: Bucket, recorded: Recorded, place: int) -> None:
    group = recorded.lane, recorded.credential
    if (queue := bucket.get(group)) is None:
        queue = bucket[group] = Queue()
    queue.places.append(place)
