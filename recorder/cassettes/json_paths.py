"""JSON paths: which values of a body are left out of a comparison."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ..errors import SettingsError

FORM = '$.user, $.messages[*].id, $.messages[0], $["x-y"] or $..id'

_STEP = re.compile(
    r"""\.\.(?P<deep>[^\s.\[\]"'*]+)"""
    r"""|\.(?P<name>[^\s.\[\]"'*]+)"""
    r"""|\[(?P<index>\d+)\]"""
    r"""|(?P<all>\[\*\]|\.\*)"""
    r"""|\[(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\]"""
)

Step = tuple[str, str | int]
"""What to go to: ("name", key), ("deep", key at any depth), ("index", position), or ("all", "")."""

_IGNORED = None


@lru_cache(maxsize=256)
def parse_path(path: str) -> tuple[Step, ...]:
    """The steps of a path below `$`; raises SettingsError where it is none."""
    steps: list[Step] = []
    at = 1
    while path[:1] == "$" and at < len(path) and (found := _STEP.match(path, at)) is not None:
        kind = found.lastgroup or ""
        steps.append(_step(kind, found[kind]))
        at = found.end()
    if not steps or at < len(path):
        raise SettingsError(f"{path!r} is no JSON path that can be ignored; write it as {FORM}")
    return tuple(steps)


def leave_out(value: Any, paths: tuple[tuple[Step, ...], ...]) -> Any:
    """The parsed body without what the paths lead to; changed in place.

    Members go; elements become null, so that how many there are still counts.
    """
    for steps in paths:
        places = [value]
        for step in steps[:-1]:
            places = [below for place in places for below in _below(place, step)]
        for place in places:
            _remove(place, steps[-1])
    return value


def member(name: str) -> str:
    """The step of a path that leads to a member of an object."""
    return f".{name}" if name.isidentifier() else f"[{json.dumps(name, ensure_ascii=False)}]"


def _step(kind: str, text: str) -> Step:
    if kind == "index":
        return kind, int(text)
    if kind == "quoted":
        inside = text if text[0] == '"' else '"' + text[1:-1].replace("\\'", "'").replace('"', '\\"') + '"'
        try:
            return "name", str(json.loads(inside, strict=False))
        except ValueError:
            return "name", text[1:-1]
    return kind, "" if kind == "all" else text


def _below(place: Any, step: Step) -> Iterator[Any]:
    kind, where = step
    if kind == "deep":
        yield from (each[where] for each in _objects(place) if where in each)
    elif kind == "all":
        yield from place.values() if isinstance(place, dict) else place if isinstance(place, list) else ()
    elif isinstance(place, dict) and kind == "name" and where in place:
        yield place[where]
    elif isinstance(place, list) and kind == "index" and int(where) < len(place):
        yield place[int(where)]


def _remove(place: Any, step: Step) -> None:
    kind, where = step
    if kind == "deep":
        for each in list(_objects(place)):
            each.pop(where, None)
    elif isinstance(place, dict) and kind == "all":
        place.clear()
    elif isinstance(place, dict) and kind == "name":
        place.pop(where, None)
    elif isinstance(place, list) and kind == "all":
        place[:] = [_IGNORED] * len(place)
    elif isinstance(place, list) and kind == "index" and int(where) < len(place):
        place[int(where)] = _IGNORED


def _objects(value: Any) -> Iterator[dict[Any, Any]]:
    """Every object in a value, itself among them."""
    stack = [value]
    while stack:
        here = stack.pop()
        if isinstance(here, dict):
            yield here
            stack += here.values()
        elif isinstance(here, list):
            stack += here
