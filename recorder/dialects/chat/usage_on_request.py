"""Ask streams for usage where the provider wants to be asked, unseen by callers who did not ask."""

from __future__ import annotations

import re

import msgspec

from ...call import RequestHalf
from ...json_text import parse_json
from ...sse import read_events

# Their streams always end with usage (their API pages, 2026), and some refuse a field that they do not know.
_UNASKED = {"deepseek", "openrouter", "mistral_ai", "perplexity", "x_ai"}
_BOUNDARY = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_NO_CHOICES = re.compile(rb'"choices"\s*:\s*\[\s*\]')


def ask_usage(body: bytes, half: RequestHalf) -> bytes | None:
    """The body with `stream_options.include_usage` set; None where that is not wanted.

    Not for whole answers, which have usage; not for providers whose streams always have it; and never
    against what the caller said itself.
    """
    if not half.stream or half.provider in _UNASKED:
        return None
    options = half.parameters.get("stream_options")
    if options is not None and (not isinstance(options, dict) or "include_usage" in options):
        return None
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return None
    fields["stream_options"] = msgspec.Raw(msgspec.json.encode({**(options or {}), "include_usage": True}))
    return msgspec.json.encode(fields)


class UsageFilter:
    """Passes events on as soon as they are whole, but for the one that carries only usage."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> bytes:
        """The bytes to hand on now."""
        rest = self._rest
        seen = max(0, len(rest) - 3)  # a boundary may have begun there
        rest += data
        start, kept = 0, []
        for end in [boundary.end() for boundary in _BOUNDARY.finditer(rest, seen)]:
            event = bytes(rest[start:end])
            start = end
            if not _is_usage_only(event):
                kept.append(event)
        del rest[:start]
        return b"".join(kept)

    def flush(self) -> bytes:
        """What is left at the end of the stream."""
        rest = bytes(self._rest)
        self._rest.clear()
        return b"" if _is_usage_only(rest) else rest


def _is_usage_only(event: bytes) -> bool:
    if _NO_CHOICES.search(event) is None:
        return False
    for _, data, _ in read_events(event):
        try:
            chunk = parse_json(data)
        except ValueError:
            continue
        if isinstance(chunk, dict) and chunk.get("choices") == [] and chunk.get("usage"):
            return True
    return False
