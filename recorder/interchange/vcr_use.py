"""Uses a vcrpy file as a cassette: `vcr_cassette(path, …)` in place of `vcr.use_cassette(path, …)`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from ..cassette_context import Cassette
from ..cassettes import CassetteOptions
from ..file_cassette import cassette
from ..settings import RedactionRules
from .vcr_config import KEYWORDS, VcrRegistry, vcr_config
from .vcr_tree import VcrCassette

_ADVICE = (
    "the cassette is in vcrpy's format, which is only read: recorder cassette import makes it one of ours"
)


class VcrUse(CassetteOptions, total=False):
    """Options of a cassette, and vcrpy's own."""

    record_mode: Any
    match_on: Any
    additional_matchers: Any
    filter_headers: Any
    filter_query_parameters: Any
    filter_post_data_parameters: Any
    filter_nested_post_data_parameters: Any
    filter_sensitive_data: Any
    before_record: Any
    before_record_request: Any
    before_record_response: Any
    before_save_interaction: Any
    after_load_interaction: Any
    ignore_hosts: Any
    ignore_localhost: Any
    decode_compressed_response: Any
    allow_playback_repeats: Any
    drop_unused_requests: Any
    record_on_exception: Any
    path_transformer: Any
    cassette_library_dir: Any
    serializer: Any
    persister: Any
    custom_patches: Any
    skip_patchers: Any
    inject_cassette: Any
    func_path_generator: Any


def vcr_cassette(
    path: str | os.PathLike[str],
    extra_paths: Sequence[str | os.PathLike[str]] = (),
    *,
    options: Mapping[str, Any] | None = None,
    registry: VcrRegistry | None = None,
    redact: RedactionRules | bool = True,
    **use: Unpack[VcrUse],
) -> Cassette:
    """A file in vcrpy's format as a cassette that is only replayed, for `with` or to decorate a function.

    As vcrpy does, it covers every client of the process unless `install=False`. `options` are vcrpy's own
    (`vcr_config`, the keywords of its marker), which can also be given as keywords; they decide what matches
    and what repeats unless ours say otherwise; all paths are answered, not those of models alone.
    `extra_paths` are read after it. Raises CassetteError for a matcher that nobody registered.
    """
    theirs = {name: value for name, value in use.items() if name in KEYWORDS}
    ours: Any = {name: value for name, value in use.items() if name not in KEYWORDS}
    source = VcrCassette(
        path, extra_paths, vcr_config({**(options or {}), **theirs}, registry), redact=redact
    )
    ours = {
        "advice": _ADVICE,
        "install": True,
        "match": source.matching.match,
        "repeat": source.repeat,
        **ours,
    }
    return cassette(source, "none", redact=redact, record_paths="*", **ours)
