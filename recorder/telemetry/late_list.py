"""The events and links of a span, of which most spans have none: made when somebody first looks."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.util import BoundedList


class LateList(BoundedList):  # type: ignore[type-arg]  # it takes none while it runs
    """The SDK's own list, empty, and of the SDK's class from the first look on; `maxlen` is its class's."""

    maxlen: int | None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        kind = type(self)
        if issubclass(kind, LateList):  # another thread may have been first, here and below
            fields = vars(self)
            for field, value in vars(BoundedList(kind.maxlen)).items():
                fields.setdefault(field, value)
            self.__class__ = BoundedList  # type: ignore[assignment]  # which is what it is from now on
        return getattr(self, name)


def late_list(maxlen: int | None) -> type[LateList]:
    """The class of lists of that many items."""
    return type("LateList", (LateList,), {"maxlen": maxlen})
