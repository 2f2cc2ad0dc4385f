"""Token counts, out of all the places where providers put them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from ..call import Usage

_LARGEST = 2**63 - 1
_Place = tuple[str, str]
"""The object inside the usage, "" for the usage itself, and the field in it."""

_INPUT, _OUTPUT = "prompt_tokens_details", "completion_tokens_details"
_INPUTS: tuple[_Place, ...] = (("", "prompt_tokens"),)
_CACHED: tuple[_Place, ...] = (
    (_INPUT, "cached_tokens"),
    ("", "prompt_cache_hit_tokens"),
    ("", "cached_tokens"),
    ("", "num_cached_tokens"),
)
_CACHE_WRITES: tuple[_Place, ...] = (
    (_INPUT, "cache_write_tokens"),
    (_INPUT, "cache_creation_tokens"),
    (_INPUT, "cache_creation_input_tokens"),
    ("", "cache_creation_input_tokens"),
)
_OUTPUTS: tuple[_Place, ...] = (("", "completion_tokens"),)
_REASONING: tuple[_Place, ...] = ((_OUTPUT, "reasoning_tokens"), ("", "reasoning_tokens"))

_PLAIN = {"prompt_tokens", "completion_tokens", "total_tokens"}

_Count = Annotated[int, Meta(ge=0, le=_LARGEST)] | None


class _Input(Struct, gc=False):
    cached_tokens: _Count = None
    cache_write_tokens: _Count = None
    cache_creation_tokens: _Count = None
    cache_creation_input_tokens: _Count = None


class _Output(Struct, gc=False):
    reasoning_tokens: _Count = None


class Counts(Struct, gc=False):
    """A usage object as it is decoded in one go: all places, where each holds a count or nothing."""

    prompt_tokens: _Count = None
    completion_tokens: _Count = None
    prompt_cache_hit_tokens: _Count = None
    cached_tokens: _Count = None
    num_cached_tokens: _Count = None
    cache_creation_input_tokens: _Count = None
    reasoning_tokens: _Count = None
    prompt_tokens_details: _Input | None = None
    completion_tokens_details: _Output | None = None


def read_usage(raw: Any, notes: list[str]) -> Usage | None:
    """The counts of a usage object; each is None where it is absent or is no count.

    Cached tokens have been seen as OpenAI's detail, as DeepSeek's cache hits, and at the top (Moonshot,
    Mistral); cache writes as OpenAI's detail and under Anthropic's name, there (Alibaba) and at the top;
    reasoning as OpenAI's detail and at the top (Perplexity).
    """
    if raw is None:
        return None
    if not isinstance(raw, dict):
        notes.append("usage is not an object")
        return None
    if raw.keys() <= _PLAIN:
        return Usage(input=_first(raw, _INPUTS, notes), output=_first(raw, _OUTPUTS, notes))
    usage = _usual(raw)
    if usage is None:
        usage = Usage(
            input=_first(raw, _INPUTS, notes),
            cached=_first(raw, _CACHED, notes),
            cache_write=_first(raw, _CACHE_WRITES, notes),
            output=_first(raw, _OUTPUTS, notes),
            reasoning=_first(raw, _REASONING, notes),
        )
    if usage.cached or usage.reasoning:
        _doubt(usage, notes)
    return usage


def merge_usage(earlier: dict[str, Any] | None, later: dict[str, Any]) -> dict[str, Any]:
    """Two stages of one stream's usage, field by field: the last that is not null counts."""
    if not earlier:
        return later
    merged = dict(earlier)
    for name, value in later.items():
        known = merged.get(name)
        if isinstance(value, dict) and isinstance(known, dict):
            merged[name] = {**known, **{key: item for key, item in value.items() if item is not None}}
        elif value is not None or name not in merged:
            merged[name] = value
    return merged


def counts_nothing(usage: dict[str, Any]) -> bool:
    """Whether a usage counts, but only zeros, as some servers start a stream."""
    counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")]
    return not any(counts) and any(count is not None for count in counts)


def _usual(raw: dict[str, Any]) -> Usage | None:
    """The counts in one go; None where something odd is among them."""
    try:
        return counted(msgspec.convert(raw, Counts))
    except msgspec.ValidationError:
        return None


def counted(found: Counts) -> Usage:
    """The counts, each from the first place that has one."""
    cached, cache_write = found.prompt_cache_hit_tokens, found.cache_creation_input_tokens
    reasoning = found.reasoning_tokens
    if cached is None:
        cached = found.cached_tokens if found.cached_tokens is not None else found.num_cached_tokens
    if (asked := found.prompt_tokens_details) is not None:
        if asked.cached_tokens is not None:
            cached = asked.cached_tokens
        if (written := _written(asked)) is not None:
            cache_write = written
    if (answered := found.completion_tokens_details) is not None and answered.reasoning_tokens is not None:
        reasoning = answered.reasoning_tokens
    return Usage(found.prompt_tokens, cached, cache_write, found.completion_tokens, reasoning)


def _written(asked: _Input) -> int | None:
    if asked.cache_write_tokens is not None:
        return asked.cache_write_tokens
    if asked.cache_creation_tokens is not None:
        return asked.cache_creation_tokens
    return asked.cache_creation_input_tokens


def _first(raw: dict[str, Any], places: tuple[_Place, ...], notes: list[str]) -> int | None:
    """The first count among the places."""
    for outer, name in places:
        holder = raw.get(outer) if outer else raw
        value = holder.get(name) if type(holder) is dict else None
        if value is None:
            continue
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is int and 0 <= value <= _LARGEST:
            return value
        notes.append(f"usage.{outer}{'.' if outer else ''}{name} is not a count")
    return None


def _doubt(usage: Usage, notes: list[str]) -> None:
    """Note counts that contradict each other; they stay as reported."""
    if usage.input is not None and (usage.cached or 0) > usage.input:
        notes.append("usage: more tokens cached than put in")
    if usage.output is not None and (usage.reasoning or 0) > usage.output:
        # xAI counts reasoning beside completion_tokens, not within.
        notes.append("usage: completion_tokens does not include the reasoning tokens")
