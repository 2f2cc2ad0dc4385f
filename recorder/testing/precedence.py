"""Who may set what: command line, environment, marker, fixture, ini, default, in this order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MODES = ("none", "once", "new_episodes", "all", "rewrite")
LEVELS = ("ignore", "warn", "fail")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A value, and who set it: one of the names in `effective`, or `default`."""

    value: Any
    by: str


def effective(
    *,
    command_line: Any = None,
    environment: Any = None,
    marker: Any = None,
    fixture: Any = None,
    ini: Any = None,
    default: Any = None,
) -> Chosen:
    """The first of these that says something (is not None), in the order of the arguments."""
    said = {
        "command line": command_line,
        "environment": environment,
        "marker": marker,
        "fixture": fixture,
        "ini": ini,
    }
    return next(
        (Chosen(value, by) for by, value in said.items() if value is not None), Chosen(default, "default")
    )


def unusable(name: str, chosen: Chosen, allowed: tuple[str, ...]) -> str | None:
    """What is wrong with a value that must be one of a few; None if nothing is."""
    if chosen.value in allowed:
        return None
    return f"recorder: {name} {chosen.value!r} ({chosen.by}) is not known; it is one of {', '.join(allowed)}"


def refusal(mode: Chosen, environment: Mapping[str, str]) -> str | None:
    """Why this mode must not be used here, since nothing records under CI; None if it may."""
    if mode.value == "none" or not under_ci(environment):
        return None
    return (
        f"recorder: mode {mode.value!r} ({mode.by}) may record, and under CI nothing does; "
        "record on your own machine and commit the cassettes, or run with --recorder-mode=none"
    )


def under_ci(environment: Mapping[str, str]) -> bool:
    """Whether `CI` is set to something that does not mean no."""
    return environment.get("CI", "").strip().lower() not in ("", "0", "false", "no")
