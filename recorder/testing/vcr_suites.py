"""Suites that were written for pytest-recording: their cassettes are played where they lie."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from . import vcr_fixtures
from .names import SUFFIXES, foreign_file_name, foreign_name
from .said import VCRPY, Said

if TYPE_CHECKING:
    from ..cassettes import CassetteSource
    from ..cassettes.file import FileCassette
    from ..interchange.vcr_config import VcrRegistry
    from ..interchange.vcr_tree import VcrCassette
    from ..settings import RedactionRules

_SIGN = re.compile(rb'^interactions:|^requests:|"interactions"\s*:|\A- request:', re.MULTILINE)
_OURS = re.compile(rb"^recorder_cassette:", re.MULTILINE)
_HEAD_BYTES = 4096
_GZIP = b"\x1f\x8b"
_FIXTURES = pytest.StashKey[dict[str, Any]]()
_ABSENT = object()
_REGISTRY = pytest.StashKey["VcrRegistry | None"]()


@dataclass(frozen=True, slots=True)
class VcrFiles:
    """The files that pytest-recording would read for a test, and vcrpy's options for them."""

    path: Path
    extra: tuple[Path, ...]
    config: Mapping[str, Any]


def vcr_files(request: pytest.FixtureRequest, each: Said, explicit: Path | None) -> VcrFiles | None:
    """The cassette of this test in vcrpy's format; None where there is none.

    The fixtures `vcr_config`, `vcr_cassette_dir` and `default_cassette_name` count where the suite has
    them, and the marker `default_cassette`; also pytest-vcr's `vcr_cassette_name`, and its names for tests.
    `explicit` is the file that the test names itself.
    """
    options = vcr_options(request, each)
    suffix = f".{options.get('serializer', 'yaml')}"
    path = explicit or _folder(request) / _with(suffix, _name(request, suffix))
    extra = vcr_extra(request, each)
    is_one = is_vcrpy if options.get("persister") is None else _is_foreign
    if explicit is None and not is_one(path):
        path = next(filter(is_one, _of_pytest_vcr(request, suffix)), path)
    if not any(is_one(file) for file in (path, *extra)):
        return None
    options.setdefault("path_transformer", lambda name: _with(suffix, os.fspath(name)))
    return VcrFiles(path, extra, options)


def vcr_place(request: pytest.FixtureRequest) -> Path | None:
    """Where the suite, in pytest-recording's words, has a cassette of ours for this test; None where it says nothing.

    That is by its own `vcr_cassette_dir` and `default_cassette_name` or the marker `default_cassette`; and by
    pytest-recording's or pytest-vcr's name for the test, if such a file of ours is there, as importing leaves it.
    """
    folder = _folder(request)
    name = _name(request, ".yaml")
    file = Path(os.path.abspath(folder / _with(".yaml", name)))
    chosen = folder != _usual_folder(request) or name != foreign_file_name(request.node.name, request.cls)
    if chosen:
        return file
    return next((each for each in (file, *_of_pytest_vcr(request, ".yaml")) if _is_ours(each)), None)


def vcr_extra(request: pytest.FixtureRequest, each: Said) -> tuple[Path, ...]:
    """The further cassettes that the marker names; an absolute name stays absolute."""
    return tuple(_folder(request) / name for name in each.extra)


def vcr_options(request: pytest.FixtureRequest, each: Said) -> dict[str, Any]:
    """What the suite says in vcrpy's words, in its hook, over that in `vcr_config` and over that in markers."""
    registry = vcr_registry(request)
    options = {**({} if registry is None else registry.options), **_fixture(request, "vcr_config", {})}
    return options | {name: value for name, value in each.merged.items() if name in VCRPY}


def vcr_claims(item: pytest.Item) -> set[Path]:
    """The files of a test by pytest-recording's names, whether this plugin plays them or another one does."""
    folder = item.path.parent / "cassettes" / item.path.stem
    kind = getattr(item, "cls", None)
    names = [foreign_name(f"{kind.__name__}.{item.name}" if kind else item.name)]
    for marker in ("recorded", "vcr", "default_cassette"):
        names += [str(name) for mark in item.iter_markers(marker) for name in mark.args]
    return {folder / _with(suffix, name) for name in names for suffix in SUFFIXES}


def vcr_source(files: VcrFiles, registry: VcrRegistry | None, redact: RedactionRules | bool) -> VcrCassette:
    """These files as a source that is only read."""
    from ..interchange.vcr_config import vcr_config
    from ..interchange.vcr_tree import VcrCassette

    return VcrCassette(files.path, files.extra, vcr_config(files.config, registry), redact=redact)


