"""The pytest plugin: cassettes for tests, by marker and fixture.

`@pytest.mark.recorded` or the fixture `recorded` gives a test the cassette
`cassettes/<module>/<test>.yaml` beside its file, replay only unless a mode is chosen.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest

from .errors import RecorderError
from .testing import options, vcr_hooks
from .testing.begun import Begun
from .testing.event_loops import HeldMiss, runs_in_a_loop
from .testing.fixtures import _network_shut, recorded, recorded_spans, recorder_config
from .testing.kept import NETWORK, REFUSED, RUNNING, SUITE, is_worker, new_misses
from .testing.running import Running
from .testing.suite import Suite, ask_for_fixture
from .testing.summary import summary_lines
from .testing.tracebacks import shorten

__all__ = ["_network_shut", "recorded", "recorded_spans", "recorder_config"]
"""The fixtures, for which pytest looks here."""

_FINE = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
_MARKER = (
    "recorded(mode=…, match=…, ignore=…, path=…, …): give the test a cassette, "
    "as the fixture `recorded` does; keywords are those of recorder.cassette"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)
    vcr_hooks.add_markers(config)
    folder = getattr(config, "workerinput", {}).get("recorder")
    suite = config.stash[SUITE] = Suite(options.read(config), Begun(folder and Path(folder)))
    config.pluginmanager.register(suite)


def pytest_unconfigure(config: pytest.Config) -> None:
    if (suite := config.stash.get(SUITE, None)) is not None:
        suite.begun.end()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """A worker of pytest-xdist is about to start."""
    node.workerinput["recorder"] = str(node.config.stash[SUITE].begun.folder)


def pytest_report_header(config: pytest.Config) -> str:
    return options.header(config.stash[SUITE].options)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, object, object]:
    """All tests are known before -k and -m leave some out, and their markers when every conftest has added its own."""
    everything = dict.fromkeys(items)
    result = yield
    everything |= dict.fromkeys(items)
    suite = config.stash[SUITE]
    try:
        suite.collected(config, everything)
        vcr_hooks.offer_fixtures(config, everything)
        for item in vcr_hooks.blocked(everything):
            ask_for_fixture(item, _network_shut.__name__)
    except pytest.UsageError as error:
        if not is_worker(config):
            raise
        suite.refused = str(error)
        items.clear()
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, object, object]:
    """All plugins are loaded by now, and no conftest is; when they are, it is known whose options are whose."""
    vcr_hooks.add_hook(early_config.pluginmanager)
    vcr_hooks.expect_options(early_config, parser, args)
    result = yield
    vcr_hooks.offer_options(early_config, parser)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    hosts = item.config.stash[SUITE].options.allowed_hosts
    if hosts is None:
        return (yield)
    from .adapters.network import block_network  # heavy, and wanted on demand only

    item.stash[REFUSED] = []
    with ExitStack() as network:
        network.enter_context(block_network(hosts, item.stash[REFUSED].append))
        item.stash[NETWORK] = network
        return (yield)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A marker that was forgotten when the suite moved must not let its test go live."""
    if text := vcr_hooks.left_behind(item):
        pytest.fail(text, pytrace=False)


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around the plugin that runs coroutine functions
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """A miss reaches pytest past the event loop of anyio's plugin, which would end and fail the tests that follow."""
    function = pyfuncitem.obj
    if RUNNING not in pyfuncitem.stash or not iscoroutinefunction(function):
        return (yield)
    held = HeldMiss()
    pyfuncitem.obj = held.around(function)
    try:
        result = yield
    finally:
        pyfuncitem.obj = function
    held.release()
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """The same for fixtures that run in a loop; what one misses when it is torn down is raised after it."""
    function = fixturedef.func
    covered = fixturedef.scope == "function" and RUNNING in request.node.stash
    if not covered or not runs_in_a_loop(function):
        return (yield)
    held = HeldMiss()
    fixturedef.addfinalizer(held.release_late)
    fixturedef.func = held.around(function)  # type: ignore[misc]  # as plugins that run coroutines do
    try:
        result = yield
    finally:
        fixturedef.func = function  # type: ignore[misc]
    held.release()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A miss fails the test, even where the code under test swallowed it."""
    try:
        result = yield
    except BaseException as error:
        texts = [text for text in new_misses(item) if text not in str(error)]
        if texts and isinstance(error, pytest.skip.Exception):
            pytest.fail("\n\n".join(texts), pytrace=False)
        if texts:
            item.add_report_section("call", "recorder", "\n\n".join(texts))
        raise
    if texts := new_misses(item):
        pytest.fail("\n\n".join(texts), pytrace=False)
    if (running := item.stash.get(RUNNING, None)) is not None:
        running.check_unused()
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around the tear-down of all fixtures
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """What was recorded is kept or put aside when nothing can fail the test any more."""
    running = item.stash.get(RUNNING, None)
    try:
        result = yield
    except BaseException:
        if running is not None:
            running.passed = False
            if problem := _end(item, running):
                item.add_report_section("teardown", "recorder", problem)
        raise
    if running is not None and (problem := _end(item, running)):
        pytest.fail(problem, pytrace=False)
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)  # the last word on what the outcome is
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    if not item.config.option.fulltrace:
        shorten(call, item.config.rootpath)
    report = yield
    if (running := item.stash.get(RUNNING, None)) is not None:
        running.settle(report)
    shows = report.longrepr is not None or report.sections or hasattr(report, "wasxfail")
    if shows and (running is not None or item.config.stash[SUITE].has(item.nodeid)):
        from .testing.report_secrets import hide_secrets  # the rules of redaction, wanted only here

        hide_secrets(report)
    if running is not None and call.when == "teardown":
        report.recorder = running.verdict().packed()  # type: ignore[attr-defined]
        del item.stash[RUNNING]
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    config, suite = session.config, session.config.stash[SUITE]
    if config.option.collectonly:
        return
    if is_worker(config):
        config.workeroutput["recorder"] = suite.found(config)  # type: ignore[attr-defined]
        return
    if suite.refused:
        session.exitstatus = pytest.ExitCode.USAGE_ERROR
        return
    if suite.orphans is None:
        suite.orphans = suite.find_orphans(config)
    well = suite.end() and not (suite.orphans and suite.options.chosen("orphans").value == "fail")
    if not well and session.exitstatus in _FINE:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """A worker of pytest-xdist has ended, and leaves what it found."""
    if found := getattr(node, "workeroutput", {}).get("recorder"):
        node.config.stash[SUITE].seen_by_worker(found)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    suite = config.stash[SUITE]
    wanted, verdicts = suite.options, list(suite.verdicts.values())
    shown = sorted(suite.orphans or ()) if wanted.chosen("orphans").value != "ignore" else []
    dry_run = wanted.update == "dry-run"
    lines = summary_lines(verdicts, suite.files, shown, report=wanted.report, dry_run=dry_run)
    lines += [f"ERROR: {problem}" for problem in (*suite.problems, suite.refused) if problem]
    if lines:
        terminalreporter.section("recorder")
        for line in lines:
            terminalreporter.write_line(line)


def _end(item: pytest.Item, running: Running) -> str:
    """Why what was recorded could be neither kept nor put aside; "" where that went well."""
    try:
        running.end()
    except RecorderError as error:
        return str(error)
    if running.rejected:
        item.add_report_section("teardown", "recorder", f"recordings not kept, see {running.rejected}")
    return ""
