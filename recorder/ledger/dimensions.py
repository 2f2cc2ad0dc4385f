"""Which dimension of the rollups has the answer to a question, and which values of it are asked for."""

from __future__ import annotations

from typing import Final

from .cells import HOUR, KIND, KINDS, PLAIN, SESSION, SINGLE, TAG, USER, kinds_of, shortened, widths
from .question import GROUPS, Question

CORE: Final = ("provider", "host", "model")
"""What the cells of every dimension are cut by."""

_DIMENSIONS = {"user_id": USER, "session_id": SESSION}


def dimension_of(question: Question) -> str | None:
    """The dimension that has the answer; None where none has."""
    if question.conditions:
        return None
    needed = {shortened(TAG + name) for name in question.tags}
    columns = {name for name in question.where if name not in CORE}
    for name in question.by:
        if name.startswith(TAG) or name == "tag":
            needed.add(shortened(name))
        elif (column := GROUPS[name]) not in ("", *CORE):
            columns.add(column)
    kinds = columns.intersection(KINDS)
    needed |= {_DIMENSIONS.get(name, "?") for name in columns - kinds}
    if kinds:
        single = len(kinds) == 1 and kinds <= set(SINGLE) and not needs_cuts(question)
        needed.add(*kinds) if single else needed.add(KIND)
    if not needed:
        return PLAIN
    dimension = needed.pop()
    if needed or dimension == "?" or ("hour" in question.by and HOUR not in widths(dimension)):
        return None
    return dimension


def wanted_values(question: Question) -> dict[str, str]:
    """The values that are asked for, by their dimensions."""
    columns = {"user_id": USER, "session_id": SESSION}
    wanted = {columns[name]: str(value) for name, value in question.where.items() if name in columns}
    return wanted | {shortened(TAG + name): value for name, value in question.tags.items()}


def has_rest(question: Question, dimension: str) -> bool:
    """Whether calls without a value in the dimension are asked for too."""
    if dimension in (PLAIN, "tag") or kinds_of(dimension):
        return False
    return dimension not in wanted_values(question)


def needs_cuts(question: Question) -> bool:
    """Whether it matters which provider, host or model a call had."""
    return any(name in CORE for name in (*question.by, *question.where))
