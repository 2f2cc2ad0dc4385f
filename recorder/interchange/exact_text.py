"""Bytes and texts in JSON, exactly: as text where they are text, else as `{"base64": …}`."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error

from msgspec import Struct


class Base64(Struct, frozen=True, forbid_unknown_fields=True):
    """What is no text in UTF-8."""

    base64: str


Spelled = str | Base64
"""Text as it is, and what is none."""


def spell(data: bytes) -> Spelled:
    """Bytes for JSON."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return Base64(b64encode(data).decode())


def unspell(spelled: Spelled) -> bytes:
    """The bytes that were spelled; raises ValueError where they are no base64."""
    if isinstance(spelled, str):
        return spelled.encode("utf-8")
    try:
        return b64decode(spelled.base64, validate=True)
    except Error as error:
        raise ValueError(f"a text that should be base64 is none: {error}") from error


def spell_text(text: str) -> Spelled:
    """A text for JSON, also one with lone surrogates, which no JSON can carry."""
    return text if text.isascii() else spell(text.encode("utf-8", "surrogatepass"))


def unspell_text(spelled: Spelled) -> str:
    """The text that was spelled; raises ValueError where it is none."""
    return spelled if isinstance(spelled, str) else unspell(spelled).decode("utf-8", "surrogatepass")
