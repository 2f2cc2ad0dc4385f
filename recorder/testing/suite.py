"""One run of pytest: which tests have cassettes, which files those are, and what came of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ..errors import SettingsError
from .names import Names
from .opening import open_cassette
from .options import Options
from .orphans import orphans, whole_modules
from .running import Running
from .said import Said, said
from .vcr_suites import vcr_claims

FIXTURE = MARKER = "recorded"


class Suite:
    """Kept with pytest's config, once per process; a controller of xdist gathers its workers' findings."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.orphans: set[str] | None = None
        self.refused: str | None = None
        self._names = Names()
        self._modules: set[Path] = set()
        self._claimed: set[Path] = set()

    # While collecting

    def collected(self, items: Iterable[pytest.Item]) -> None:
        """Note every test, and let those with the marker ask for the fixture.

        Raises pytest.UsageError for a marker that cannot be used, or wants to record and must not.
        """
        items = list(items)
        self._modules |= {item.path for item in items}
        spoken = [(item, self._said(item)) for item in items if wants_cassette(item)]
        for item in items:
            if wants_cassette(item) or item.get_closest_marker("vcr") is not None:
                self._claimed |= vcr_claims(item)
        for item, each in spoken:
            self._names.collected(each.folder(item.path), _test(item))
        for item, each in spoken:
            self._claimed.add(self._file(item, each))
            _ask_for_fixture(item)
            mode = self.options.mode(**each.modes(legacy=False))
            if mode.by == "marker" and (text := self.options.wrong(mode)):
                raise pytest.UsageError(f"{item.nodeid}: {text}")

    # While a test runs

    def open(self, request: pytest.FixtureRequest, fixture: Mapping[str, Any]) -> Running:
        """A test's cassette, in use; raises what `open_cassette` raises."""
        each = said(request.node.iter_markers(MARKER), fixture)
        running = open_cassette(request, each, self._file(request.node, each), self.options)
        self._claimed.add(running.file)
        return running

    # At the end

    def find_orphans(self, config: pytest.Config) -> set[str]:
        """The files that belong to no collected test; none where only failed tests were collected."""
        if getattr(config.option, "lf", False):
            return set()
        whole = whole_modules(self._modules, config.args, config.invocation_params.dir)
        return {str(file) for file in orphans(whole, self._claimed, config.getini("python_files"))}

    def seen_by_worker(self, found: Iterable[str]) -> None:
        """A file is an orphan if no worker knows its test."""
        self.orphans = set(found) if self.orphans is None else self.orphans & set(found)

    def _said(self, item: pytest.Item) -> Said:
        try:
            return said(item.iter_markers(MARKER))
        except SettingsError as error:
            raise pytest.UsageError(f"{item.nodeid}: {error}") from None

    def _file(self, item: pytest.Item, each: Said) -> Path:
        default = self._names.file(each.folder(item.path), _test(item))
        return each.file(item.path, default)


def wants_cassette(item: pytest.Item) -> bool:
    """Whether a test has the marker or asks for the fixture."""
    return FIXTURE in getattr(item, "fixturenames", ()) or item.get_closest_marker(MARKER) is not None


def _ask_for_fixture(item: pytest.Item) -> None:
    """Let the cassette come before the test's own fixtures, so that calls which these make are in it."""
    names: list[str] | None = getattr(item, "fixturenames", None)
    if names is None:
        return
    kept = [name for name in names if name != FIXTURE]
    definitions = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    wider = [name for name in kept if (found := definitions.get(name)) and found[-1].scope != "function"]
    place = 1 + max((kept.index(name) for name in wider), default=-1)
    item.fixturenames = [*kept[:place], FIXTURE, *kept[place:]]  # type: ignore[attr-defined]


def _test(item: pytest.Item) -> str:
    """The test's name with the classes that it is in: `Class.test[id]`."""
    classes = [node.name for node in item.listchain() if isinstance(node, pytest.Class)]
    return ".".join((*classes, item.name))
