"""The one place where recorder's own failures are swallowed, logged and counted, so that a user's call goes on."""

from __future__ import annotations

import logging
from types import TracebackType

logger = logging.getLogger("recorder")


class Guard:
    """A reusable context manager around a step of ours; `strict` lets failures through, for tests.

    Only an `Exception` is swallowed. Each kind of failure is logged once, all are counted.
    """

    __slots__ = ("_logged", "failures", "strict")

    def __init__(self, strict: bool = False) -> None:
        self.strict = strict
        self.failures = 0
        self._logged: set[str] = set()

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if self.strict or not isinstance(error, Exception):
            return False
        self.failures += 1
        where = f"{type(error).__module__}.{type(error).__qualname__}"
        if where not in self._logged:
            self._logged.add(where)
            logger.warning("recorder failed, and the call goes on: %s", where, exc_info=error)
        return True
