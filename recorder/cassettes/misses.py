"""What a miss says: the nearest recording, where it differs, and the rule that would have matched."""

from __future__ import annotations

from ..exchange import Request
from .comparable import comparable
from .credentials import Sender
from .differences import explain, nearest
from .matching import Matching, refusal
from .shelf import Shelf
from .suggestion import suggest

_LOOKED_AT = 100


class Misses:
    """Explains misses of one shelf; knows the rules by which it was searched."""

    def __init__(self, name: str, shelf: Shelf, matching: Matching, significant: tuple[bytes, ...]) -> None:
        self._name = name
        self._shelf = shelf
        self._matching = matching
        self._significant = significant

    def explain(self, request: Request, sender: Sender) -> str:
        """Why nothing answers this request, in a few lines."""
        if not self._shelf.recordings:
            return f"{self._name!r} holds no recordings; {_ANEW}"
        asked = comparable(request, self._shelf.scope)
        if alike := self._shelf.alike(asked):
            return self._refused(request, sender, asked.ids, alike)
        return self._nearest(request)

    def _refused(self, request: Request, sender: Sender, ids: tuple[str, ...], alike: list[int]) -> str:
        """Why none of the recordings of this very request answers it."""
        shelf = self._shelf
        number = shelf.credentials.number(sender)
        left = [place for place in alike if not shelf.played[place]]
        for place in left:
            recorded, which = shelf.recordings[place], self._which(place)
            theirs = recorded.credential
            if number != theirs if number is not None else not shelf.credentials.free(sender[0], theirs):
                sent = f"with its credential {theirs}" if theirs else "without a credential"
                mine = "without one" if sender[1] is None else "with another one"
                return f"{which} has it, but was asked {sent}, and this is asked {mine}; {_ANEW}"
            reason = refusal(shelf.matchers, request, recorded.exchange.request)
            if reason is not None:
                return f"{which} has it, but {reason}; {_ANEW}"
            return f"{which} has it, but other ids stand for {', '.join(map(repr, ids[:3]))} already; {_ANEW}"
        times = len(alike)
        return (
            f"this request was recorded {times} time{'s' * (times > 1)} and is now asked once more; it would have "
            f'matched with repeat="last", which gives {self._which(alike[-1])} again; {_ANEW}'
        )

    def _nearest(self, request: Request) -> str:
        shelf = self._shelf
        order = self._considered(request.body)
        requests = [shelf.recordings[place].exchange.request for place in order]
        scope = shelf.scope
        found = nearest([comparable(each, scope) for each in requests], comparable(request, scope))
        assert found is not None
        index, differences = found
        left = [each for each, place in zip(requests, order, strict=True) if not shelf.played[place]]
        rule = suggest(
            request, requests[index], differences, left, self._matching, self._significant, shelf.ids
        )
        hint = "no rule would have let it match" if rule is None else f"it would have matched with {rule}"
        return f"nearest is {self._which(order[index])}, which differs in\n{explain(differences)}\n{hint}; {_ANEW}"

    def _considered(self, body: bytes) -> list[int]:
        """The places to look closely at: not played yet, and with much of their body's ends in common with this."""
        shelf = self._shelf

        def rank(place: int) -> tuple[int, int]:
            return shelf.played[place], -_in_common(body, shelf.recordings[place].exchange.request.body)

        return sorted(range(len(shelf.recordings)), key=rank)[:_LOOKED_AT]

    def _which(self, place: int) -> str:
        return f"recording {place + 1} of {len(self._shelf.recordings)} in {self._name!r}"


def _in_common(one: bytes, other: bytes) -> int:
    """How long their common beginning and their common end are, together."""
    return _common(one, other) + _common(one[::-1], other[::-1])


def _common(one: bytes, other: bytes) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


_ANEW = "record it with mode='new_episodes', or all anew with mode='rewrite'"
