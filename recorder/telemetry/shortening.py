"""Messages made to fit: texts are cut inside the JSON, and where that is not enough messages are left out."""

from __future__ import annotations

import json
from typing import Any, Final

_WHOLE: Final = frozenset({"type", "role", "finish_reason", "modality", "mime_type"})
_MARK: Final = 32
"""About how long the mark of a cut is."""


def fitting(items: list[Any], limit: int) -> str | None:
    """The items as JSON text of at most `limit` characters; None where nothing fits.

    The longest texts are cut first, all to one length. The first and the last items stay longest.
    """
    text = _dump(items)
    if len(text) <= limit:
        return text
    cap = limit // 2
    while cap >= _MARK:
        text = _dump(_cut(items, cap))
        if len(text) <= limit:
            return text
        cap //= 2
    short = _cut(items, _MARK)
    kept = len(items) // 2
    while kept:
        text = _dump([*short[: (kept + 1) // 2], _gap(items, kept), *short[len(short) - kept // 2 :]])
        if len(text) <= limit:
            return text
        kept //= 2
    text = _dump([_gap(items, 0)])
    return text if len(text) <= limit else None


def _cut(value: Any, cap: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= cap + _MARK else f"{value[:cap]}… [{len(value) - cap} more characters]"
    if isinstance(value, list):
        return [_cut(item, cap) for item in value]
    if isinstance(value, dict):
        return {name: item if name in _WHOLE else _cut(item, cap) for name, item in value.items()}
    return value


def _gap(items: list[Any], kept: int) -> dict[str, Any]:
    """What stands for the items that are left out, of the same kind as those."""
    said = f"[{len(items) - kept} left out]"
    first = items[0]
    if "role" in first:
        part = {"type": "text", "content": said}
        reason = {"finish_reason": first["finish_reason"]} if "finish_reason" in first else {}
        return {"role": first["role"], "parts": [part], **reason}
    if "content" in first:
        return {"type": first["type"], "content": said}
    return {"type": first["type"], "name": said}


def _dump(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
