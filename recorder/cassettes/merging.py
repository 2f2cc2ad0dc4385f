"""What a cassette holds in the end: what it held, what others added meanwhile, and what was recorded now."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence

from .comparable import Key, Scope, comparable, digest
from .options import Mode
from .source import Recorded

Same = tuple[Key, int]
"""What recordings share that answer the same request, sent with the same credential."""


def merge(
    mode: Mode,
    before: Sequence[Recorded],
    now: Sequence[Recorded],
    recorded: Sequence[Recorded],
    dropped: Sequence[Recorded],
    scope: Scope,
) -> list[Recorded]:
    """The recordings to keep, in order.

    `before` was loaded, `now` is there now, `recorded` was recorded in between, and of what was loaded
    `dropped` shall go. What others added stays; of the same request, as many answers as the one of us
    recorded who asked more often. Mode `rewrite` keeps nothing of what was loaded; mode `all` puts
    what was asked again in the place of what it replaces.
    """
    added = Counter(now) - Counter(before)
    theirs = Counter(_same(each, scope) for each in added.elements())
    ours = list(_beyond(theirs, recorded, scope))
    if mode == "rewrite":
        return [*_only(now, added), *ours]
    if mode == "all":
        return _replace(now, added, ours, {_same(each, scope) for each in recorded}, scope)
    return [*_only(now, Counter(now) - Counter(dropped)), *ours]


def _beyond(theirs: Counter[Same], recorded: Iterable[Recorded], scope: Scope) -> Iterator[Recorded]:
    """What we recorded of each request beyond what others did of the same."""
    for each in recorded:
        if not theirs:
            yield each
            continue
        same = _same(each, scope)
        if theirs[same] > 0:
            theirs[same] -= 1
        else:
            yield each


def _replace(
    now: Sequence[Recorded], added: Counter[Recorded], ours: list[Recorded], again: set[Same], scope: Scope
) -> list[Recorded]:
    fresh: dict[Same, deque[Recorded]] = defaultdict(deque)
    for each in ours:
        fresh[_same(each, scope)].append(each)
    kept: list[Recorded] = []
    for each in now:
        if added[each] > 0:
            added[each] -= 1
            kept.append(each)
        elif (same := _same(each, scope)) not in again:
            kept.append(each)
        elif fresh[same]:
            kept.append(fresh[same].popleft())
    left = Counter(each for queue in fresh.values() for each in queue)
    return [*kept, *_only(ours, left)]


def _only(recordings: Sequence[Recorded], wanted: Counter[Recorded]) -> Iterator[Recorded]:
    """Those wanted, as often as they are, in order."""
    wanted = wanted.copy()
    for each in recordings:
        if wanted[each] > 0:
            wanted[each] -= 1
            yield each


def _same(recorded: Recorded, scope: Scope) -> Same:
    return digest(comparable(recorded.request, scope)), recorded.credential
