"""Patterns of model names: a name, or one with `*` for anything, and always the whole of it."""

from __future__ import annotations

import re
from functools import lru_cache


def matches_model(pattern: str, name: str) -> bool:
    """Whether the whole name fits: `deepseek-r1` is not `deepseek-r1-distill`, nor `corp/deepseek-r1`."""
    if "*" not in pattern:
        return pattern == name
    return _compiled(pattern).fullmatch(name) is not None


def exactness(pattern: str) -> tuple[bool, int]:
    """How much a pattern pins down, to be compared: a plain name first, then by characters that are given."""
    return "*" not in pattern, len(pattern) - pattern.count("*")


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
