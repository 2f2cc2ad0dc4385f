"""Which calls keep their content; their rows are always kept."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Final, Literal

from .call import Call
from .errors import SettingsError
from .settings import Settings

Content = Literal["kept", "sampled out", "not stored"]
"""What is stored of a call's content, and if none, why."""

Rule = Literal["kept", "errors", "sampled out", "not stored"]
"""The same before it is known how the call went: `errors` keeps the content of one that did not go well."""

_BYTES: Final = 8
_PLACES: Final = 2.0 ** (8 * _BYTES)


class Sampling:
    """Decides by the settings of one recorder. Raises SettingsError for a share that is none."""

    def __init__(self, settings: Settings) -> None:
        self.store_content = settings.store_content
        self._share = share = settings.sample_payloads
        self.everything = share == 1
        self._rest: Rule = "errors" if settings.keep_error_payloads else "sampled out"
        if not callable(share) and (isinstance(share, bool) or not 0 <= share <= 1):
            raise SettingsError(f"sample_payloads is a share from 0 to 1, or a function, not {share!r}")

    def rule(self, operation_id: int, call: Callable[[], Call]) -> Rule:
        """What holds for a call whose content may be stored; only a function of the user's has it read for that.

        The attempts of one SDK call share their operation, and so the content of all of them is kept or of none.
        """
        share = self._share
        wanted = share(call()) if callable(share) else _place(operation_id) < share
        return "kept" if wanted else self._rest


def content_of(rule: Rule, call: Call) -> Content:
    """What a rule means for a call, now that it is known how it went."""
    if rule != "errors":
        return rule
    return "sampled out" if call.outcome == "ok" else "kept"


def _place(operation_id: int) -> float:
    """Where an operation stands between 0 and 1, the same in every process."""
    digest = blake2b(operation_id.to_bytes(16, "big"), digest_size=_BYTES).digest()
    return int.from_bytes(digest, "big") / _PLACES
