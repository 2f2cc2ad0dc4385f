"""Writers in a forked child, which begin anew there."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Forked(Protocol):
    """Something that a child cannot go on with."""

    @property
    def open_sink(self) -> object: ...

    def begin_in_child(self) -> None: ...


_all: WeakSet[Forked] = WeakSet()
# What was open in the parent is neither used nor closed in the child: closing it would drop the parent's locks.
_inherited: list[object] = []


def begin_anew_when_forked(forked: Forked) -> None:
    """From now on have it begin anew in every child."""
    _all.add(forked)


def _begin_in_child() -> None:
    for forked in list(_all):
        _inherited.append(forked.open_sink)
        forked.begin_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
