"""Values that stand in JSON beside their names, as in lists of headers: `{"name": "API_KEY", "value": "…"}`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .byte_edits import Span
from .json_spans import Leaf, Path, decode_string

_NAMES = ("name", "key")
VALUE = "value"


class Pairs:
    """The names and values of one document's objects, in whichever order these have them."""

    def __init__(self) -> None:
        self._names: list[Leaf] = []
        self._values: dict[Path, list[Leaf]] = {}

    def add(self, leaf: Leaf) -> None:
        """A string of the document."""
        step = leaf.path[-1] if leaf.path else ""
        if step in _NAMES:
            self._names.append(leaf)
        elif step == VALUE and leaf.start < leaf.end:
            self._values.setdefault(leaf.path[:-1], []).append(leaf)

    def spans(self, body: bytes, is_secret: Callable[[str, Path], bool]) -> Iterator[Span]:
        """The values that are secret, given what tells it by a name and the path of its value."""
        for leaf in self._names:
            if values := self._values.get(leaf.path[:-1]):
                name = decode_string(body, leaf.start, leaf.end).text.decode("utf-8", "replace")
                if is_secret(name, values[0].path):
                    yield from (value[1:3] for value in values)


def has_secret_name(fields: Mapping[str, Any], is_secret: Callable[[str], bool]) -> bool:
    """The same of one parsed object: whether its `value` is secret."""
    return any(isinstance(name := fields.get(each), str) and is_secret(name) for each in _NAMES)
