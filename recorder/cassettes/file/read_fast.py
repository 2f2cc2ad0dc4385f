"""The strict reader: turns documents exactly as `layout` writes them into JSON text, and gives up on any other."""

from __future__ import annotations

import re
from collections import deque

import msgspec

from .characters import awkward, quote
from .layout import is_plain
from .skeleton import Deviation, Shape, skeleton

_PLAIN_KEY = re.compile("[A-Za-z_][A-Za-z0-9_.-]*")
_KEY = re.compile(rf'({_PLAIN_KEY.pattern}|"(?:[^"\\]|\\.)*"):(?: (.+))?')
_SINGLE_QUOTED = re.compile(r"'(?:[^']|'')*'")
_JSON_BEGINS = frozenset('"{[-0123456789')
_CONSTANTS = frozenset(("true", "false", "null"))
_EVENT = "- data: {"
_PLAIN = bytes([10, *range(32, 127)])
_SPECIAL = ("", "|")
_MOST_KNOWN = 4096
_LONGEST_KNOWN = 80

_check_json = msgspec.json.Decoder(msgspec.Raw).decode
_read_text = msgspec.json.Decoder(str).decode

_Line = tuple[int, str, str, int]
"""Of a line: the number of its shape, its JSON, the sign of the literal block that follows, and that one's margin."""


class FastReader:
    """Reads the documents of one file, which have many lines in common, and most of them all their shapes."""

    def __init__(self) -> None:
        self._known: dict[str, _Line] = {}
        self._leads: dict[str, tuple[int, str]] = {}
        self._numbers: dict[Shape, int] = {}
        self._shapes: list[Shape] = []
        self._skeletons: dict[tuple[int, ...], list[str]] = {}

    def read(self, document: str) -> str | None:
        """The document as JSON text; None where it deviates from the layout, which is no error yet."""
        if not (document.isascii() and not document.encode().translate(None, _PLAIN)):
            flat = document.replace("\n", "")
            if not flat.isprintable() and awkward(flat):
                return None
        lines = document.split("\n")
        if lines.pop():  # it ends with a line end
            return None
        try:
            return self._read(lines, "\t" in document)
        except (Deviation, msgspec.DecodeError, RecursionError):
            return None

    def _read(self, lines: list[str], tabs: bool) -> str:
        """All in one loop, since loading a file is this loop: what stands between the lines' JSON is looked up."""
        known, leads, numbers, pieces = self._known, self._leads, [], []
        at, count = 0, len(lines)
        while at < count:
            line = lines[at]
            if (found := known.get(line)) is None:
                lead, _, value = line.partition(": ")
                if value[:1] == "{" and (end := _events_end(lines, at)) > at:
                    found = self._events(lines[at:end])
                    at = end - 1
                elif (led := leads.get(lead)) is not None and value[:1] not in _SPECIAL:
                    at += 1
                    numbers.append(led[0])
                    pieces.append(led[1] + _scalar(value))
                    continue
                else:
                    found = self._line(line)
            at += 1
            number, piece, sign, margin = found
            numbers.append(number)
            if sign:
                text, at = _literal(lines, at, margin, sign)
                piece += text
            pieces.append(piece)
        if tabs and any("\t" in piece for piece in pieces):
            raise Deviation
        between = self._between(tuple(numbers))
        parts = [""] * (2 * len(pieces) + 1)
        parts[::2], parts[1::2] = between, pieces
        return "".join(parts)

    def _between(self, numbers: tuple[int, ...]) -> list[str]:
        """What stands before, between and after the pieces of lines with these shapes."""
        if (between := self._skeletons.get(numbers)) is None:
            between = skeleton([self._shapes[number] for number in numbers])
            if len(self._skeletons) < _MOST_KNOWN:
                self._skeletons[numbers] = between
        return between

    def _number(self, shape: Shape) -> int:
        if (number := self._numbers.get(shape)) is None:
            number = self._numbers[shape] = len(self._shapes)
            self._shapes.append(shape)
        return number

    def _events(self, lines: list[str]) -> _Line:
        """Events that have JSON data and nothing else, as if they were on one line."""
        margin = lines[0].index("-")
        skip = margin + len(_EVENT) - 1
        datas = [line[skip:] for line in lines]
        deque(map(_check_json, datas), 0)  # each by itself
        pieces = '},{"data":'.join(datas)
        return self._number(Shape(margin, True, "", False)), f'{{"data":{pieces}}}', "", 0

    def _line(self, line: str) -> _Line:
        """What a line says; it is remembered where it is likely to come again."""
        text = line.lstrip(" ")
        margin = len(line) - len(text)
        item = text.startswith("- ")
        key, value, follows = _entry(text[2:] if item else text, item)
        number = self._number(Shape(margin, item, key, follows == "lines"))
        sign = "" if follows == "lines" else follows
        made = number, f"{key}:{value}" if key else value, sign, margin + (4 if item and key else 2)
        if value and _PLAIN_KEY.fullmatch(key[1:-1]) and len(self._leads) < _MOST_KNOWN:
            self._leads[line.partition(": ")[0]] = number, f"{key}:"
        if len(line) <= _LONGEST_KNOWN and len(self._known) < _MOST_KNOWN:
            self._known[line] = made
        return made


def _events_end(lines: list[str], at: int) -> int:
    """The line after the events from here on that have JSON data and nothing else."""
    line = lines[at]
    if (text := line.lstrip(" "))[:9] != _EVENT:
        return at
    margin, end = line[: -len(text)], at + 1
    lead = margin + _EVENT
    while end < len(lines) and lines[end].startswith(lead):
        end += 1
    return end - 1 if end < len(lines) and lines[end].startswith(f"{margin} ") else end


def _entry(text: str, item: bool) -> tuple[str, str, str]:
    """Key, JSON of the value and what follows; an item may do without a key."""
    key, colon, value = text.partition(": ")
    if colon and _PLAIN_KEY.fullmatch(key) and value:
        key = f'"{key}"'
    elif text[:1] not in "{['" and (found := _KEY.fullmatch(text)):
        key, value = found[1], found[2] or ""
        if key[0] != '"':
            key = f'"{key}"'
        elif quote(_read_text(key)) != key:
            raise Deviation
    elif item:
        return ("", "", text) if text[:1] == "|" else ("", _scalar(text), "")
    else:
        raise Deviation
    follows = value if value[:1] == "|" else "" if value else "lines"
    return key, "" if follows else _scalar(value), follows


def _scalar(value: str) -> str:
    if value[:1] in _JSON_BEGINS:
        _check_json(value)
        return value
    if is_plain(value):
        return f'"{value}"'
    if value in _CONSTANTS:
        return value
    if _SINGLE_QUOTED.fullmatch(value) and "\t" not in value:
        return quote(value[1:-1].replace("''", "'"))
    raise Deviation


def _literal(lines: list[str], at: int, margin: int, sign: str) -> tuple[str, int]:
    """The text of a literal block as JSON, and the line after it."""
    pad, start = " " * margin, at
    while at < len(lines) and (lines[at].startswith(pad) or not lines[at]):
        at += 1
    found = [line[margin:] for line in lines[start:at]]
    text = "\n".join(found)
    first = text.lstrip("\n")[:1]
    if sign not in ("|", "|-") or not first or first in " \t" or not found[-1]:
        raise Deviation
    return quote(text if sign == "|-" else text + "\n"), at
