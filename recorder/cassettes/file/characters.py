"""Which characters stand in a cassette file as themselves, and how text that holds others is written."""

from __future__ import annotations

import re
from json.encoder import encode_basestring

HIDDEN = "\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff"
"""What JSON allows as it is, but YAML refuses or takes for a line break: as a character class."""

_AWKWARD = re.compile(f"[\x00-\x08\x0b-\x1f{HIDDEN}\ud800-\udfff]")
_TO_ESCAPE = re.compile(f"[{HIDDEN}\ud800-\udfff]")
_UNSPEAKABLE = re.compile("[\x1a\ud800-\udfff]")
_SPELLED = re.compile("\x1a([0-9a-f]{4})")


def awkward(text: str) -> bool:
    """Whether a text holds what must not stand in the file as it is; tabs and line feeds may."""
    return not text.isprintable() and _AWKWARD.search(text) is not None


def quote(text: str) -> str:
    """The text as a JSON string, which is a YAML scalar as well."""
    quoted = encode_basestring(text)
    return quoted if quoted.isprintable() else _TO_ESCAPE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def spell(text: str) -> str:
    """Text without lone surrogates, which neither JSON readers nor YAML readers take; `unspell` turns it back."""
    if text.isprintable():
        return text
    return _UNSPEAKABLE.sub(lambda found: f"\x1a{ord(found[0]):04x}", text)


def unspell(text: str) -> str:
    """The text that was given to `spell`."""
    return _SPELLED.sub(lambda found: chr(int(found[1], 16)), text) if "\x1a" in text else text
