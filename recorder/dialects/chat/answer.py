"""The choices of a plain answer, and the values that plain and streamed answers share."""

from __future__ import annotations

from typing import Any

from ...call import Choice
from .media import with_media
from .parts import nested_reasoning, thinking_text
from .tools import read_function_call, read_tool_calls


def read_choices(value: Any, notes: list[str]) -> tuple[Choice, ...]:
    """The choices of a whole answer, in the order of their indexes."""
    if not isinstance(value, list):
        if value is not None:
            notes.append("choices is not a list")
        return ()
    choices = []
    for position, item in enumerate(value):
        if isinstance(item, dict):
            choices.append(_read_choice(item, position, notes))
        else:
            notes.append("a choice is not an object")
    return tuple(sorted(choices, key=lambda choice: choice.index))


def _read_choice(item: dict[str, Any], position: int, notes: list[str]) -> Choice:
    index = item.get("index")
    message = item.get("message")
    if not isinstance(message, dict):
        if message is not None:
            notes.append("message is not an object")
        message = {}
    return read_message(
        message,
        index=index if type(index) is int else position,
        logprobs=item.get("logprobs"),
        finish_reason=read_text(item.get("finish_reason"), "finish_reason", notes),
        notes=notes,
    )


def read_message(
    message: dict[str, Any], *, index: int, logprobs: Any, finish_reason: str | None, notes: list[str]
) -> Choice:
    """The choice that a whole message makes."""
    content = message.get("content")
    if not (content is None or isinstance(content, str | list)):
        notes.append("content is neither text nor parts")
        content = None
    return Choice(
        index=index,
        role=read_text(message.get("role"), "role", notes),
        content=with_media(content, message.get("audio"), message.get("images")),
        reasoning=_read_reasoning(message.get("reasoning_content"), "reasoning_content", notes)
        or _read_reasoning(message.get("reasoning"), "reasoning", notes)
        or read_text(message.get("reasoning_text"), "reasoning_text", notes)
        or thinking_text(content),
        refusal=read_text(message.get("refusal"), "refusal", notes),
        tool_calls=read_tool_calls(message.get("tool_calls"), notes),
        function_call=read_function_call(message.get("function_call")),
        logprobs=logprobs,
        finish_reason=finish_reason,
    )


def _read_reasoning(value: Any, name: str, notes: list[str]) -> str | None:
    return (nested_reasoning(value) if isinstance(value, dict) else None) or read_text(value, name, notes)


def read_text(value: Any, name: str, notes: list[str]) -> str | None:
    """A text that is something only if it is not empty; notes what is no text."""
    if value is None or isinstance(value, str):
        return value or None
    notes.append(f"{name} is not text")
    return None


def join_logprobs(pieces: list[Any]) -> Any:
    """One logprobs object out of those of all deltas: their token lists joined, else the last value."""
    if len(pieces) < 2 or not all(isinstance(piece, dict) for piece in pieces):
        return pieces[-1] if pieces else None
    joined: dict[str, Any] = {}
    for piece in pieces:
        for name, value in piece.items():
            known = joined.get(name)
            if isinstance(value, list):
                if isinstance(known, list):
                    known += value
                else:
                    joined[name] = list(value)
            elif value is not None or name not in joined:
                joined[name] = value
    return joined
