"""What a cassette holds in the end: what it held, what others added meanwhile, and what was recorded now."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence

from ..exchange import Request
from .comparable import Key, Scope, comparable, digest
from .matching import Matcher, refusal
from .options import Mode
from .source import Recorded

Same = tuple[Key, int, int]
"""What recordings share that answer the same request, sent with the same credential."""


def merge(
    mode: Mode,
    before: Sequence[Recorded],
    now: Sequence[Recorded],
    recorded: Sequence[Recorded],
    dropped: Sequence[Recorded],
    scope: Scope,
    matchers: tuple[Matcher, ...] = (),
) -> list[Recorded]:
    """The recordings to keep, in order; `matchers` say which requests are the same as far as `scope` does not.

    `before` was loaded, `now` is there now, `recorded` was recorded in between, and of what was loaded
    `dropped` shall go. What others added stays; of the same request, as many answers as the one of us
    recorded who asked more often. Mode `rewrite` keeps nothing of what was loaded; mode `all` puts
    what was asked again in the place of what it replaces.
    """
    added = Counter(now) - Counter(before)
    alike = _Alike(scope, matchers)
    theirs = Counter(alike.same(each) for each in added.elements())
    ours = list(_beyond(theirs, recorded, alike))
    if mode == "rewrite":
        return [*_only(now, added), *ours]
    if mode == "all":
        return _replace(now, added, ours, {alike.same(each) for each in recorded}, alike)
    return [*_only(now, Counter(now) - Counter(dropped)), *ours]


class _Alike:
    """Tells which recordings answer the same request; of own rules by asking them about one of each kind."""

    def __init__(self, scope: Scope, matchers: tuple[Matcher, ...]) -> None:
        self._scope = scope
        self._matchers = matchers
        self._kinds: dict[Key, list[Request]] = defaultdict(list)

    def same(self, recorded: Recorded) -> Same:
        key = digest(comparable(recorded.request, self._scope))
        kind = self._kind(self._kinds[key], recorded.request) if self._matchers else 0
        return key, kind, recorded.credential

    def _kind(self, known: list[Request], request: Request) -> int:
        for kind, other in enumerate(known):
            if request == other or refusal(self._matchers, request, other) is None:
                return kind
        known.append(request)
        return len(known) - 1


def _beyond(theirs: Counter[Same], recorded: Iterable[Recorded], alike: _Alike) -> Iterator[Recorded]:
    """What we recorded of each request beyond what others did of the same."""
    for each in recorded:
        if not theirs:
            yield each
            continue
        same = alike.same(each)
        if theirs[same] > 0:
            theirs[same] -= 1
        else:
            yield each


def _replace(
    now: Sequence[Recorded], added: Counter[Recorded], ours: list[Recorded], again: set[Same], alike: _Alike
) -> list[Recorded]:
    fresh: dict[Same, deque[Recorded]] = defaultdict(deque)
    for each in ours:
        fresh[alike.same(each)].append(each)
    kept: list[Recorded] = []
    for each in now:
        if added[each] > 0:
            added[each] -= 1
            kept.append(each)
        elif (same := alike.same(each)) not in again:
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
