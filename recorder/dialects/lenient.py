"""JSON read leniently, into text that can be encoded again.

Some servers cut an emoji's two escapes (its surrogates) apart, between two deltas or for good.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct, structs

from ..json_text import parse_json

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec's decoders raise for JSON that is not quite JSON, or not of the expected shape."""


def read_json(data: bytes | msgspec.Raw) -> Any:
    """The value of anything that passes for JSON. Raises ValueError where it is none."""
    try:
        return msgspec.json.decode(data)
    except UNREADABLE:
        value = parse_json(data)
    try:
        return mend(value)
    except RecursionError as error:
        raise ValueError("JSON is nested too deeply") from error


def mend(value: Any) -> Any:
    """The value with neighbouring surrogates joined in all its texts, and lone ones replaced by U+FFFD.

    Raises RecursionError for very deep values.
    """
    if isinstance(value, str):
        return _mend_text(value)
    if isinstance(value, dict):
        return {_mend_text(key): mend(item) for key, item in value.items()}
    if isinstance(value, list):
        return [mend(item) for item in value]
    if isinstance(value, tuple):
        return tuple(mend(item) for item in value)
    if isinstance(value, Struct):
        return structs.replace(value, **{name: mend(item) for name, item in structs.asdict(value).items()})
    return value


def _mend_text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
