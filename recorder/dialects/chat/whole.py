"""A plain answer of the usual shape, decoded in one go; whatever is odd about one is left to the lenient reading."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from ...call import AnswerHalf, Choice
from ..lenient import UNREADABLE
from ..usage import read_usage
from .media import with_media
from .tools import read_function_call, read_tool_calls


class _Message(Struct, gc=False):
    role: str | None = None
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[Any] | None = None
    function_call: Any = None
    audio: Any = None
    images: Any = None
    reasoning_text: None = None  # Copilot's is left to the lenient reading


class _WholeChoice(Struct, gc=False):
    message: _Message
    index: Any = None
    finish_reason: str | None = None
    logprobs: Any = None
    error: None = None


class _Whole(Struct, gc=False):
    choices: list[_WholeChoice]
    id: str | None = None
    model: str | None = None
    usage: Any = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    error: None = None


_decode = msgspec.json.Decoder(_Whole).decode


def read_usual(data: bytes, notes: list[str]) -> AnswerHalf | None:
    """The meaning of an answer that has choices, no error, and only texts where texts belong; else None."""
    try:
        whole = _decode(data)
    except UNREADABLE:
        return None
    if not whole.choices:
        return None
    choices: list[Choice] = []
    for choice in whole.choices:
        choices.append(_read_choice(choice, choice.message, len(choices), notes))
    if len(choices) > 1:
        choices.sort(key=lambda choice: choice.index)
    usage = read_usage(whole.usage, notes)
    return AnswerHalf(
        True,
        False,
        whole.id or None,
        whole.model or None,
        tuple(choices),
        usage,
        whole.usage,
        whole.system_fingerprint or None,
        whole.service_tier or None,
        notes=tuple(dict.fromkeys(notes)) if notes else (),
    )


def _read_choice(choice: _WholeChoice, message: _Message, position: int, notes: list[str]) -> Choice:
    content: str | list[Any] | None = message.content
    if message.audio or message.images:
        content = with_media(content, message.audio, message.images)
    calls, function_call = message.tool_calls, message.function_call
    return Choice(
        choice.index if type(choice.index) is int else position,
        message.role or None,
        content,
        message.reasoning_content or message.reasoning or None,
        message.refusal or None,
        () if calls is None else read_tool_calls(calls, notes),
        None if function_call is None else read_function_call(function_call),
        choice.logprobs,
        choice.finish_reason or None,
    )
