"""What stands between the lines of a document when it is JSON: brackets and commas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Deviation(Exception):
    """The document is not laid out as expected."""


class Shape(NamedTuple):
    """A line without its value: its margin, whether it begins an item, its key as JSON, whether deeper lines follow."""

    margin: int
    item: bool
    key: str
    opens: bool


def skeleton(shapes: Sequence[Shape]) -> list[str]:
    """What stands before each line and after the last; raises Deviation where they cannot follow one another so."""
    out: list[str] = []
    levels: list[tuple[int, bool, list[str]]] = []
    here, in_list, keys = -2, False, [""]
    opening = True
    for margin, item, key, opens in shapes:
        before = ""
        if opening:
            if margin != here + 2:
                raise Deviation
            levels.append((here, in_list, keys))
            here, in_list, keys = margin, item, []
            before = "[" if item else "{"
        else:
            while margin < here:
                before += _closing(in_list, keys)
                here, in_list, keys = levels.pop()
            if margin != here or item is not in_list:
                raise Deviation
            before += ","
        if not item:
            keys.append(key)
        elif key:
            before += "{"
            levels.append((here, True, keys))
            here, in_list, keys = here + 2, False, [key]
        out.append(before)
        opening = opens
    if opening:
        raise Deviation
    after = ""
    while here >= 0:
        after += _closing(in_list, keys)
        here, in_list, keys = levels.pop()
    return [*out, after]


def _closing(in_list: bool, keys: list[str]) -> str:
    if len(set(keys)) != len(keys):
        raise Deviation
    return "]" if in_list else "}"
