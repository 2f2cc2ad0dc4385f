"""Opens the cassette of one test as command line, environment, marker, fixture and ini say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ..errors import SettingsError
from .options import Options, age
from .pending import Pending
from .precedence import LEVELS, Chosen, refusal, under_ci, unusable
from .running import Running
from .said import Said
from .vcr_suites import VcrFiles, is_vcrpy, vcr_files, vcr_mode, vcr_registry, vcr_source

if TYPE_CHECKING:
    from ..cassettes import CassetteSource

    _Opening = tuple[CassetteSource, dict[str, Any]]

_WRITING = ("new_episodes", "all", "rewrite")


class Refused(SettingsError):
    """A test wants to record where nothing must be recorded."""


def open_cassette(request: pytest.FixtureRequest, each: Said, file: Path, options: Options) -> Running:
    """The cassette of a test, in use from now on.

    A file in vcrpy's format is played by its own rules, and never written. Raises RecorderError for
    what cannot be used or read, and Refused for a mode that records under CI.
    """
    from ..file_cassette import cassette  # heavy; a run without cassettes need not wait for it

    settings, mode = _settings(each, options), _mode(request, each, options)
    if (foreign := _foreign(request, each, file)) is not None:
        _refuse(_only_read(foreign, mode, options))
        file, mode = foreign.path, Chosen("none", "vcrpy's format")
        source, settings = _as_vcrpy(request, foreign, settings)
    else:
        source, settings = _as_recorder(file, settings, options)
    pending = Pending(source, missing_is_empty=mode.value == "none")
    opened = cassette(pending, mode.value, **settings)
    on_unused = _level("on_unused", each, options)
    opened.__enter__()
    return Running(request.node.nodeid, opened, pending, file, mode, on_unused)


def _settings(each: Said, options: Options) -> dict[str, Any]:
    """The keywords of `recorder.cassette` that markers, fixtures, command line and ini give."""
    settings = {**each.options, "on_expired": _level("on_expired", each, options)}
    limit = options.chosen("max_age", **each.of("max_age")).value
    return settings if limit is None else {**settings, "max_age": _seconds(limit)}


def _seconds(limit: Any) -> Any:
    if not isinstance(limit, str):
        return limit
    try:
        return age(limit)
    except pytest.UsageError as error:
        raise SettingsError(str(error)) from None


def _level(name: str, each: Said, options: Options) -> str:
    chosen = options.chosen(name, **each.of(name))
    _refuse(unusable(name, chosen, LEVELS))
    return str(chosen.value)


def _as_recorder(file: Path, settings: dict[str, Any], options: Options) -> _Opening:
    from ..cassettes.file import FileCassette  # brings a YAML library along

    if options.update is not None:
        settings = {**settings, "prune": True, "dry_run": options.update == "dry-run"}
    return FileCassette(file), settings


def _as_vcrpy(request: pytest.FixtureRequest, files: VcrFiles, settings: dict[str, Any]) -> _Opening:
    source = vcr_source(files, vcr_registry(request.config), settings.get("redact", True))
    own = {"match": source.matching.match, "repeat": source.repeat}
    return source, {"record_paths": "*", **settings, **own}


def _mode(request: pytest.FixtureRequest, each: Said, options: Options) -> Chosen:
    """The mode of a test; what a suite says in vcrpy's words is no reason to refuse it under CI."""
    legacy = not under_ci(options.environment)
    said = each.modes(legacy=legacy)
    if legacy and not any(said.values()):
        said["fixture"] = vcr_mode(request)
    mode = options.mode(**said)
    _refuse(options.wrong(mode), Refused if refusal(mode, options.environment) else SettingsError)
    return mode


def _foreign(request: pytest.FixtureRequest, each: Said, file: Path) -> VcrFiles | None:
    if file.exists() and not is_vcrpy(file):
        return None
    return vcr_files(request, each, file if {"path", "name"} & each.merged.keys() else None)


def _only_read(files: VcrFiles, mode: Chosen, options: Options) -> str | None:
    """Why the mode cannot be used with a file in vcrpy's format; a suite's own wish is passed over."""
    asked = options.update is not None or mode.by in ("command line", "environment")
    if not asked or mode.value not in _WRITING:
        return None
    return (
        f"recorder: {files.path} is in vcrpy's format, which is only read, and mode {mode.value!r} ({mode.by}) "
        f"would write it; run: recorder cassette import {files.path} (or delete it, to record anew)"
    )


def _refuse(text: str | None, kind: type[SettingsError] = SettingsError) -> None:
    if text is not None:
        raise kind(text)
