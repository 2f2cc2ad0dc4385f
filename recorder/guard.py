"""The one place where recorder's own failures are swallowed, logged and counted, so that a user's call goes on."""

from __future__ import annotations

import logging
from types import TracebackType

from .errors import is_let_through

logger = logging.getLogger("recorder")


class Guard:
    """A reusable context manager around a step of ours; `strict` lets failures through, for tests.

    Only an `Exception` is swallowed, and none of the user's own code. Each is logged once for the line that it comes
    from.
    """

    __slots__ = ("_logged", "strict")

    def __init__(self, strict: bool = False) -> None:
        self.strict = strict
        self._logged: set[str] = set()

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        return self.takes(error)

    def takes(self, error: BaseException | None) -> bool:
        """Whether a failure is one to swallow, which is then logged.

        For a step that every call takes, where `try` costs nothing and `with` costs two calls.
        """
        if self.strict or not isinstance(error, Exception) or is_let_through(error):
            return False
        where = _place(error)
        if where not in self._logged:
            self._logged.add(where)
            logger.warning("recorder failed, and the call goes on: %s", where, exc_info=error)
        return True


def _place(error: BaseException) -> str:
    """The error's class and the line that raised it."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    return (
        name
        if traceback is None
        else f"{name} at {traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}"
    )
