"""Messages and tools as the GenAI conventions write them; bytes in them are shown by their digest."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from ..call import AnswerHalf, Choice, Message, RequestHalf, ToolCall
from ..dialects.chat import read_messages, read_tools

Part = dict[str, Any]

_FINISH = {"tool_calls": "tool_call", "function_call": "tool_call"}
_DEEPEST = 24
"""How deep arguments and schemas may nest: the protocol's readers stop at a hundred levels, all told."""


def input_messages(half: RequestHalf) -> list[Part]:
    """The conversation as it was sent, system messages among them."""
    return [_message(message) for message in read_messages(half)]


def output_messages(answer: AnswerHalf) -> list[Part]:
    """One message a choice; the finish reason is always there, since readers insist on it."""
    return [
        {
            "role": choice.role or "assistant",
            "parts": list(_choice_parts(choice)),
            "finish_reason": _finish_reason(choice.finish_reason),
        }
        for choice in answer.choices
    ]


def system_instructions(half: RequestHalf) -> list[Part]:
    """Instructions that stand beside the conversation."""
    return [{"type": "text", "content": half.system_prompt}] if half.system_prompt else []


def tool_definitions(half: RequestHalf) -> list[Part]:
    """The tools that the model could call."""
    return [_tool(tool) for tool in read_tools(half)]


def _message(message: Message) -> Part:
    parts = list(_message_parts(message))
    made: Part = {"role": message.role or "user", "parts": parts}
    if message.name is not None:
        made["name"] = message.name
    return made


def _message_parts(message: Message) -> Iterator[Part]:
    if message.role in ("tool", "function"):
        response = _response(message.content)
        yield _present({"type": "tool_call_response", "id": message.tool_call_id, "response": response})
        return
    if message.reasoning:
        yield {"type": "reasoning", "content": message.reasoning}
    yield from _content_parts(message.content)
    yield from map(_tool_call, message.tool_calls)


def _choice_parts(choice: Choice) -> Iterator[Part]:
    if choice.reasoning:
        yield {"type": "reasoning", "content": choice.reasoning}
    yield from _content_parts(choice.content)
    if choice.refusal:
        yield {"type": "refusal", "content": choice.refusal}
    yield from map(_tool_call, choice.tool_calls)
    if choice.function_call is not None:
        yield _tool_call(choice.function_call)


def _content_parts(content: str | list[Any] | None) -> Iterator[Part]:
    if isinstance(content, str):
        if content:
            yield {"type": "text", "content": content}
    else:
        yield from filter(None, map(_part, content or ()))


def _part(part: Any) -> Part | None:
    """One part of a content; None for thinking, which is told as reasoning."""
    if not isinstance(part, dict):
        return {"type": "text", "content": part if isinstance(part, str) else _text(part)}
    kind = part.get("type")
    inner = part.get(kind) if isinstance(kind, str) else None
    if kind in ("text", "input_text", "output_text"):
        return {"type": "text", "content": _text(part.get("text"))}
    if kind in ("thinking", "reasoning"):
        return None
    if kind in ("image_url", "input_image"):
        return _reference("image", _url(part.get("image_url")))
    if kind == "input_audio" and isinstance(inner, dict):
        return _bytes("audio", f"audio/{inner.get('format') or 'wav'}", inner.get("data"))
    if kind == "audio" and isinstance(inner, dict):
        return _audio(inner)
    if kind in ("file", "input_file"):
        return _file(inner if isinstance(inner, dict) else part)
    return {"type": kind if isinstance(kind, str) else "unknown", "content": _text(part)}


def _audio(audio: Part) -> Part:
    """What was said, by the digest of its bytes; in a later turn there is only its id."""
    if isinstance(audio.get("data"), str):
        return _bytes("audio", "", audio["data"])
    id = audio.get("id")
    return {"type": "file", "modality": "audio", "file_id": id if isinstance(id, str) else ""}


def _file(file: Part) -> Part:
    if isinstance(id := file.get("file_id"), str):
        return {"type": "file", "modality": "document", "file_id": id}
    return _reference("document", _url(file.get("file_data") or file.get("file_url")))


def _reference(modality: str, url: str) -> Part:
    """Where something lies; what lies in the URL itself is named by its digest."""
    if not url.startswith("data:"):
        return {"type": "uri", "modality": modality, "uri": url}
    head, _, data = url[5:].partition(",")
    mime_type, *parameters = head.split(";")
    return _bytes(modality, mime_type, data if "base64" in parameters else None, url)


def _bytes(modality: str, mime_type: str, encoded: Any, otherwise: str = "") -> Part:
    try:
        data = base64.b64decode(encoded) if isinstance(encoded, str) else otherwise.encode("utf-8", "replace")
    except (binascii.Error, ValueError):
        data = str(encoded).encode("utf-8", "replace")
    uri = f"sha256:{sha256(data).hexdigest()}"
    return _present({"type": "uri", "modality": modality, "mime_type": mime_type or None, "uri": uri})


def _tool_call(call: ToolCall) -> Part:
    arguments = _arguments(call.arguments)
    return _present({"type": "tool_call", "id": call.id, "name": call.name or "", "arguments": arguments})


def _tool(tool: Any) -> Part:
    if not isinstance(tool, dict):
        return {"type": "unknown", "name": _text(tool)}
    kind = tool.get("type") or "function"
    function = tool.get("function")
    said = function if isinstance(function, dict) else tool
    made: Part = {"type": _text(kind), "name": _text(said.get("name") or kind)}
    if isinstance(description := said.get("description"), str):
        made["description"] = description
    if isinstance(parameters := said.get("parameters"), dict):
        made["parameters"] = _shallow(parameters)
    return made


def _response(content: str | list[Any] | None) -> Any:
    if isinstance(content, list):
        return [part for part in map(_part, content) if part is not None]
    return content or ""


def _arguments(text: str) -> Any:
    """What a tool is called with, as an object; the text itself where it is no JSON."""
    try:
        value = json.loads(text, parse_constant=str) if text else {}
    except (ValueError, RecursionError):
        return text
    return _shallow(value)


def _shallow(value: Any, levels: int = _DEEPEST) -> Any:
    """The value, with text for what is nested too deeply."""
    if not isinstance(value, dict | list):
        return value
    if not levels:
        return _text(value)
    if isinstance(value, list):
        return [_shallow(item, levels - 1) for item in value]
    return {name: _shallow(item, levels - 1) for name, item in value.items()}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return "…"


def _url(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("url")
    return value if isinstance(value, str) else ""


def _finish_reason(reason: str | None) -> str:
    return _FINISH.get(reason, reason) if reason else "error"


def _present(part: Part) -> Part:
    return {name: value for name, value in part.items() if value is not None}
