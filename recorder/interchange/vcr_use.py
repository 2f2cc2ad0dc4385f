"""Uses vcrpy's files as cassettes: `vcr_cassette(path, …)` and `VCR(…)` in place of vcrpy's own."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, Unpack

from ..cassettes import CassetteOptions
from ..errors import SettingsError
from ..file_cassette import cassette
from ..settings import RedactionRules
from .vcr_config import KEYWORDS, VcrRegistry, vcr_config
from .vcr_tree import VcrCassette
from .vcr_view import VcrUsed

F = TypeVar("F", bound=Callable[..., Any])
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
) -> VcrUsed:
    """A file in vcrpy's format as a cassette that is only replayed, for `with` or to decorate a function.

    As vcrpy does, it covers every client of the process unless `install=False`. `options` are vcrpy's own
    (`vcr_config`, the keywords of its marker), which can also be given as keywords; they decide what matches
    and what repeats unless ours say otherwise; all paths are answered, not those of models alone.
    `extra_paths` are read after it. What happened so far has vcrpy's names too: `play_count`, `requests`, `len`.
    Raises CassetteError for a matcher that nobody registered.
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
    return VcrUsed.of(cassette(source, "none", redact=redact, record_paths="*", **ours))


class VCR(VcrRegistry):
    """Options, matchers and serializers for many cassettes in vcrpy's format, in place of a `vcr.VCR(…)`.

    Options can be set as attributes, too. Its cassettes are those of `vcr_cassette`, which are only replayed.
    Raises SettingsError for an option that there is not.
    """

    def __init__(self, **options: Unpack[VcrUse]) -> None:
        super().__init__()
        if unknown := sorted(options.keys() - KEYWORDS - CassetteOptions.__annotations__.keys()):
            raise SettingsError(f"VCR knows no {unknown[0]!r}; it takes what recorder.vcr_cassette takes")
        vars(self).update(options)

    @staticmethod
    def ensure_suffix(suffix: str) -> Callable[[str | os.PathLike[str]], str]:
        """A `path_transformer` that adds a suffix where it lacks."""
        return lambda path: path if (path := os.fspath(path)).endswith(suffix) else path + suffix

    def use_cassette(self, path: Any = None, **use: Unpack[VcrUse]) -> Any:
        """A cassette for `with` or to decorate a function, after which it is called where no path is given."""
        if isinstance(path, str | os.PathLike):
            of_all: Any = {
                name: value for name, value in vars(self).items() if name in CassetteOptions.__annotations__
            }
            return vcr_cassette(path, registry=self, **{**of_all, **use})

        def decorate(function: F) -> F:
            named = self.use_cassette(self._path_for(function, use), **use)
            decorated: F = named(function)
            return decorated

        return decorate if path is None else decorate(path)

    def _path_for(self, function: Any, use: VcrUse) -> str:
        generate = use.get("func_path_generator", self.func_path_generator)
        if generate is not None:
            return str(generate(function))
        library = use.get("cassette_library_dir", self.cassette_library_dir)
        folder = "" if library else os.path.dirname(inspect.getfile(function))
        return os.path.join(folder, function.__name__)
