"""What a span has to know at once, decoded without the texts; what is odd is left to the full reading."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from ...call import Usage
from ..lenient import UNREADABLE
from ..usage import Counts, counted


class _Choice(Struct, frozen=True, gc=False):
    index: Any = None
    finish_reason: str | None = None
    error: None = None


class ChatGlance(Struct, frozen=True, gc=False, rename={"response_id": "id", "counts": "usage"}):
    """An answer that is whole, with choices and without an error."""

    choices: list[_Choice]
    response_id: str | None = None
    model: str | None = None
    counts: Counts | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    error: None = None

    complete: ClassVar[bool] = True
    streamed: ClassVar[bool] = False
    raw_usage: ClassVar[None] = None
    first_chunk_ns: ClassVar[None] = None

    @property
    def usage(self) -> Usage | None:
        """The tokens that the provider counted."""
        return None if self.counts is None else counted(self.counts)


class _Asked(Struct, frozen=True, gc=False):
    model: str


_decode = msgspec.json.Decoder(ChatGlance).decode
_decode_asked = msgspec.json.Decoder(_Asked).decode


def read_model(data: bytes) -> str | None:
    """The model that a request's body names; None where a glance does not tell."""
    try:
        return _decode_asked(data).model or None
    except UNREADABLE:
        return None


def read_glance(data: bytes) -> ChatGlance | None:
    """A glance at a body; None where that is not enough."""
    try:
        found = _decode(data)
    except UNREADABLE:
        return None
    choices = found.choices
    if len(choices) > 1:
        places = [
            each.index if type(each.index) is int else position for position, each in enumerate(choices)
        ]
        choices[:] = [choices[position] for position in sorted(range(len(choices)), key=places.__getitem__)]
    return found if choices else None
