"""Attributes of a span that are read when somebody first looks at them, which most often is an exporter's thread."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

from opentelemetry.attributes import BoundedAttributes

from ..guard import Guard
from .attributes import Attributes

Read = Callable[[], Attributes]

_guard = Guard()  # never strict: an exporter must not fail for what could not be read


class LateAttributes(BoundedAttributes):
    """The SDK's own attributes, which nobody has filled in yet.

    What anybody asks of them reads `asked`, and after the end also what was handed in. From then on they are of the
    SDK's class, with the values, the order and the limits that they would have if they had been set at once. Of what
    cannot be read there is nothing.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        LateAttributes._settle(self)  # by its name, since another thread may change the class just now
        return getattr(self, name)

    def _settle(self) -> None:
        """Fill them in; of two threads that look at once, the first has done it."""
        fields = self.__dict__
        while (lock := fields.get("_late_lock")) is not None:
            with lock:
                if "_late_asked" not in fields:
                    return
                maxlen, max_value_len = fields["_late_limits"]
                asked, answered = fields["_late_asked"], fields["_late_answered"]
            filled = _filled(maxlen, max_value_len, asked, answered).__dict__
            with lock:
                if "_late_asked" not in fields:
                    return
                if fields["_late_answered"] is answered:  # else the answer came just now
                    self._become(filled)

    def _become(self, filled: dict[str, Any]) -> None:
        """Take over what was read; the end of the span may have made these attributes immutable meanwhile."""
        fields = self.__dict__
        immutable = filled.pop("_immutable")
        fields.update(filled)
        fields.setdefault("_immutable", immutable)
        self.__class__ = BoundedAttributes  # type: ignore[assignment]  # which is what they are from now on
        for name in ("limits", "asked", "answered", "lock"):
            del fields[f"_late_{name}"]


def late_attributes(limits: tuple[int | None, int | None], asked: Read) -> LateAttributes:
    """Attributes of which `limits` are the most, and the longest text; made without a call of `__init__`."""
    made: LateAttributes = object.__new__(LateAttributes)
    made.__dict__ = {
        "_late_limits": limits,
        "_late_asked": asked,
        "_late_answered": None,
        "_late_lock": Lock(),
    }
    return made


def hand(attributes: BoundedAttributes, answered: Read) -> bool:
    """Add what the answer says; False where somebody has looked already, so that it has to be set on the span."""
    fields = vars(attributes)
    lock = fields.get("_late_lock")
    if lock is None:
        return False
    with lock:
        if "_late_asked" not in fields:
            return False
        fields["_late_answered"] = answered
    return True


def _filled(
    maxlen: int | None, max_value_len: int | None, asked: Read, answered: Read | None
) -> BoundedAttributes:
    """What the SDK would have: some attributes at its start, and some that were set later."""
    filled = BoundedAttributes(maxlen, _read(asked), immutable=False, max_value_len=max_value_len)
    if answered is not None:
        set_all = getattr(
            filled, "_set_items", filled.update
        )  # older ones have only the latter, which is slower
        set_all(_read(answered))
    return filled


def _read(read: Read) -> Attributes:
    try:
        return read()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is ours, and the exporter's thread goes on
        _guard.takes(error)
    return {}
