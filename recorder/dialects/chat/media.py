"""Audio and images that stand beside a message's content, as parts of it."""

from __future__ import annotations

import base64
import binascii
from typing import Any


def with_media(content: str | list[Any] | None, audio: Any, images: Any) -> str | list[Any] | None:
    """The content with what stands beside it: images (OpenRouter), and audio with its transcript (OpenAI) as text."""
    parts = [*(image for image in images if isinstance(image, dict))] if isinstance(images, list) else []
    if isinstance(audio, dict) and audio:
        transcript = audio.get("transcript")
        parts.append({"type": "audio", "audio": {k: v for k, v in audio.items() if k != "transcript"}})
        if isinstance(transcript, str) and transcript:
            parts.append({"type": "text", "text": transcript})
    if not parts:
        return content
    said = [{"type": "text", "text": content}] if isinstance(content, str) and content else content or []
    return [*said, *parts]


def join_audio(pieces: list[dict[str, Any]]) -> dict[str, Any] | None:
    """One audio out of those of all deltas: its bytes and its transcript joined, else the last value."""
    joined: dict[str, Any] = {}
    for piece in pieces:
        joined |= {name: value for name, value in piece.items() if value is not None}
    for name, join in (("data", _join_data), ("transcript", "".join)):
        if texts := [text for piece in pieces if isinstance(text := piece.get(name), str)]:
            joined[name] = join(texts)
    return joined or None


def _join_data(pieces: list[str]) -> str:
    """Base64 of all; each piece may be padded on its own."""
    try:
        return base64.b64encode(b"".join(map(base64.b64decode, pieces))).decode()
    except (binascii.Error, ValueError):
        return "".join(pieces)
