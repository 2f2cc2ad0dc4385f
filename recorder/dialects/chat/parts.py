"""Content that comes as a list of parts, whole or in pieces."""

from __future__ import annotations

from typing import Any

_THOUGHTS = {"thinking": "thinking", "reasoning": "summary"}
"""Types of thinking parts, and the field that says the thought."""

_BLOCK = ("reasoningContent", "reasoningText", "text")
"""How Bedrock's reasoning is nested, of which streams have only the last."""


def answer_text(part: Any) -> str | None:
    """The text of a text part; None of any other."""
    text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
    return text if isinstance(text, str) else None


def thought(part: Any) -> str | None:
    """What a thinking part says; None of any other. Mistral nests text parts in it, others put text.

    Databricks' `reasoning` parts nest theirs in a summary.
    """
    kind = part.get("type") if isinstance(part, dict) else None
    field = _THOUGHTS.get(kind) if isinstance(kind, str) else None
    if field is None:
        return None
    inner = part.get(field)
    if isinstance(inner, list):
        return "".join(_nested_text(item) or "" for item in inner)
    return inner if isinstance(inner, str) else ""


def _nested_text(item: Any) -> str | None:
    """The text of what stands in a thinking part; None where that is no text (Mistral's references)."""
    text = (
        item.get("text") if isinstance(item, dict) and item.get("type") in ("text", "summary_text") else None
    )
    return text if isinstance(text, str) else None


def thinking_text(content: Any) -> str | None:
    """What the thinking parts of a content say together; None if it has none."""
    if not isinstance(content, list):
        return None
    return "".join(thought(part) or "" for part in content) or None


def nested_reasoning(value: Any) -> str | None:
    """The text of reasoning that comes as Bedrock's object (Envoy's AI gateway); None where there is none."""
    for name in _BLOCK:
        if isinstance(value, dict) and name in value:
            value = value[name]
    return value if value and isinstance(value, str) else None


def details_text(details: Any) -> str | None:
    """What reasoning details say (OpenRouter, MiniMax): their texts and summaries; None if that is nothing."""
    if not isinstance(details, list):
        return None
    texts = (item.get("text") or item.get("summary") for item in details if isinstance(item, dict))
    return "".join(text for text in texts if isinstance(text, str)) or None


def holds_answer(part: Any) -> bool:
    """Whether a part gives the reader something other than thinking, be it an image."""
    return bool(part) and thought(part) is None and answer_text(part) != ""


def join_content(pieces: list[Any]) -> str | list[Any] | None:
    """The content that pieces (texts and lists of parts) amount to.

    Mistral streams thinking in lists of parts and goes on in plain text: the plain answer has parts
    for both. Like parts are joined across pieces only: those of one list stay apart.
    """
    texts = [piece for piece in pieces if isinstance(piece, str)]
    if len(texts) == len(pieces):
        return "".join(texts) if texts else None
    runs: list[list[Any]] = []
    for piece in pieces:
        parts = piece if isinstance(piece, list) else [{"type": "text", "text": piece}] if piece else []
        if parts and runs and (kind := _kind(parts[0])) and kind == _kind(runs[-1][0]):
            runs[-1].append(parts[0])
            parts = parts[1:]
        runs += ([part] for part in parts)
    return [run[0] if len(run) == 1 else _join_parts(run) for run in runs]


def _kind(part: Any) -> str | None:
    """What makes two parts alike enough to be joined; None for those that stay whole."""
    if answer_text(part) is not None:
        return "text"
    if thought(part) is None:
        return None
    inner = part.get(_THOUGHTS[part["type"]])
    if isinstance(inner, str):
        return str(part["type"])
    nested = isinstance(inner, list) and all(_nested_text(item) is not None for item in inner)
    return f"nested {part['type']}" if nested else None


def _join_parts(run: list[dict[str, Any]]) -> dict[str, Any]:
    """One part out of several of one kind; what else they carry is taken from the last to have it."""
    joined = {name: value for part in run for name, value in part.items()}
    kind = _kind(run[0])
    if kind == "text":
        return {**joined, "text": "".join(answer_text(part) or "" for part in run)}
    text, field = "".join(thought(part) or "" for part in run), _THOUGHTS[joined["type"]]
    if kind == joined["type"]:
        return {**joined, field: text}
    nested = {name: value for part in run for item in part[field] for name, value in item.items()}
    return {**joined, field: [{"type": "text", **nested, "text": text}]}
