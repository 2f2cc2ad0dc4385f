"""Which of a cassette's credentials a live one stands for: each recorded one for one live one alone."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from ..exchange import Request, endpoint
from .renaming import Bijection

Credential = bytes | None
"""A fingerprint of what a request was sent with; None where nothing was sent."""

Host = tuple[str, int]
Sender = tuple[Host, Credential]
"""A credential as one host sees it: hosts know nothing of each other, and in tests often get the same dummy."""


def sender_of(request: Request, credential: Credential) -> Sender:
    """Who sends this request, to whom."""
    return _host(request.url), credential


@lru_cache(maxsize=1024)
def _host(url: str) -> Host:
    return endpoint(url)[:2]


class Credentials:
    """Binds live credentials to the recorded numbers on first use; what is recorded is numbered at the end.

    Until then a credential that was not recorded yet stands for nothing, and may still turn out to be one
    that was. `recorded` is what was recorded: which number at which host. 0 is none. In a cassette that
    has no other number it is unknown, as in imported and old ones: credentials are not compared then.
    """

    def __init__(self, recorded: Iterable[tuple[Host, int]]) -> None:
        self._recorded = frozenset(recorded)
        self._unknown = {number for _, number in self._recorded} == {0}
        self._bound: Bijection[Sender, tuple[Host, int]] = Bijection()

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

    def numbers(self, senders: Iterable[Sender]) -> dict[Sender, int]:
        """Under which number the recordings of each are kept, if no more is asked; given in order of first use.

        Those that stand for no recorded one take what is left of their host's numbers, and only then new ones.
        """
        taken = set(self._bound.live)
        used = {credential: number for (_, credential), (_, number) in self._bound.kept.items()}
        highest = max((number for _, number in self._recorded), default=0)
        given: dict[Sender, int] = {}
        for sender in dict.fromkeys(senders):
            host, credential = sender
            number = self.number(sender)
            if number is None:
                number = self._spare(host, used.get(credential, 0), taken) or highest + 1
                taken.add((host, number))
                used.setdefault(credential, number)
                highest = max(highest, number)
            given[sender] = number
        return given

    def _spare(self, host: Host, elsewhere: int, taken: set[tuple[Host, int]]) -> int:
        """A recorded number of this host, preferably the one that the credential has at others; else that, or 0."""
        left = {number for its_host, number in self._recorded if its_host == host and number} - {
            number for its_host, number in taken if its_host == host
        }
        if elsewhere in left or not left:
            return elsewhere if (host, elsewhere) not in taken else 0
        return min(left)
