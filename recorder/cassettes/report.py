"""What happened to a cassette in use."""

from __future__ import annotations

from msgspec import Struct

from .source import Recorded


class SessionReport(Struct, frozen=True):
    """Counts and names of one use of a cassette.

    `hits` requests were answered from it, `recorded` calls are new, `total` recordings were loaded, of which
    nobody asked for those in `unused`. `misses` are the texts of all misses, also of those that were
    caught. `anew` names the requests that a dry run would have recorded, and how they differ; `dropped`
    are the recordings that `prune` drops.
    """

    hits: int = 0
    recorded: int = 0
    misses: tuple[str, ...] = ()
    unused: tuple[Recorded, ...] = ()
    total: int = 0
    anew: tuple[str, ...] = ()
    dropped: tuple[Recorded, ...] = ()
    failed: int = 0
