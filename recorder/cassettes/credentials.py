"""Which of a cassette's credentials a live one stands for: each recorded one for one live one alone."""

from __future__ import annotations

from collections.abc import Iterable

from ..exchange import Request, endpoint
from .renaming import Bijection

Credential = bytes | None
"""A fingerprint of what a request was sent with; None where nothing was sent."""

Host = tuple[str, int]
Sender = tuple[Host, Credential]
"""A credential as one host sees it: hosts know nothing of each other, and in tests often get the same dummy."""


def sender_of(request: Request, credential: Credential) -> Sender:
    """Who sends this request, to whom."""
    return endpoint(request.url)[:2], credential


class Credentials:
    """Numbers credentials by first use, and binds live ones to the recorded numbers on first use.

    0 is none. In a cassette that has no other number it is unknown, as in imported and old ones:
    credentials are not compared then.
    """

    def __init__(self, recorded: Iterable[int]) -> None:
        numbers = set(recorded)
        self._unknown = numbers == {0}
        self._highest = max(numbers, default=0)
        self._bound: Bijection[Sender, tuple[Host, int]] = Bijection()
        self._assigned: dict[Credential, int] = {}

    def number(self, sender: Sender) -> int | None:
        """The number that this one stands for; None where that is still open."""
        if self._unknown or sender[1] is None:
            return 0
        found = self._bound.kept.get(sender)
        return None if found is None else found[1]

    def free(self, host: Host, number: int) -> bool:
        """Whether no live credential stands for this number yet."""
        return number > 0 and (host, number) not in self._bound.live

    def bind(self, sender: Sender, number: int) -> None:
        """From now on this credential stands for this number."""
        self._bound.bind((sender,), ((sender[0], number),))
        self._assigned.setdefault(sender[1], number)

    def assign(self, sender: Sender) -> int:
        """The number under which a new recording is kept."""
        if (found := self.number(sender)) is None:
            found = self._assigned.get(sender[1], 0)
            if not self.free(sender[0], found):
                found = self._highest = self._highest + 1
            self.bind(sender, found)
        return found
