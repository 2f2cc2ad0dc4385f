"""Token counts, out of all the places where providers put them."""

from __future__ import annotations

from typing import Any

from ..call import Usage

_LARGEST = 2**63 - 1
_INPUT, _OUTPUT = "prompt_tokens_details", "completion_tokens_details"


def read_usage(raw: Any, notes: list[str]) -> Usage | None:
    """The counts of a usage object; each is None where it is absent or is no count.

    Cached tokens have been seen as OpenAI's detail, as DeepSeek's cache hits, and at the top (Moonshot,
    Mistral); cache writes as OpenAI's detail and under Anthropic's name; reasoning as OpenAI's detail
    and at the top (Perplexity).
    """
    if raw is None:
        return None
    if not isinstance(raw, dict):
        notes.append("usage is not an object")
        return None
    reader = _Reader(raw, notes)
    usage = Usage(
        input=reader.first("prompt_tokens"),
        cached=reader.first(
            (_INPUT, "cached_tokens"), "prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens"
        ),
        cache_write=reader.first(
            (_INPUT, "cache_write_tokens"), (_INPUT, "cache_creation_tokens"), "cache_creation_input_tokens"
        ),
        output=reader.first("completion_tokens"),
        reasoning=reader.first((_OUTPUT, "reasoning_tokens"), "reasoning_tokens"),
    )
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


class _Reader:
    """Takes counts from a usage object and notes those that are none."""

    __slots__ = ("_notes", "_raw")

    def __init__(self, raw: dict[str, Any], notes: list[str]) -> None:
        self._raw = raw
        self._notes = notes

    def first(self, *places: str | tuple[str, str]) -> int | None:
        """The first count among the places."""
        for place in places:
            outer, name = ("", place) if isinstance(place, str) else place
            holder = self._raw.get(outer) if outer else self._raw
            value = holder.get(name) if isinstance(holder, dict) else None
            if value is None:
                continue
            if type(value) is float and value.is_integer():
                value = int(value)
            if type(value) is int and 0 <= value <= _LARGEST:
                return value
            self._notes.append(f"usage.{outer}{'.' if outer else ''}{name} is not a count")
        return None


def _doubt(usage: Usage, notes: list[str]) -> None:
    """Note counts that contradict each other; they stay as reported."""
    if usage.input is not None and (usage.cached or 0) > usage.input:
        notes.append("usage: more tokens cached than put in")
    if usage.output is not None and (usage.reasoning or 0) > usage.output:
        # xAI counts reasoning beside completion_tokens, not within.
        notes.append("usage: completion_tokens does not include the reasoning tokens")
