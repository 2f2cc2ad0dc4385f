"""What is made of a function once, since it is put in place by every test of a suite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_MOST = 64


class MadeOnce:
    """Keeps what was made of each object, by identity: a wrapper of wrapt's equals what it wraps."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Any, Any]] = {}

    def of(self, original: Any, make: Callable[[], Any]) -> Any:
        """What was made of this one, or is made now."""
        known = self._made.get(id(original))
        if known is None:
            if len(self._made) >= _MOST:
                self._made.clear()
            known = self._made[id(original)] = original, make()
        return known[1]
