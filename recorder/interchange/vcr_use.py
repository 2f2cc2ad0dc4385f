"""Uses a vcrpy file as a cassette: `vcr_cassette(path, options=vcr_config)` in place of `vcr.use_cassette`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from ..cassette_context import Cassette
from ..cassettes import CassetteOptions
from ..file_cassette import cassette
from ..settings import RedactionRules
from .vcr_config import VcrRegistry, vcr_config
from .vcr_tree import VcrCassette


def vcr_cassette(
    path: str | os.PathLike[str],
    extra_paths: Sequence[str | os.PathLike[str]] = (),
    *,
    options: Mapping[str, Any] | None = None,
    registry: VcrRegistry | None = None,
    redact: RedactionRules | bool = True,
    **use: Unpack[CassetteOptions],
) -> Cassette:
    """A file in vcrpy's format as a cassette that is only replayed, for `with` or to decorate a function.

    As vcrpy does, it covers every client of the process unless `install=False`. `options` are vcrpy's own
    (`vcr_config`, the keywords of its marker), and decide what matches and what repeats unless `use` says
    otherwise; all paths are answered, not those of models alone. `extra_paths` are read after it. Raises
    CassetteError for a matcher that nobody registered.
    """
    source = VcrCassette(path, extra_paths, vcr_config(options or {}, registry), redact=redact)
    use = {"install": True, "match": source.matching.match, "repeat": source.repeat, **use}
    return cassette(source, "none", redact=redact, record_paths="*", **use)
