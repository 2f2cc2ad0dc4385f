"""Remembers which messages hold no secret, since a conversation sends its history again with each turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw, Struct

_MOST: Final = 65_536
_MOST_OPENINGS: Final = 32
_OPENING_BYTES: Final = 8 * 1024 * 1024
_split = msgspec.json.Decoder(list[Raw]).decode
_NEEDLE_BYTES: Final = 64
LONG: Final = 4_096
"""From how many bytes on the messages of a body are told apart: to look through less whole takes no longer."""
_SHORT_REST: Final = 512
_SPACE: Final = b" \t\r\n"


class _Opening(NamedTuple):
    """How a body begins, up to the end of its last message but one, since the last may be another next time.

    `start` is where the list of messages begins. The bytes of `ending`, which stand `at` its end, are asked for
    first: conversations often begin alike.
    """

    text: bytes
    start: int
    at: int
    ending: bytes


class News(Struct, frozen=True):
    """What has to be looked through of a body, JSON as that is, and what is known if it holds no secret."""

    text: bytes
    hashes: Sequence[int] = ()
    opening: _Opening | None = None


class KnownMessages:
    """Hashes of messages that were looked through, and the last bodies; for one set of rules, in one process.

    The bodies are those without secrets only. What a turn has in common with the one before is told by how both
    begin, which takes a tenth of the time that hashing does.
    """

    def __init__(self) -> None:
        self._clean: set[int] = set()
        self._openings: tuple[_Opening, ...] = ()

    def knows(self, body: bytes) -> bool:
        """Whether a body is known to hold no secret, as one that is sent again."""
        return len(body) < LONG and hash(body) in self._clean

    def news(self, body: bytes, messages: Raw | None) -> News | None:
        """What is new in a request's body: that without the messages that are known; None where all of it is."""
        news = News(body) if messages is None or len(body) < LONG else self._without(body, messages)
        return None if hash(news.text) in self._clean else news

    def _without(self, body: bytes, messages: Raw) -> News:
        listed = bytes(messages)
        opening = self._opening_of(body, listed)
        start = opening.start if opening is not None else _place(body, listed)
        if start < 0:
            return News(body)
        known, end = len(opening.text) if opening is not None else start + 1, start + len(listed) - 1
        each = _apart(b"[%b]" % body[known:end].lstrip(_SPACE).removeprefix(b","))
        if each is None:
            return News(body)
        hashes = list(map(hash, each))
        new = [message for message, seen in zip(each, hashes, strict=True) if seen not in self._clean]
        if len(each) > 1:
            opening = _begun(body, start, body.rfind(each[-1], known, end))
        rest = body[end:]
        if len(rest) > _SHORT_REST:
            hashes.append(hash(rest))
            rest = b"]}" if hashes[-1] in self._clean else rest
        return News(b"".join((body[: start + 1], b",".join(new), rest)), hashes, opening)

    def add(self, news: News) -> None:
        """This holds no secret."""
        if len(self._clean) > _MOST:
            self._clean.clear()
        self._clean.add(hash(news.text))
        self._clean.update(news.hashes)
        if news.opening is not None and news.opening not in self._openings[:1]:
            self._openings = tuple(self._latest(news.opening))

    def _opening_of(self, body: bytes, listed: bytes) -> _Opening | None:
        """The opening that a body with these messages has, if it is known."""
        for opening in self._openings:
            if body.startswith(opening.ending, opening.at) and body.startswith(opening.text):
                return opening if body.startswith(listed, opening.start) else None
        return None

    def _latest(self, opening: _Opening) -> Iterator[_Opening]:
        """The openings to be kept, this one first: it takes the place of the one that it goes on from."""
        yield opening
        left = _OPENING_BYTES - len(opening.text)
        for each in self._openings[: _MOST_OPENINGS - 1]:
            left -= len(each.text)
            if left < 0:
                break
            if not opening.text.startswith(each.text):
                yield each


def _apart(messages: bytes) -> list[bytes] | None:
    """A list of messages, one by one; None where it cannot be read."""
    try:
        return [bytes(message) for message in _split(messages)]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _begun(body: bytes, start: int, last: int) -> _Opening | None:
    """How a body begins whose last message stands at `last`; None where that is too little to be kept."""
    text = body[:last].rstrip(_SPACE).removesuffix(b",")
    at = len(text) - _NEEDLE_BYTES
    return _Opening(text, start, at, text[at:]) if len(text) >= LONG else None


def _place(body: bytes, messages: bytes) -> int:
    """Where the messages stand in a body; -1 where they are not found."""
    needle, start = messages[:_NEEDLE_BYTES], -1
    while (start := body.find(needle, start + 1)) >= 0:
        if body.startswith(messages, start):
            return start
    return -1
