"""How a cassette is used: what one can ask for when opening it, checked once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Literal, TypedDict, get_args

from msgspec import Struct
from msgspec.structs import replace

from ..errors import CassetteError, SettingsError
from .matching import MATCH, Matching, Rule

ADVICE = "record it with mode='new_episodes', or all anew with mode='rewrite'"
"""What to do about a miss, in the words of those who open cassettes themselves."""

Mode = Literal["none", "once", "new_episodes", "all", "rewrite"]
Pace = Literal["instant", "recorded", "virtual"]
OnMiss = Literal["raise", "response"]
Repeat = Literal["error", "last", "cycle"]
Concern = Literal["ignore", "warn", "fail"]


class CassetteOptions(TypedDict, total=False):
    """The options that `recorder.cassette` and `Recorder.cassette` share, all of them keywords.

    - `install` covers every client of the process while the cassette is in use, instead of only wrapped ones.
    - `pace`: `instant`; `recorded` waits as the upstream did; `virtual` reports the recorded times without waiting.
    - `on_miss`: `raise` CassetteMiss, or answer with a `response` 409 that no SDK retries.
    - `match`: what of two requests must be equal: of `method`, `url`, `scheme`, `host`, `port`, `path`, `query`,
      `body`, `headers:<name>`, and functions `(asked, recorded)` that return a bool or raise AssertionError.
    - `ignore`: JSON paths that are not compared, such as `$.user`, `$.messages[*].id` or `$..id`.
    - `rename_ids`: ids and times may differ, ids as long as equal ones stay equal.
    - `repeat`: what answers a request asked more often than it was recorded: `error`, the `last` answer, or `cycle`.
    - `max_age` (seconds or a timedelta) and `on_expired`: what to do on entering about recordings that are older.
    - `on_unused`: what to do at a good end about recordings that nobody asked for.
    - `prune`: record what is new as mode `new_episodes` does, and drop at a good end what was not used.
    - `dry_run`: record nothing; what would be recorded anew is answered by the nearest recording that is left,
      or is a miss, and the report lists it.
    - `tripwire`: fail calls to LLM hosts by clients that are not covered; only in mode `none`, and there by default.
    - `advice`: what a miss tells to do, in place of the modes that would record.
    """

    install: bool
    pace: Pace
    on_miss: OnMiss
    match: str | Sequence[Rule]
    ignore: str | Sequence[str]
    rename_ids: bool
    repeat: Repeat
    max_age: float | timedelta | None
    on_expired: Concern
    on_unused: Concern
    prune: bool
    dry_run: bool
    tripwire: bool | None
    advice: str


class Use(Struct, frozen=True):
    """All options of one use of a cassette, with their defaults; made by `use`."""

    mode: Mode = "none"
    install: bool = False
    pace: Pace = "instant"
    on_miss: OnMiss = "raise"
    match: tuple[Rule, ...] = MATCH
    ignore: tuple[str, ...] = ()
    rename_ids: bool = False
    repeat: Repeat = "error"
    max_age: float | None = None
    on_expired: Concern = "warn"
    on_unused: Concern = "ignore"
    prune: bool = False
    dry_run: bool = False
    tripwire: bool | None = None
    advice: str = ADVICE

    @property
    def matching(self) -> Matching:
        """How requests are compared; raises SettingsError for rules that there are not."""
        return Matching(self.match, self.ignore, self.rename_ids)

    def of_variant(self, pace: Pace | None, repeat: Repeat | None) -> Use:
        """The same for a variant, which replays alone and holds nothing against recordings; both where given."""
        return replace(
            self,
            mode="none",
            pace=pace or self.pace,
            repeat=repeat or self.repeat,
            max_age=None,
            on_unused="ignore",
            prune=False,
            dry_run=False,
        )


def use(mode: Mode, options: CassetteOptions) -> Use:
    """The options, completed and checked.

    Raises SettingsError for an option that there is not, or a rule or path that cannot be read, and
    CassetteError for a value that is not one of those allowed.
    """
    given: dict[str, Any] = {"mode": mode, **options}
    if unknown := sorted(given.keys() - set(Use.__struct_fields__)):
        raise SettingsError(
            f"{unknown[0]} is no option of a cassette; there are {', '.join(Use.__struct_fields__)}"
        )
    for name in ("match", "ignore"):
        if name in given:
            given[name] = _several(name, given[name])
    if isinstance(given.get("max_age"), timedelta):
        given["max_age"] = given["max_age"].total_seconds()
    _check_age(given.get("max_age"))
    made = Use(**given)
    for name, kinds in _CHOICES.items():
        check(name, getattr(made, name), kinds)
    _ = made.matching  # raises for rules that there are not
    if made.prune and made.mode in ("all", "rewrite"):
        raise CassetteError(
            f"prune keeps what is used, and mode {made.mode!r} uses nothing; leave one of them out"
        )
    return made


def _several(name: str, value: Any) -> tuple[Any, ...]:
    if isinstance(value, str) or callable(value):
        return (value,)
    if not isinstance(value, Iterable):
        raise SettingsError(f"{name}={value!r} is nothing to compare by; give one or a list of them")
    return tuple(value)


def _check_age(seconds: Any) -> None:
    number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if seconds is not None and not (number and seconds >= 0):
        raise SettingsError(f"max_age={seconds!r} is no age; it is a number of seconds or a timedelta")


def check(name: str, value: str, allowed: object) -> None:
    """Raise CassetteError where the value is not one of a Literal's."""
    if value not in (choices := get_args(allowed)):
        raise CassetteError(f"{name}={value!r} is not known; it is one of {', '.join(choices)}")


_CHOICES = {
    "mode": Mode,
    "pace": Pace,
    "on_miss": OnMiss,
    "repeat": Repeat,
    "on_expired": Concern,
    "on_unused": Concern,
}
