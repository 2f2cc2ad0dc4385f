"""Which dimension of the rollups has the answer to a question, and which values of it are asked for."""

from __future__ import annotations

from typing import Final

from .cells import HOUR, KIND, KINDS, PLAIN, SESSION, TAG, USER, shortened, widths
from .question import GROUPS, Question

CORE: Final = ("provider", "host", "model")
"""What the cells of every dimension are cut by."""

_DIMENSIONS = {"user_id": USER, "session_id": SESSION, **dict.fromkeys(KINDS, KIND)}


def dimension_of(question: Question) -> str | None:
    """The dimension that has the answer; None where none has."""
    if question.conditions:
        return None
    needed = {shortened(TAG + name) for name in question.tags}
    for name in question.by:
        if name.startswith(TAG) or name == "tag":
            needed.add(shortened(name))
        elif (column := GROUPS[name]) not in ("", *CORE):
            needed.add(_DIMENSIONS[column])
    for name in question.where:
        if name not in CORE:
            needed.add(_DIMENSIONS.get(name, "?"))
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
    return dimension not in (PLAIN, KIND, "tag") and dimension not in wanted_values(question)


def needs_cuts(question: Question) -> bool:
    """Whether it matters which provider, host or model a call had."""
    return any(name in CORE for name in (*question.by, *question.where))
