"""Tokens by modality, where a provider's usage tells text, image and audio apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

_KINDS = ("text", "image", "audio")
_LARGEST = 2**63 - 1


class Modality(NamedTuple):
    """So many tokens of one kind; `side` is `input`, `output` or `cache_read.input`, as in attribute names."""

    kind: str
    side: str
    tokens: int


def modalities(raw_usage: Any) -> Iterator[Modality]:
    """What a usage object says of modalities."""
    asked = _details(raw_usage, "prompt_tokens_details")
    yield from _tokens(asked, "input")
    yield from _tokens(_details(asked, "cached_tokens_details"), "cache_read.input")
    yield from _tokens(_details(raw_usage, "completion_tokens_details"), "output")


def split(raw_usage: Any, side: str, total: int) -> dict[str, int]:
    """A number of tokens by modality; what was not told apart is `unknown`."""
    told = {each.kind: each.tokens for each in modalities(raw_usage) if each.side == side and each.tokens}
    rest = total - sum(told.values())
    if rest < 0:
        return {"unknown": total}
    return {**told, "unknown": rest} if rest or not told else told


def _details(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _tokens(details: Any, side: str) -> Iterator[Modality]:
    for kind in _KINDS:
        tokens = _details(details, f"{kind}_tokens")
        if type(tokens) is int and 0 <= tokens <= _LARGEST:
            yield Modality(kind, side, tokens)
