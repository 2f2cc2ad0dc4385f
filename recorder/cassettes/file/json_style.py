"""How a JSON body was written, in few words: with these, its structure gives the very bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from json.encoder import encode_basestring_ascii
from typing import Literal

import msgspec
from msgspec import Struct

_BLANKS = b" \t\r\n"
_INDENTS = {"spaced": 0, "indent 2": 2, "indent 4": 4}
_HIDDEN_ESCAPE = re.compile(r"\\(?:u(007f|00[89][0-9a-f]|2028|2029|feff|fffe|ffff)|.)")
_SHOWN_TO_GO = re.compile(r"\\(?:u(007f|00[89][0-9a-f]|feff|fffe|ffff)|.)")
_NOT_ASCII = re.compile("[^\x00-\x7f]")
_HTML = re.compile("[<>&]")


class Style(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The defaults are what most clients and servers send.

    `spaced` and the indented spacings are those of Python's `json.dumps`. Escapes are `few` (only
    what JSON demands), `ascii` (all beyond ASCII), `html` (as Go does: <, > and &) or `slashes`
    (as PHP does: ASCII, and slashes too). `before` and `after` are blanks around the document.
    """

    spacing: Literal["compact", "spaced", "indent 2", "indent 4"] = "compact"
    escapes: Literal["few", "ascii", "html", "slashes"] = "few"
    before: str = ""
    after: str = ""

    @property
    def on_one_line(self) -> bool:
        """Whether nothing that is written so has a line end."""
        return not self.spacing.startswith("indent") and "\n" not in self.before + self.after


DEFAULT = Style()


def restore(structure: bytes, style: Style) -> bytes:
    """The body that was written in this style, given its structure as JSON text without blanks.

    Raises ValueError where the structure cannot be a body.
    """
    body = structure
    if style.spacing != "compact":
        body = msgspec.json.format(structure, indent=_INDENTS[style.spacing])
    if style.escapes != "few":
        body = _ESCAPES[style.escapes](body.decode()).encode()
    elif b"\\" in body and b"\\u" in body:  # one sign is found in no time
        body = _show(_HIDDEN_ESCAPE, body.decode()).encode()
    return style.before.encode() + body + style.after.encode() if style.before or style.after else body


def recognise(structure: str, body: bytes) -> Style | None:
    """The style in which this structure, as JSON text, was written as this body; None where it is another one."""
    try:
        compact = compacted(structure)
    except (ValueError, RecursionError):
        return None
    core = body.strip(_BLANKS)
    start = body.find(core)
    before, after = body[:start].decode(), body[start + len(core) :].decode()
    for style in _candidates(core, before, after):
        if restore(compact, style) == body:
            return style
    return None


def compacted(structure: str) -> bytes:
    """JSON text without blanks; raises ValueError or RecursionError where it cannot be a body."""
    return msgspec.json.format(structure.encode(), indent=-1)


def _candidates(core: bytes, before: str, after: str) -> Iterator[Style]:
    escapes: list[Literal["few", "ascii", "html", "slashes"]] = ["few"]
    if b"\\u" in core:
        escapes += ["ascii", "html"]
    if b"\\/" in core:
        escapes.insert(0, "slashes")
    for spacing in ("indent 2", "indent 4") if b"\n" in core else ("compact", "spaced"):
        for each in escapes:
            yield Style(spacing, each, before, after)


def _show(escapes: re.Pattern[str], text: str) -> str:
    """Turn escapes that only the file needs into the characters themselves."""
    return escapes.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[0], text)


def _ascii(text: str) -> str:
    return _NOT_ASCII.sub(lambda found: encode_basestring_ascii(found[0])[1:-1], text)


def _html(text: str) -> str:
    return _HTML.sub(lambda found: f"\\u{ord(found[0]):04x}", _show(_SHOWN_TO_GO, text))


def _slashes(text: str) -> str:
    return _ascii(text).replace("/", "\\/")


_ESCAPES: dict[str, Callable[[str], str]] = {"ascii": _ascii, "html": _html, "slashes": _slashes}
