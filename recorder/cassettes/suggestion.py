"""The one rule with which a request would have matched a recording, found by trying."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress

from msgspec.structs import replace

from ..exchange import Request
from .comparable import comparable, digest, part
from .differences import Difference
from .matching import Matching, Rule, refusal
from .renaming import Bijection

_INDEX = re.compile(r"\[\d+\]")
_MOST_PATHS = 5
_URL_PARTS = ("scheme", "host", "port", "path", "query")


def suggest(
    asked: Request,
    nearest: Request,
    differences: Sequence[Difference],
    recordings: Sequence[Request],
    matching: Matching,
    significant: tuple[bytes, ...],
    ids: Bijection[str, str],
) -> str | None:
    """The smallest change of the rules that lets one of the recordings answer, as a user would write it."""
    for text, rules in _candidates(asked, nearest, differences, matching):
        scope = rules.scope(significant)
        mine = comparable(asked, scope)
        wanted = digest(mine)
        for recorded in recordings:
            theirs = comparable(recorded, scope)
            if digest(theirs) == wanted and ids.allows(mine.ids, theirs.ids):
                with suppress(Exception):  # of a function that was never meant for these two
                    if refusal(rules.matchers, asked, recorded) is None:
                        return text
    return None


def _candidates(
    asked: Request, nearest: Request, differences: Sequence[Difference], matching: Matching
) -> Iterator[tuple[str, Matching]]:
    if not matching.rename_ids and _has_ids(asked, matching):
        yield "rename_ids=True", replace(matching, rename_ids=True)
    paths = [difference.path for difference in differences]
    if all(path.startswith("$") for path in paths):
        for ignored in _ignorable(paths):
            rules = replace(matching, ignore=tuple(dict.fromkeys((*matching.ignore, *ignored))))
            yield f"ignore={json.dumps(rules.ignore, ensure_ascii=False)}", rules
    if match := tuple(_kept(asked, nearest, set(paths), matching.match)):
        yield f"match={_shown(match)}", replace(matching, match=match)


def _has_ids(asked: Request, matching: Matching) -> bool:
    plain, renamed = (
        comparable(asked, replace(matching, rename_ids=rename).scope()) for rename in (False, True)
    )
    return (plain.parts, plain.body) != (renamed.parts, renamed.body)


def _ignorable(paths: Sequence[str]) -> Iterator[list[str]]:
    """The paths as they are, then with any index, then of what holds the elements."""
    if "$" in paths:
        return
    seen: list[list[str]] = []
    for several in (
        list(paths),
        [_INDEX.sub("[*]", path) for path in paths],
        [path if path[-1] != "]" else _INDEX.split(path)[0] for path in paths],
    ):
        unique = list(dict.fromkeys(several))
        if unique not in seen and len(unique) <= _MOST_PATHS and "$" not in unique:
            seen.append(unique)
            yield unique


def _kept(asked: Request, nearest: Request, differing: set[str], match: Sequence[Rule]) -> Iterator[Rule]:
    """The rules that hold for the nearest recording; of a URL, its parts that do."""
    for rule in match:
        if callable(rule):
            yield rule
        elif rule == "body":
            if not any(path.startswith("$") for path in differing):
                yield rule
        elif rule not in differing and f"header {rule.partition(':')[2].lower()}" not in differing:
            yield rule
        elif rule == "url":
            yield from (name for name in _URL_PARTS if part(asked, name) == part(nearest, name))


def _shown(match: Sequence[Rule]) -> str:
    names = [getattr(rule, "__name__", repr(rule)) if callable(rule) else json.dumps(rule) for rule in match]
    return f"({', '.join(names)}{',' * (len(names) == 1)})"
