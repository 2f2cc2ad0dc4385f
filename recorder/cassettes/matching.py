"""The rules by which requests are compared, as a user gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeGuard

from msgspec import Struct

from ..errors import SettingsError, let_through
from ..exchange import Request
from .comparable import Scope
from .json_paths import parse_path

Matcher = Callable[[Request, Request], bool | None]
"""A rule of one's own, given (asked, recorded): False or an AssertionError says that they differ."""
Rule = str | Matcher

MATCH: tuple[Rule, ...] = ("method", "url", "body")
PARTS = ("method", "url", "scheme", "host", "port", "path", "query")
_HEADER = "headers:"


class Matching(Struct, frozen=True):
    """Which requests are the same.

    `match` names what must be equal: parts of the request, `body`, `headers:<name>`, or functions of
    one's own. `ignore` are JSON paths that are left out of bodies. With `rename_ids`, ids and times may
    differ as long as equal ids stay equal. Raises SettingsError for a rule or path that there is not.
    """

    match: tuple[Rule, ...] = MATCH
    ignore: tuple[str, ...] = ()
    rename_ids: bool = False

    def __post_init__(self) -> None:
        if not self.match:
            raise SettingsError(f"match names nothing to compare; use {_forms()}")
        for rule in self.match:
            if not callable(rule) and rule not in (*PARTS, "body") and not _names_header(rule):
                raise SettingsError(f"match={rule!r} is no rule; use {_forms()}")
        for path in self.ignore:
            parse_path(str(path))

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        """The functions among the rules."""
        return tuple(rule for rule in self.match if callable(rule))

    def scope(self, significant: tuple[bytes, ...] = ()) -> Scope:
        """What is compared; `significant` headers always are."""
        headers = [rule[len(_HEADER) :].lower().encode() for rule in self.match if _names_header(rule)]
        return Scope(
            tuple(rule for rule in self.match if isinstance(rule, str) and rule in PARTS),
            tuple(dict.fromkeys((*significant, *headers))),
            "body" in self.match,
            tuple(parse_path(path) for path in self.ignore),
            self.rename_ids,
        )


def refusal(matchers: tuple[Matcher, ...], asked: Request, recorded: Request) -> str | None:
    """Why one of these functions refuses two requests; None where all accept them. Lets out what else they raise."""
    for matcher in matchers:
        name = getattr(matcher, "__name__", repr(matcher))
        try:
            if matcher(asked, recorded) is False:
                return f"{name} returned False"
        except AssertionError as error:
            return f"{name}: {error or 'AssertionError'}"
        except BaseException as error:
            let_through(error)
            raise
    return None


def _names_header(rule: Rule) -> TypeGuard[str]:
    return isinstance(rule, str) and rule.startswith(_HEADER) and len(rule) > len(_HEADER)


def _forms() -> str:
    return f"{', '.join(repr(name) for name in (*PARTS, 'body'))}, 'headers:<name>', or a function (asked, recorded)"