def as_vcrpy_says(
    options: Mapping[str, Any], registry: VcrRegistry | None, settings: Mapping[str, Any]
) -> tuple[Callable[[FileCassette], CassetteSource], dict[str, Any]]:
    """How a cassette of ours is kept in a suite with these options of vcrpy's, and what they mean as ours.

    vcrpy's filters and hooks hold for what is recorded anew as well, and so do rules of matching that are named;
    as with vcrpy all calls are recorded, not those of models alone.
    """
    from ..interchange.vcr_config import vcr_config
    from ..interchange.vcr_filtered import FilteredCassette
    from ..interchange.vcr_tree import match_on

    config = vcr_config(options, registry)
    own: dict[str, Any] = {"record_paths": "*"}
    if options.get("match_on") or options.get("additional_matchers"):
        own["match"] = match_on(config)
    if config.allow_playback_repeats:
        own["repeat"] = "last"
    redact = settings.get("redact", True)
    return lambda file: FilteredCassette(file, config, redact=redact), own


def vcr_registry(request: pytest.FixtureRequest) -> VcrRegistry | None:
    """What the suite registers and sets in `pytest_recording_configure`; None where it has no such hook."""
    stash: pytest.Stash = request.node.stash
    if _REGISTRY not in stash:
        stash[_REGISTRY] = _registry(request.config)
    return stash[_REGISTRY]


def _registry(config: pytest.Config) -> VcrRegistry | None:
    hook = config.hook.pytest_recording_configure
    if not hook.get_hookimpls():
        return None
    from ..interchange.vcr_config import VcrRegistry  # brings all formats along

    registry = VcrRegistry()
    hook(config=config, vcr=registry)
    return registry


def vcr_mode(request: pytest.FixtureRequest) -> str | None:
    """The `record_mode` of the suite's `vcr_config`, or of its hook, if it has one."""
    mode = _fixture(request, "vcr_config", {}).get("record_mode")
    if mode is None and (registry := vcr_registry(request)) is not None:
        mode = registry.options.get("record_mode")
    return None if mode is None else str(getattr(mode, "value", mode))


def is_vcrpy(file: Path) -> bool:
    """Whether a file looks like one of vcrpy's, by how it begins; it may be gzipped."""
    head = _head(file)
    return _OURS.search(head) is None and _SIGN.search(head) is not None


def _is_foreign(file: Path) -> bool:
    """Whether there is a file which is none of ours, but whose it is, a suite's own persister alone knows."""
    return file.is_file() and not _is_ours(file)


def _is_ours(file: Path) -> bool:
    return _OURS.search(_head(file)) is not None


def _head(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            head = opened.read(_HEAD_BYTES)
        return zlib.decompressobj(wbits=31).decompress(head) if head.startswith(_GZIP) else head
    except (OSError, zlib.error):
        return b""


def _usual_folder(request: pytest.FixtureRequest) -> Path:
    file: Path = request.node.path
    return file.parent / "cassettes" / file.stem


def _folder(request: pytest.FixtureRequest) -> Path:
    return Path(_fixture(request, "vcr_cassette_dir", _usual_folder(request)))


def _name(request: pytest.FixtureRequest, suffix: str) -> str:
    marker = request.node.get_closest_marker("default_cassette")
    if marker is not None and marker.args:
        return str(marker.args[0])
    if (name := _fixture(request, "vcr_cassette_name", None)) is not None:
        return str(name)
    default = foreign_file_name(request.node.name, request.cls, suffix)
    return str(_fixture(request, "default_cassette_name", default))


def _of_pytest_vcr(request: pytest.FixtureRequest, suffix: str) -> Iterator[Path]:
    """Where pytest-vcr has a test's cassette: the modules of a folder share theirs, and names are as they are."""
    test, kind, folder = request.node.name, request.cls, request.node.path.parent / "cassettes"
    if not folder.is_dir():  # asked before each of them, as most suites have none
        return
    names = test if kind is None else f"{kind.__name__}.{test}", foreign_file_name(test, kind, suffix)
    for name in dict.fromkeys(names):
        yield folder / _with(suffix, name)


def _with(suffix: str, name: str) -> str:
    return name if name.endswith(suffix) else f"{name}{suffix}"


def _fixture(request: pytest.FixtureRequest, name: str, default: Any) -> Any:
    """What the suite's fixture of this name gives; remembered for the test, since one that there is not takes long."""
    known: dict[str, Any] = request.node.stash.setdefault(_FIXTURES, {})
    if name not in known:
        known[name] = _looked_up(request, name)
    return default if known[name] is _ABSENT else known[name]


def _looked_up(request: pytest.FixtureRequest, name: str) -> Any:
    try:
        return request.getfixturevalue(name)
    except pytest.FixtureLookupError as error:
        if error.request is request:
            return _ABSENT
    # The suite's own one builds upon a fixture of pytest-recording, as `vcr_config(record_mode)` does.
    plugins = request.config.pluginmanager
    if not plugins.is_registered(vcr_fixtures):
        plugins.register(vcr_fixtures)
    return request.getfixturevalue(name)
