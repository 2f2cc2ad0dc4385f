"""JSON as lenient as the wire needs it."""

from __future__ import annotations

import json
from typing import Any

import msgspec


def parse_json(data: bytes | msgspec.Raw) -> Any:
    """Parse JSON as the wire has it: surrounding blanks, NaN, lone surrogates, a BOM and bad UTF-8 pass.

    Raises ValueError where it is no JSON at all, or is nested too deeply.
    """
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = bytes(data).decode("utf-8", "replace").lstrip("\ufeff")
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("JSON is nested too deeply") from error
