"""Opens the cassette of one test as command line, environment, marker, fixture and ini say."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ..errors import SettingsError
from .begun import Begun
from .claims import Place
from .extra import WithExtra
from .options import Options, age
from .pending import Pending
from .precedence import LEVELS, Chosen, refusal, under_ci, unusable
from .running import Running
from .said import CHOSEN, OPTIONS, RECORDINGS, Said
from .span_memory import traced
from .strays import Strays
from .vcr_suites import (
    VcrFiles,
    as_vcrpy_says,
    is_vcrpy,
    vcr_extra,
    vcr_files,
    vcr_mode,
    vcr_options,
    vcr_place,
    vcr_registry,
    vcr_source,
)

if TYPE_CHECKING:
    from ..cassette_context import Cassette
    from ..cassettes import CassetteSource
    from ..interchange import Watch

    _Opening = tuple[CassetteSource, dict[str, Any]]

_WRITING = ("new_episodes", "all", "rewrite")
_ADVICE = "record it with --recorder-mode=new_episodes, or all anew with --recorder-mode=rewrite"
_ADVICE_VCRPY = (
    "the cassette is in vcrpy's format, which is only read: recorder cassette import makes it one of ours"
)


class Refused(SettingsError):
    """A test wants to record where nothing must be recorded."""


def open_cassette(
    request: pytest.FixtureRequest, each: Said, place: Place, options: Options, begun: Begun
) -> Running:
    """The cassette of a test, in use from now on.

    A file in vcrpy's format is played by its own rules, and never written. Raises RecorderError for
    what cannot be used or read, and Refused for a mode that records under CI.
    """
    from ..file_cassette import cassette  # heavy; a run without cassettes need not wait for it

    settings, mode = _settings(each, options), _mode(request, each, options)
    copy = None
    if (foreign := _foreign(request, each, place, mode, options)) is not None:
        _refuse(_only_read(foreign, mode, options))
        place, mode = _vcrpy_place(request, place, foreign), Chosen("none", "vcrpy's format")
        source, settings = _as_vcrpy(request, foreign, settings)
    else:
        place = _own_place(request, each, place)
        kept, settings = _as_recorder(request, each, settings, options)
        source = kept(place.file)
        if mode.value != "none" and options.update != "dry-run":
            copy = kept(begun.copy(Path(place.file)))
    strays = Strays(request.node.nodeid, request.config.rootpath)
    pending = Pending(source, missing_is_empty=mode.value == "none", begun=copy, strays=strays)
    opened = cassette(pending, _played(mode, place), **settings, **traced(request))
    on_unused = _level("on_unused", each, options)
    opened.__enter__()
    return Running(
        *(request.node.nodeid, opened, pending, strays, place, mode),
        watch=_watch(opened) if options.report and mode.value == "none" else None,
        on_unused="ignore" if options.update else on_unused,
        update=options.update,
    )


def _watch(opened: Cassette) -> Watch:
    from ..interchange import Watch  # brings all formats along, and is wanted on demand only

    return Watch.over(opened)


def _vcrpy_place(request: pytest.FixtureRequest, place: Place, files: VcrFiles) -> Place:
    if request.node.get_closest_marker("default_cassette") is None:
        return replace(place, file=str(files.path))
    return replace(place, file=str(files.path), named="name", by_fixture=True, alone=False)


def _own_place(request: pytest.FixtureRequest, each: Said, place: Place) -> Place:
    """The place of a cassette of ours: by our words, or where it is already; else by pytest-recording's."""
    if (
        each.named
        or "folder" in each.merged
        or Path(place.file).exists()
        or (file := vcr_place(request)) is None
    ):
        return place
    return replace(place, file=str(file), named="name", by_fixture=True, alone=False)


def _played(mode: Chosen, place: Place) -> Any:
    """The mode of one test of several: what the others need is there until all of them have ended well."""
    return "all" if mode.value == "rewrite" and not place.alone else mode.value


def check(each: Said, options: Options) -> None:
    """Raise RecorderError for what a marker says that can't be used, as far as it can be told before the test."""
    if each.marker.keys().isdisjoint((*OPTIONS, *CHOSEN)):
        return
    from ..cassettes import use

    settings = _settings(each, options)
    options_of_use: Any = {name: value for name, value in settings.items() if name not in RECORDINGS}
    use("none", options_of_use)
    _level("on_unused", each, options)


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


def _as_recorder(
    request: pytest.FixtureRequest, each: Said, settings: dict[str, Any], options: Options
) -> tuple[Callable[[str | Path], CassetteSource], dict[str, Any]]:
    """What makes a cassette of a file, and the options of its use."""
    from ..cassettes.file import FileCassette  # brings a YAML library along

    settings = {**settings, "dry_run": options.update == "dry-run", "advice": _ADVICE}
    made: Callable[[str | Path], CassetteSource] = FileCassette
    if theirs := vcr_options(request, each):
        filtered, meant = as_vcrpy_says(theirs, vcr_registry(request), settings)
        made, settings = lambda file: filtered(FileCassette(file)), {**meant, **settings}
    if not each.extra:
        return made, settings
    extra = [
        _as_vcrpy(request, VcrFiles(file, (), theirs), settings)[0] if is_vcrpy(file) else made(file)
        for file in vcr_extra(request, each)
    ]
    return lambda file: WithExtra(made(file), extra), settings


def _as_vcrpy(request: pytest.FixtureRequest, files: VcrFiles, settings: dict[str, Any]) -> _Opening:
    source = vcr_source(files, vcr_registry(request), settings.get("redact", True))
    own = {"match": source.matching.match, "repeat": source.repeat}
    return source, {"record_paths": "*", **settings, **own, "advice": _ADVICE_VCRPY}


def _mode(request: pytest.FixtureRequest, each: Said, options: Options) -> Chosen:
    """The mode of a test; what a suite says in vcrpy's words is no reason to refuse it under CI."""
    legacy = not under_ci(options.environment)
    said = each.modes(legacy=legacy)
    if legacy and not any(said.values()):
        said["fixture"] = vcr_mode(request)
    mode = options.mode(**said)
    _refuse(options.wrong(mode), Refused if refusal(mode, options.environment) else SettingsError)
    return mode


def _foreign(
    request: pytest.FixtureRequest, each: Said, place: Place, mode: Chosen, options: Options
) -> VcrFiles | None:
    file = Path(place.file)
    if file.exists() and not is_vcrpy(file):
        return None
    files = vcr_files(request, each, file if {"path", "name"} & each.merged.keys() else None)
    if files is not None and _writes(mode, options) and not files.path.exists():
        return None  # the further cassettes alone are vcrpy's, and the test's own is to be recorded
    return files


def _only_read(files: VcrFiles, mode: Chosen, options: Options) -> str | None:
    """Why the mode cannot be used with a file in vcrpy's format; a suite's own wish is passed over."""
    if not _writes(mode, options):
        return None
    return (
        f"recorder: {files.path} is in vcrpy's format, which is only read, and mode {mode.value!r} ({mode.by}) "
        f"would write it; run: recorder cassette import {shlex.quote(str(files.path))} (or delete it, to record anew)"
    )


def _writes(mode: Chosen, options: Options) -> bool:
    """Whether somebody asks to write, other than the suite in vcrpy's words."""
    asked = options.update is not None or mode.by in ("command line", "environment")
    return asked and mode.value in _WRITING


def _refuse(text: str | None, kind: type[SettingsError] = SettingsError) -> None:
    if text is not None:
        raise kind(text)
