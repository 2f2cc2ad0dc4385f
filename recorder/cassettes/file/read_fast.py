"""The strict reader: turns documents exactly as `layout` writes them into JSON text, and gives up on any other."""

from __future__ import annotations

import re

import msgspec

from .characters import awkward, quote
from .layout import is_plain

_PLAIN_KEY = re.compile("[A-Za-z_][A-Za-z0-9_.-]*")
_KEY = re.compile(rf'({_PLAIN_KEY.pattern}|"(?:[^"\\]|\\.)*"):(?: (.+))?')
_SINGLE_QUOTED = re.compile(r"'(?:[^']|'')*'")
_JSON_BEGINS = frozenset('"{[-0123456789')
_CONSTANTS = frozenset(("true", "false", "null"))
_EVENT = "- data: {"
_MOST_KNOWN = 4096
_LONGEST_KNOWN = 80

_check_json = msgspec.json.Decoder(msgspec.Raw).decode
_read_text = msgspec.json.Decoder(str).decode

_Line = tuple[int, bool, str, str, str]
"""Of a line: its margin, whether it begins an item, its key, what it adds to the JSON after others before it, and
what follows on others: nothing, deeper `lines`, or a literal block with this sign."""

_END: _Line = -1, False, "", "", ""


class FastReader:
    """Reads the documents of one file, which have many lines in common."""

    def __init__(self) -> None:
        self._known: dict[str, _Line] = {}

    def read(self, document: str) -> str | None:
        """The document as JSON text; None where it deviates from the layout, which is no error yet."""
        flat = document.replace("\n", "")
        if not flat.isprintable() and awkward(flat):
            return None
        try:
            return "".join(_Lines(document.split("\n"), "\t" in flat, self._known).read())
        except (_Deviation, msgspec.DecodeError, RecursionError):
            return None


class _Deviation(Exception):
    """The document is not laid out as expected."""


class _Lines:
    """Lines on their way to pieces of JSON; the last of them is empty."""

    __slots__ = ("_known", "_lines", "_tabs")

    def __init__(self, lines: list[str], tabs: bool, known: dict[str, _Line]) -> None:
        self._lines = lines
        self._tabs = tabs
        self._known = known

    def read(self) -> list[str]:
        """All in one loop, since loading a file is this loop: a mapping or list is a level, not a call."""
        lines, known, out = self._lines, self._known, [""]
        levels: list[tuple[int, bool, list[str]]] = []
        here, in_list, keys = -2, False, [""]
        at, opening = 0, True
        while True:
            line = lines[at]
            margin, item, key, piece, follows = known.get(line) or self._read_line(line, at)
            at += 1
            if opening:
                if margin != here + 2:
                    raise _Deviation
                levels.append((here, in_list, keys))
                here, in_list, keys = margin, item, []
                out.append("[" if item else "{")
                out.append(piece[1:])
                opening = False
            else:
                while margin < here:
                    if len(set(keys)) != len(keys):
                        raise _Deviation
                    out.append("]" if in_list else "}")
                    here, in_list, keys = levels.pop()
                if here < 0:
                    return out
                if margin != here or item is not in_list:
                    raise _Deviation
                out.append(piece)
            if not item:
                keys.append(key)
            elif key:
                levels.append((here, True, keys))
                here, in_list, keys = here + 2, False, [key]
            if follows == "lines":
                opening = True
            elif follows:
                text, at = self._literal(at, here + 2, follows)
                out.append(text)

    def _read_line(self, line: str, at: int) -> _Line:
        """What a line says; it is remembered where it is likely to come again."""
        text = line.lstrip(" ")
        margin = len(line) - len(text)
        if text.startswith(_EVENT):
            return margin, True, '"data"', f',{{"data":{self._json(text[8:])}', ""
        if not text and at == len(self._lines) - 1 and not line:
            return _END
        item = text.startswith("- ")
        known = margin, item, *self._read_entry(text[2:] if item else text, item)
        if len(line) <= _LONGEST_KNOWN and len(self._known) < _MOST_KNOWN:
            self._known[line] = known
        return known

    def _read_entry(self, text: str, item: bool) -> tuple[str, str, str]:
        """Key, piece of JSON and what follows; an item may do without a key."""
        key, colon, value = text.partition(": ")
        if colon and _PLAIN_KEY.fullmatch(key) and value:
            key = f'"{key}"'
        elif text[:1] not in "{['" and (found := _KEY.fullmatch(text)):
            key, value = found[1], found[2] or ""
            if key[0] != '"':
                key = f'"{key}"'
            elif quote(_read_text(key)) != key:
                raise _Deviation
        elif item:
            return ("", ",", text) if text[:1] == "|" else ("", f",{self._scalar(text)}", "")
        else:
            raise _Deviation
        follows = value if value[:1] == "|" else "" if value else "lines"
        return key, f"{',{' if item else ','}{key}:{'' if follows else self._scalar(value)}", follows

    def _scalar(self, value: str) -> str:
        if is_plain(value):
            return f'"{value}"'
        if value in _CONSTANTS:
            return value
        if value[:1] in _JSON_BEGINS:
            return self._json(value)
        if _SINGLE_QUOTED.fullmatch(value) and "\t" not in value:
            return quote(value[1:-1].replace("''", "'"))
        raise _Deviation

    def _json(self, value: str) -> str:
        _check_json(value)
        if self._tabs and "\t" in value:
            raise _Deviation
        return value

    def _literal(self, at: int, margin: int, sign: str) -> tuple[str, int]:
        """The text of a literal block as JSON, and the line after it."""
        lines, pad, found = self._lines, " " * margin, []
        while (line := lines[at]).startswith(pad) or (not line and at < len(lines) - 1):
            found.append(line[margin:])
            at += 1
        text = "\n".join(found)
        start = text.lstrip("\n")[:1]
        if sign not in ("|", "|-") or not start or start in " \t" or not found[-1]:
            raise _Deviation
        return quote(text if sign == "|-" else text + "\n"), at
