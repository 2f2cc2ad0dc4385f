"""What marker and fixture say about one test's cassette."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ..errors import SettingsError
from .names import with_suffix

PLACE = ("path", "name", "folder")
OPTIONS = (
    *("install", "match", "ignore", "rename_ids", "repeat", "pace", "on_miss", "tripwire"),
    *(RECORDINGS := ("record_paths", "redact", "providers")),
)
CHOSEN = ("mode", "max_age", "on_expired", "on_unused")
VCRPY = (  # of vcrpy's `use_cassette`, for suites that were written for it
    *("match_on", "additional_matchers", "allow_playback_repeats", "custom_patches", "drop_unused_requests"),
    *("filter_headers", "filter_query_parameters", "filter_post_data_parameters", "filter_sensitive_data"),
    *("filter_nested_post_data_parameters", "before_record_request", "before_record_response"),
    *("before_save_interaction", "after_load_interaction", "decode_compressed_response", "ignore_hosts"),
    *("ignore_localhost", "cassette_library_dir", "path_transformer", "func_path_generator", "serializer"),
    *("inject_cassette", "record_on_exception", "skip_patchers", "before_record"),
)


@dataclass(frozen=True, slots=True)
class Said:
    """Marker over fixture: `marker` and `fixture` are what each says, `extra` further cassettes to read."""

    marker: Mapping[str, Any] = field(default_factory=dict)
    fixture: Mapping[str, Any] = field(default_factory=dict)
    extra: tuple[str, ...] = ()

    @property
    def merged(self) -> dict[str, Any]:
        return _over(self.fixture, self.marker)

    @property
    def options(self) -> dict[str, Any]:
        """What goes to `recorder.cassette` as it is; every client is covered unless something else is said."""
        merged = self.merged
        return {"install": True} | {name: merged[name] for name in OPTIONS if name in merged}

    @property
    def named(self) -> str:
        """How the file is named, if not by the test: `path` or `name`."""
        return next((way for way in ("path", "name") if self.merged.get(way)), "")

    def file(self, test_file: Path, default: Path) -> Path:
        """The cassette, relative to the test file's folder; `default` where nothing else is said."""
        merged = self.merged
        if path := merged.get("path"):
            return Path(test_file.parent, path)
        if name := merged.get("name"):
            return default.parent / with_suffix(name)
        return default

    def of(self, name: str) -> dict[str, Any]:
        """What each of the two says of one setting."""
        return {"marker": self.marker.get(name), "fixture": self.fixture.get(name)}

    def modes(self, *, legacy: bool) -> dict[str, Any]:
        """The mode that each asks for; with `legacy` by vcrpy's name for it as well."""
        if not legacy:
            return self.of("mode")
        old = self.of("record_mode")
        return {by: mode or old[by] for by, mode in self.of("mode").items()}

    def folder(self, test_file: Path) -> Path:
        """Where the cassettes of this test's module are."""
        return Path(test_file.parent, self.merged.get("folder", "cassettes"), test_file.stem)


def said(markers: Iterable[pytest.Mark], fixture: Mapping[str, Any] | None = None) -> Said:
    """Put together markers, the closest first, and the dict of `recorder_config`.

    Raises SettingsError for a name that there is not.
    """
    outwards = list(markers)
    marker: dict[str, Any] = {}
    for mark in reversed(outwards):
        marker = _over(marker, _checked("@pytest.mark.recorded", mark.kwargs))
    extra = tuple(str(path) for mark in outwards for path in mark.args)
    return Said(marker, _checked("recorder_config", fixture or {}), extra)


def _over(outer: Mapping[str, Any], inner: Mapping[str, Any]) -> dict[str, Any]:
    """The inner one wins; one file is enough, so its name puts a path from outside aside, and the reverse."""
    rivals = {"path", "name"} if inner.keys() & {"path", "name"} else set()
    return {name: value for name, value in outer.items() if name not in rivals} | dict(inner)


def _checked(where: str, given: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise SettingsError(f"{where} gives {given!r}, which is no dict of options")
    known = {*PLACE, *OPTIONS, *CHOSEN, *VCRPY, "record_mode"}
    if unknown := sorted(given.keys() - known, key=str):
        names = ", ".join((*CHOSEN, *PLACE, *OPTIONS))
        raise SettingsError(f"{where} knows no {unknown[0]!r}; there are {names}")
    for name in PLACE:
        if not _is_path(given.get(name) or ""):
            raise SettingsError(f"{where}: {name}={given[name]!r} is no path of a file or folder")
    return dict(given)


def _is_path(value: Any) -> bool:
    return isinstance(value, (str, os.PathLike)) and "\0" not in os.fspath(value)
