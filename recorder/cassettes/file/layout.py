"""The one way in which trees are written as YAML, which the strict reader knows by heart."""

from __future__ import annotations

import re

from .characters import awkward, quote
from .structure import Flow, Number, Open, Tree, on_one_line

_WIDTH = 90
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_NOT_FLAT = re.compile(r'"(?:role|content|text|input|arguments)": |\\')
_WORDS = frozenset(["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"])
"""What some YAML reader takes for something else than text."""


def render(mapping: dict[str, Tree]) -> str:
    """A mapping as the lines of one YAML document, each with its line end."""
    lines: list[str] = []
    _write_mapping(lines, mapping, "")
    return "\n".join(lines) + "\n"


def is_plain(text: str) -> bool:
    """Whether a text can stand without quotes, and needs no escapes as a JSON string either."""
    return (
        text[:1].isalpha()
        and text[-1] not in " :"
        and ": " not in text
        and '"' not in text
        and "\\" not in text
        and " #" not in text
        and (len(text) > 5 or text.lower() not in _WORDS)
        and (text.isprintable() or not (awkward(text) or "\t" in text or "\n" in text))
    )


def _write_mapping(lines: list[str], mapping: dict[str, Tree], margin: str) -> None:
    for name, value in mapping.items():
        plain = _KEY.fullmatch(name) and name.lower() not in _WORDS
        _write(lines, f"{margin}{name if plain else quote(name)}:", value, margin)


def _write_sequence(lines: list[str], items: list[Tree], margin: str) -> None:
    for item in items:
        _write(lines, f"{margin}-", Flow(item) if isinstance(item, list) else item, margin)


def _write(lines: list[str], lead: str, value: Tree, margin: str) -> None:
    """One entry; `lead` is its margin with what introduces it, a key or a dash."""
    if isinstance(value, str):
        _write_text(lines, lead, value, margin)
        return
    flat = _flat(value, len(lead))
    if flat is not None:
        lines.append(f"{lead} {flat}")
        return
    is_item = lead.endswith("-")
    if not is_item:
        lines.append(lead)
    first = len(lines)
    (_write_mapping if isinstance(value, dict) else _write_sequence)(lines, value, f"{margin}  ")
    if is_item:
        lines[first] = f"{lead} {lines[first][len(margin) + 2 :]}"


def _write_text(lines: list[str], lead: str, text: str, margin: str) -> None:
    if "\n" in text and (sign := _literal_sign(text)) is not None:
        lines.append(f"{lead} {sign}")
        lines += [f"{margin}  {line}" if line else "" for line in text.removesuffix("\n").split("\n")]
    else:
        lines.append(f"{lead} {_scalar(text)}")


def _scalar(text: str) -> str:
    if type(text) is Number or is_plain(text):
        return text
    if ('"' in text or "\\" in text) and "\n" not in text and "\t" not in text and not awkward(text):
        return "'" + text.replace("'", "''") + "'"
    return quote(text)


def _literal_sign(text: str) -> str | None:
    """How a literal block of this text begins; None where a block would lose something of it."""
    body = text.removesuffix("\n")
    start = body.lstrip("\n")[:1]
    if not start or start in " \t" or body.endswith("\n") or awkward(text):
        return None
    return "|-" if body is text else "|"


def _flat(value: Tree, width: int) -> str | None:
    """The value on one line, where it is short, has no text that people read, or must stand there."""
    if isinstance(value, Open) and value:
        return None
    flat = on_one_line(value)
    if not isinstance(value, (dict, list)) or not value or isinstance(value, Flow):
        return flat
    if isinstance(value, list) and all(type(item) is Number for item in value):
        return flat
    return None if width + len(flat) > _WIDTH or _NOT_FLAT.search(flat) else flat
