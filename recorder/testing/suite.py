"""One run of pytest: which tests have cassettes, which files those are, and what came of them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ..errors import RecorderError
from .begun import Begun
from .claims import Claim, Collected, Place, unpacked, whole_folders
from .files import FileVerdict, judge, prune
from .names import Names
from .opening import check, open_cassette
from .options import Options
from .orphans import orphans, whole_modules
from .running import Running
from .said import Said, said
from .vcr_suites import vcr_claims
from .verdict import Verdict
from .verdict import unpacked as unpacked_verdict

FIXTURE = MARKER = "recorded"


class Suite:
    """Kept with pytest's config, once per process; a controller of xdist gathers its workers' findings."""

    def __init__(self, options: Options, begun: Begun) -> None:
        self.options = options
        self.begun = begun
        self.orphans: set[str] | None = None
        self.refused: str | None = None
        self.tests = Collected()
        self.verdicts: dict[str, Verdict] = {}
        self.files: list[FileVerdict] = []
        self.problems: list[str] = []
        self._names = Names()
        self._modules: set[Path] = set()
        self._claimed: set[Path] = set()
        self._tests: set[str] = set()

    # While collecting

    def collected(self, config: pytest.Config, items: Iterable[pytest.Item]) -> None:
        """Note every test, and let those with the marker ask for the fixture.

        Raises pytest.UsageError for a marker that cannot be used, or wants to record and must not.
        """
        items = list(items)
        self._modules |= {item.path for item in items}
        spoken = [(item, self._said(item)) for item in items if wants_cassette(item)]
        for item in items:
            if wants_cassette(item) or item.get_closest_marker("vcr") is not None:
                self._claimed |= vcr_claims(item)
        self._tests |= {item.nodeid for item, _ in spoken}
        for item, each in spoken:
            self._names.collected(each.folder(item.path), _test(item))
        for item, each in spoken:
            self._claimed.add(self._file(item, each))
            if not self.options.vcr.disable_recording:
                ask_for_fixture(item, FIXTURE)
            mode = self.options.mode(**each.modes(legacy=False))
            if mode.by == "marker" and (text := self.options.wrong(mode)):
                raise pytest.UsageError(f"{item.nodeid}: {text}")
        whole = self._whole(config)
        self.tests = Collected(
            tuple(self._claim(item, each) for item, each in spoken),
            tuple(map(str, whole)),
            whole_folders(config.args, config.invocation_params.dir) if whole else (),
        )

    # While a test runs

    def has(self, nodeid: str) -> bool:
        """Whether this is a test with a cassette."""
        return nodeid in self._tests

    def open(self, request: pytest.FixtureRequest, fixture: Mapping[str, Any]) -> Running:
        """A test's cassette, in use; raises what `open_cassette` raises."""
        each = said(request.node.iter_markers(MARKER), fixture)
        place = self._place(request.node, each)
        running = open_cassette(request, each, place, self.options, self.begun)
        self._claimed.add(Path(running.place.file))
        return running

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test has ended, here or in a worker."""
        if (packed := getattr(report, "recorder", None)) is not None:
            self.verdicts[report.nodeid] = unpacked_verdict(packed)

    @pytest.hookimpl(tryfirst=True)  # before anyone shows it
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage, nodeid: str) -> None:
        """One of our tests has warned."""
        if self.has(nodeid):
            from .report_secrets import hide_secrets_of_warning  # the rules of redaction, wanted only here

            hide_secrets_of_warning(warning_message)

    # At the end

    def end(self) -> bool:
        """Judge the files that were used, and drop what is to be; whether all is well."""
        self.files = judge(self.verdicts.values(), self.tests)
        for each in self.files:
            if each.prunes and not each.unknown:
                try:
                    prune(each, self.begun)
                except RecorderError as error:
                    self.problems.append(str(error))
        return not self.problems and not any(each.blamed and each.on_unused == "fail" for each in self.files)

    def find_orphans(self, config: pytest.Config) -> set[str]:
        """The files that belong to no collected test; none where only failed tests were collected."""
        whole = self._whole(config)
        return {str(file) for file in orphans(whole, self._claimed, config.getini("python_files"))}

    def found(self, config: pytest.Config) -> dict[str, Any]:
        """What a worker leaves to the controller."""
        return {
            "orphans": sorted(self.find_orphans(config)),
            "refused": self.refused,
            "tests": self.tests.packed(),
        }

    def seen_by_worker(self, found: Mapping[str, Any]) -> None:
        """A file is an orphan if no worker knows its test."""
        orphans = set(found["orphans"])
        self.orphans = orphans if self.orphans is None else self.orphans & orphans
        self.refused = self.refused or found["refused"]
        self.tests = unpacked(found["tests"])  # every worker has collected all

    def _whole(self, config: pytest.Config) -> set[Path]:
        """The modules of which all tests were collected; none where only those were that failed last."""
        if getattr(config.option, "lf", False):
            return set()
        return whole_modules(self._modules, config.args, config.invocation_params.dir)

    def _said(self, item: pytest.Item) -> Said:
        try:
            each = said(item.iter_markers(MARKER))
            check(each, self.options)
        except RecorderError as error:
            raise pytest.UsageError(f"{item.nodeid}: {error}") from None
        return each

    def _file(self, item: pytest.Item, each: Said) -> Path:
        default = self._names.file(each.folder(item.path), _test(item))
        return Path(os.path.normpath(each.file(item.path, default)))

    def _claim(self, item: pytest.Item, each: Said) -> Claim:
        return Claim(item.nodeid, str(item.path), str(self._file(item, each)), bool(each.named))

    def _place(self, item: pytest.Item, each: Said) -> Place:
        file = str(self._file(item, each))
        by_fixture = bool(each.fixture) and file != str(self._file(item, Said(marker=each.marker)))
        place = Place(file, str(item.path), each.named, by_fixture)
        others = set(self.tests.of(file)) - {item.nodeid}
        alone = not others and not (each.named and (by_fixture or self.tests.elsewhere(place)))
        return replace(place, alone=alone)


def wants_cassette(item: pytest.Item) -> bool:
    """Whether a test has the marker or asks for the fixture."""
    return FIXTURE in getattr(item, "fixturenames", ()) or item.get_closest_marker(MARKER) is not None


def ask_for_fixture(item: pytest.Item, name: str) -> None:
    """Let a test have a fixture before its own ones, so that calls which these make are under it as well."""
    names: list[str] | None = getattr(item, "fixturenames", None)
    if names is None:
        return
    kept = [each for each in names if each != name]
    definitions = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    wider = [each for each in kept if (found := definitions.get(each)) and found[-1].scope != "function"]
    place = 1 + max((kept.index(each) for each in wider), default=-1)
    item.fixturenames = [*kept[:place], name, *kept[place:]]  # type: ignore[attr-defined]


def _test(item: pytest.Item) -> str:
    """The test's name with the classes that it is in: `Class.test[id]`."""
    classes = [node.name for node in item.listchain() if isinstance(node, pytest.Class)]
    return ".".join((*classes, item.name))
