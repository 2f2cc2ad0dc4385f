"""The texts of an ordinary stream, faster than by reading all of it: to look for secrets in them."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from ..lenient import UNREADABLE

_BEGINNING, _BETWEEN, _END = b"data: ", b"\n\ndata: ", b"\n\ndata: [DONE]"


class _Delta(Struct, forbid_unknown_fields=True, gc=False):
    role: str | None = None
    content: str | None = None
    reasoning_content: str | None = None


class _Choice(Struct, forbid_unknown_fields=True, gc=False):
    index: int
    delta: _Delta
    finish_reason: str | None = None
    logprobs: None = None


class _Chunk(Struct, gc=False):
    choices: list[_Choice]


_decode = msgspec.json.Decoder(list[_Chunk]).decode


def read_plain_texts(data: bytes) -> tuple[str, ...] | None:
    """What the deltas of each choice make; None where a stream has anything besides answer and reasoning."""
    data = data.rstrip()
    if not data.startswith(_BEGINNING):
        return None
    events = data.removesuffix(_END)[len(_BEGINNING) :]
    try:
        chunks = _decode(b"[" + events.replace(_BETWEEN, b",") + b"]")
    except UNREADABLE:
        return None
    choices = [choice for chunk in chunks for choice in chunk.choices]
    return _texts(choices) or None


def _texts(choices: list[_Choice]) -> tuple[str, ...]:
    texts: list[str] = []
    for index in {choice.index for choice in choices}:
        deltas = [choice.delta for choice in choices if choice.index == index]
        texts.append("".join([delta.content for delta in deltas if delta.content]))
        texts.append("".join([delta.reasoning_content for delta in deltas if delta.reasoning_content]))
    return tuple(texts)
