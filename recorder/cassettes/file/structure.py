"""JSON text as a tree that keeps what values would lose: the spelling of numbers and the order of keys."""

from __future__ import annotations

import json
from typing import Any

from .characters import quote

Tree = Any
"""dict, list, str, Number, bool or None."""

_DEEPEST = 64
_LONGEST_KEY = 500  # YAML readers look no further than 1024 characters for the colon after a key


class Number(str):
    """A number as it was spelled."""

    __slots__ = ()


class Flow:
    """A tree that is to stand on one line, however long."""

    __slots__ = ("tree",)

    def __init__(self, tree: Tree) -> None:
        self.tree = tree


class Open(dict[str, Any]):
    """A mapping that is to have a line for each key, however short."""

    __slots__ = ()


def read_tree(text: str) -> Tree:
    """The tree of a JSON object or array.

    Raises ValueError for what a file cannot show as structure: other documents, names that occur
    twice, NaN, and what is nested without end.
    """
    if not text.lstrip(" \t\r\n").startswith(("{", "[")):
        raise ValueError("neither an object nor an array")
    try:
        tree = json.loads(
            text, parse_int=Number, parse_float=Number, parse_constant=_refuse, object_pairs_hook=_mapping
        )
        on_one_line(tree)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return tree


def on_one_line(tree: Tree, depth: int = 0) -> str:
    """The tree as JSON text with a blank after colons and commas; raises ValueError where it is too deep."""
    if isinstance(tree, str):
        return tree if type(tree) is Number else quote(tree)
    if isinstance(tree, Flow):
        return on_one_line(tree.tree, depth)
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(tree, dict):
        pairs = [f"{quote(name)}: {on_one_line(value, depth + 1)}" for name, value in tree.items()]
        return f"{{{', '.join(pairs)}}}"
    if isinstance(tree, list):
        return f"[{', '.join([on_one_line(item, depth + 1) for item in tree])}]"
    return "null" if tree is None else str(tree).lower()


def _mapping(pairs: list[tuple[str, Tree]]) -> dict[str, Tree]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise ValueError("a name occurs twice")
    if any(len(name) > _LONGEST_KEY for name in mapping):
        raise ValueError("a name is too long")
    return mapping


def _refuse(constant: str) -> Tree:
    raise ValueError(f"{constant} is no JSON")
