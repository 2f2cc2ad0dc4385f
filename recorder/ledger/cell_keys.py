"""Which group a cell is counted in: what a question's names are in its dimension, beginning, value and place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from .cells import PLAIN, SESSION, TAG, USER, kind_values, kinds_of, shortened
from .dimensions import CORE
from .question import GROUPS, Key, day_text, hour_text


def value_place(by: Sequence[str], dimension: str) -> int | None:
    """Where in a key the value of a dimension is."""
    if kinds_of(dimension):
        return None
    names = {USER: "user", SESSION: "session"}
    name = names.get(dimension, dimension)
    return next((place for place, each in enumerate(by) if shortened(each) == name and each != "tag"), None)


_Reader = Callable[[str, int, str, Sequence[str]], str | None]


def key_reader(by: Sequence[str], dimension: str) -> Callable[[str, int, str, Sequence[str]], Key]:
    """What reads a key from a cell."""
    readers = [_reader(name, dimension) for name in by]
    if len(readers) == 1:
        (read,) = readers
        return lambda of, begins, value, place: (read(of, begins, value, place),)
    return lambda of, begins, value, place: tuple([read(of, begins, value, place) for read in readers])


def _reader(name: str, dimension: str) -> _Reader:
    if name == "day":
        return lambda of, begins, value, place: day_text(begins)
    if name == "hour":
        return lambda of, begins, value, place: hour_text(begins)
    if name in CORE:
        number = CORE.index(name)
        return lambda of, begins, value, place: place[number] or (None if name == "model" else "")
    if dimension == PLAIN:
        return lambda of, begins, value, place: None
    if name == "tag":
        return lambda of, begins, value, place: f"{of.removeprefix(TAG)}={value}"
    if columns := kinds_of(dimension):
        column = columns.index(GROUPS[name])
        return lambda of, begins, value, place: _text(_kind_values(value)[column])
    return lambda of, begins, value, place: value


_kind_values = lru_cache(maxsize=4096)(kind_values)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
