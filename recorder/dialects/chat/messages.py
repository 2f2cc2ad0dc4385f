"""The messages and tools of a request, read for display."""

from __future__ import annotations

from typing import Any

from msgspec import Raw

from ...call import Message, RequestHalf
from ..lenient import read_json
from .media import with_media
from .parts import details_text, thinking_text
from .tools import read_function_call, read_tool_calls


def read_messages(half: RequestHalf) -> tuple[Message, ...]:
    """The conversation as it was sent, one message each; what is no message shows as its content."""
    return tuple(_read_message(value) for value in _items(half.raw_messages))


def read_tools(half: RequestHalf) -> tuple[Any, ...]:
    """The tool definitions as they were sent, the legacy `functions` after them."""
    return _items(half.raw_tools) + _items(half.raw_functions)


def _items(raw: Raw | None) -> tuple[Any, ...]:
    if raw is None:
        return ()
    try:
        value = read_json(raw)
    except ValueError:
        return ()
    return tuple(value) if isinstance(value, list) else ()


def _read_message(value: Any) -> Message:
    if not isinstance(value, dict):
        return Message(content=value if isinstance(value, str) else [value])
    content = value.get("content")
    if not (content is None or isinstance(content, str | list)):
        content = [content]
    calls = read_tool_calls(value.get("tool_calls"), [])
    if (function_call := read_function_call(value.get("function_call"))) is not None:
        calls += (function_call,)
    return Message(
        role=_text(value.get("role")),
        content=with_media(content, value.get("audio"), value.get("images")),
        name=_text(value.get("name")),
        reasoning=_text(value.get("reasoning_content"))
        or _text(value.get("reasoning"))
        or _text(value.get("reasoning_text"))
        or thinking_text(content)
        or details_text(value.get("reasoning_details")),
        tool_calls=calls,
        tool_call_id=_text(value.get("tool_call_id")),
    )


def _text(value: Any) -> str | None:
    return value if value and isinstance(value, str) else None
