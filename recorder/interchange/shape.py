"""The shape of JSON: which members there are and of which types, without what they say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from ..cassettes.json_paths import member

APPEARED = "appeared"
VANISHED = "vanished"

_DEEPEST = 60


class Shape(Struct):
    """All values at one place: their types, members by name, and elements of lists as one."""

    types: set[str] = set()
    members: dict[str, Shape] = {}
    items: Shape | None = None

    def take(self, value: Any, depth: int = 0) -> None:
        """Add one more value at this place."""
        self.types.add(_type(value))
        if depth > _DEEPEST:
            return
        if isinstance(value, dict):
            for name, inner in value.items():
                self.members.setdefault(name, Shape()).take(inner, depth + 1)
        elif isinstance(value, list) and value:
            self.items = self.items or Shape()
            for inner in value:
                self.items.take(inner, depth + 1)


def shape_of(values: Iterable[Any]) -> Shape:
    """The shape that all of the values have together."""
    shape = Shape()
    for value in values:
        shape.take(value)
    return shape


def shape_changes(before: Shape, after: Shape, path: str = "$") -> Iterator[tuple[str, str]]:
    """Path and change of each member that appeared or vanished, and of each type that became another.

    What is below such a place is not told as well. Null says nothing of a type, and an empty list nothing
    of its elements.
    """
    types = before.types - {"null"}, after.types - {"null"}
    if types[0] and types[1] and not types[0] & types[1]:
        yield path, f"{_listed(types[0])} became {_listed(types[1])}"
        return
    if before.items is not None and after.items is not None:
        yield from shape_changes(before.items, after.items, f"{path}[*]")
    if "object" not in types[0] or "object" not in types[1]:
        return
    for name, shape in before.members.items():
        if name in after.members:
            yield from shape_changes(shape, after.members[name], path + member(name))
        else:
            yield path + member(name), VANISHED
    for name in after.members:
        if name not in before.members:
            yield path + member(name), APPEARED


def _type(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _listed(types: set[str]) -> str:
    return " or ".join(sorted(types))
