"""What a miss says: the nearest recording, where it differs, and the rule that would have matched."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

from ..exchange import Request
from .comparable import comparable
from .credentials import Sender
from .differences import explain, nearest
from .matching import Matching, refusal
from .options import ADVICE
from .shelf import Shelf
from .suggestion import suggest

_LOOKED_AT = 100
_READ_BYTES = 8 << 20


class Misses:
    """Explains misses of one shelf; knows the rules by which it was searched, and what to advise."""

    def __init__(
        self, shelf: Shelf, matching: Matching, significant: tuple[bytes, ...], advice: str = ADVICE
    ) -> None:
        self._advice = advice
        self._shelf = shelf
        self._matching = matching
        self._significant = significant

    def explain(self, request: Request, sender: Sender) -> str:
        """Why nothing answers this request, in a few lines, and what to do."""
        return f"{self._reason(request, sender)}; {self._advice}"

    def _reason(self, request: Request, sender: Sender) -> str:
        if not self._shelf.recordings:
            return "it holds no recordings"
        asked = comparable(request, self._shelf.scope)
        if alike := self._shelf.alike(asked):
            return self._refused(request, sender, asked.ids, alike)
        return self._nearest(request)

    def _refused(self, request: Request, sender: Sender, ids: tuple[str, ...], alike: list[int]) -> str:
        """Why none of the recordings of this very request answers it."""
        played = self._shelf.played
        own = [place for place in alike if self._is_own(place, sender)]
        if left := [place for place in own if not played[place]]:
            return f"{self._which(left[0])} has it, but {self._objection(request, ids, left[0])}"
        others = [place for place in alike if place not in own]
        if others and not (own and all(played[place] for place in others)):
            return self._another_credential(min(others, key=lambda place: played[place]), sender)
        times = len(own)
        text = f"this request was recorded {times} time{'s' * (times > 1)} and is now asked once more"
        if self._shelf.repeat != "error" or refusal(
            self._shelf.matchers, request, self._shelf.recordings[own[-1]].request
        ):
            return f"{text}, which {self._which(own[-1])} does not answer: {self._objection(request, ids, own[-1])}"
        return f'{text}; it would have matched with repeat="last", which gives {self._which(own[-1])} again'

    def _is_own(self, place: int, sender: Sender) -> bool:
        """Whether a recording was, or may have been, asked with the credential of this sender."""
        credentials, theirs = self._shelf.credentials, self._shelf.recordings[place].credential
        number = credentials.number(sender)
        return credentials.free(sender[0], theirs) if number is None else number == theirs

    def _another_credential(self, place: int, sender: Sender) -> str:
        theirs = self._shelf.recordings[place].credential
        sent = f"with its credential {theirs}" if theirs else "without a credential"
        mine = "without one" if sender[1] is None else "with another one"
        return f"{self._which(place)} has it, but was asked {sent}, and this is asked {mine}"

    def _objection(self, request: Request, ids: tuple[str, ...], place: int) -> str:
        """What but the digest speaks against this recording."""
        recorded = self._shelf.recordings[place].request
        reason = refusal(self._shelf.matchers, request, recorded)
        return reason or f"other ids stand for {', '.join(map(repr, ids[:3]))} already"

    def _nearest(self, request: Request) -> str:
        shelf = self._shelf
        order = self._considered(request.body)
        requests = [shelf.recordings[place].request for place in order]
        scope = shelf.scope
        found = nearest([comparable(each, scope) for each in requests], comparable(request, scope))
        assert found is not None
        index, differences = found
        left = [each for each, place in zip(requests, order, strict=True) if not shelf.played[place]]
        rule = suggest(
            request, requests[index], differences, left, self._matching, self._significant, shelf.ids
        )
        hint = "no rule would have let it match" if rule is None else f"it would have matched with {rule}"
        return f"nearest is {self._which(order[index])}, which differs in\n{explain(differences)}\n{hint}"

    def _considered(self, body: bytes) -> list[int]:
        """The places to look closely at: not played yet, and with much of their body's ends in common with this."""
        played = self._shelf.played
        bodies = [recorded.request.body for recorded in self._shelf.recordings]

        def rank(place: int) -> tuple[int, int]:
            return played[place], -_in_common(body, bodies[place])

        order = sorted(range(len(bodies)), key=rank)[:_LOOKED_AT]
        sizes = accumulate(len(bodies[place]) for place in order[1:])
        return order[:1] + [
            place for place, size in zip(order[1:], sizes, strict=True) if size <= _READ_BYTES
        ]

    def _which(self, place: int) -> str:
        return f"recording {place + 1} of {len(self._shelf.recordings)}"


def _in_common(one: bytes, other: bytes) -> int:
    """How long their common beginning and their common end are, together."""
    shorter = min(len(one), len(other))
    return _longest(shorter, lambda size: one[:size] == other[:size]) + _longest(
        shorter, lambda size: one[len(one) - size :] == other[len(other) - size :]
    )


def _longest(most: int, is_common: Callable[[int], bool]) -> int:
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if is_common(middle):
            low = middle
        else:
            high = middle - 1
    return low
