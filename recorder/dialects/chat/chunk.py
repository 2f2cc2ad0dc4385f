"""One chunk of a stream, decoded: typed where it is as expected, leniently where it is not."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from ...json_text import parse_json


class Delta(Struct):
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    tool_calls: Any = None
    role: Any = None
    refusal: Any = None
    function_call: Any = None
    audio: Any = None
    images: Any = None
    reasoning_details: Any = None
    thinking: Any = None
    reasoning_text: Any = None


class ChunkChoice(Struct):
    index: Any = None
    delta: Delta | None = None
    finish_reason: Any = None
    logprobs: Any = None
    message: Any = None
    error: Any = None
    usage: Any = None
    text: Any = None


class Chunk(Struct):
    """The fields of a chunk that are read; only their nesting is typed, the rest is read leniently."""

    choices: list[ChunkChoice] | None = None
    id: Any = None
    model: Any = None
    usage: Any = None
    error: Any = None
    system_fingerprint: Any = None
    service_tier: Any = None
    x_groq: Any = None


decode_chunk = msgspec.json.Decoder(Chunk).decode
"""The chunk in an event's data; raises UNREADABLE for what perhaps only `read_chunk` may be able to read."""


def read_chunk(data: bytes, notes: list[str]) -> Chunk:
    """The chunk in data that has something odd. Raises ValueError where that is no JSON."""
    value = parse_json(data)
    if isinstance(value, dict):
        return _convert_chunk(value, notes)
    if not isinstance(value, list):  # Google sends errors in lists
        notes.append("an event is not a JSON object")
    return Chunk()


def _convert_chunk(value: dict[str, Any], notes: list[str]) -> Chunk:
    """The same chunk as the typed decoder gives, out of JSON that it refuses."""
    chunk = Chunk(**{name: value.get(name) for name in Chunk.__struct_fields__ if name != "choices"})
    choices = value.get("choices")
    if isinstance(choices, list):
        chunk.choices = [_convert_choice(item, notes) for item in choices if isinstance(item, dict)]
        if len(chunk.choices) < len(choices):
            notes.append("a choice is not an object")
    elif choices is not None:
        notes.append("choices is not a list")
    return chunk


def _convert_choice(value: dict[str, Any], notes: list[str]) -> ChunkChoice:
    choice = ChunkChoice(
        **{name: value.get(name) for name in ChunkChoice.__struct_fields__ if name != "delta"}
    )
    delta = value.get("delta")
    if isinstance(delta, dict):
        choice.delta = Delta(**{name: delta.get(name) for name in Delta.__struct_fields__})
    elif delta is not None:
        notes.append("delta is not an object")
    return choice
