"""The pytest plugin, files in, report and files out: markers, fixtures, names and modes."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from .plugin_suite import MARKED, Suite

pytest_plugins = ("pytester",)

FOREIGN_NAMES = {
    *("vcr", "vcr_config", "vcr_cassette_dir", "vcr_markers", "default_cassette_name", "record_mode"),
    *("disable_recording", "block_network", "allowed_hosts", "default_cassette", "cassette"),
}
HEAVY = {"httpx", "httpx2", "sqlalchemy", "msgspec", "opentelemetry", "alembic", "typer", "rich", "yaml"}


# Marker and fixture


def test_marker_alone_records_and_replays(suite: Suite) -> None:
    suite.record()
    assert suite.cassettes == ["test_x/test_it.yaml"]
    suite.run().assert_outcomes(passed=1)
    assert suite.live == 1


def test_marker_that_a_conftest_adds_counts(suite: Suite) -> None:
    conftest = suite.pytester.path / "conftest.py"
    hook = "def pytest_collection_modifyitems(items):\n    items[0].add_marker('recorded')\n"
    conftest.write_text(f"{conftest.read_text()}\n{hook}")
    suite.record("def test_it(ask): assert ask('hello') == 're: hello'")
    assert suite.cassettes == ["test_x/test_it.yaml"]
    suite.run("--recorder-orphans").assert_outcomes(passed=1)
    assert suite.live == 1


def test_fixture_alone_is_the_cassette(suite: Suite) -> None:
    source = """
    def test_it(ask, recorded):
        assert ask("hello") == "re: hello"
        assert recorded.report.hits + recorded.report.recorded in (0, 1)
        assert recorded.name.endswith("test_it.yaml")
    """
    suite.record(source)
    suite.run().assert_outcomes(passed=1)
    assert suite.live == 1


def test_calls_that_the_tests_own_fixtures_make_are_in_the_cassette(suite: Suite) -> None:
    source = """
    import pytest

    @pytest.fixture
    def greeting(ask):
        yield ask("hello")
        ask("bye")

    @pytest.mark.recorded
    def test_it(greeting):
        assert greeting == "re: hello"
    """
    suite.record(source)
    suite.run("--recorder-on-unused=warn", "-Wdefault").assert_outcomes(passed=1)
    assert suite.live == 2


def test_without_install_only_wrapped_clients_are_covered(suite: Suite) -> None:
    source = """
    import pytest

    @pytest.mark.recorded(install=False)
    def test_it(client, ask, recorded):
        ask("not covered")
        recorded.wrap(client)
        ask("covered")
    """
    suite.record(source)
    suite.run("--recorder-report").stdout.fnmatch_lines(["*test_it: 1 hit, 0 missed, 0 recorded, 0 unused*"])
    assert suite.live == 3


def test_classes_and_parameters_are_in_the_name_and_no_two_tests_share_a_file(suite: Suite) -> None:
    source = """
    import pytest

    @pytest.mark.recorded
    class TestA:
        class TestB:
            @pytest.mark.parametrize("name", ["plain", "a/b", "a:b", "a-b", "x" * 300])
            def test_it(self, ask, name):
                assert ask(name) == "re: " + name
    """
    suite.write(source)
    suite.run("--recorder-mode=once").assert_outcomes(passed=5)
    assert len(suite.cassettes) == 5
    assert "test_x/TestA.TestB.test_it[plain].yaml" in suite.cassettes
    assert "test_x/TestA.TestB.test_it[a-b].yaml" in suite.cassettes
    suite.run().assert_outcomes(passed=5)
    suite.run("test_x.py::TestA::TestB::test_it[a/b]").assert_outcomes(passed=1)
    assert suite.live == 5


def test_closer_marker_wins_and_several_tests_can_share_a_cassette(suite: Suite) -> None:
    source = """
    import pytest

    pytestmark = pytest.mark.recorded(mode="none", path="cassettes/shared.yaml")

    @pytest.mark.recorded(mode="new_episodes")
    @pytest.mark.parametrize("text", ["a", "b"])
    def test_it(ask, text):
        ask(text)

    @pytest.mark.recorded(mode="new_episodes", name="own")
    def test_named(ask):
        ask("c")

    def test_replayed(ask):
        ask("a")
        ask("b")
    """
    suite.write(source)
    suite.run().assert_outcomes(passed=4)
    assert suite.cassettes == ["shared.yaml", "test_x/own.yaml"]


def test_a_test_without_calls_needs_no_cassette(suite: Suite) -> None:
    suite.write("import pytest\n@pytest.mark.recorded\ndef test_it(): pass")
    suite.run("--recorder-mode=once").assert_outcomes(passed=1)
    suite.run().assert_outcomes(passed=1)
    assert suite.cassettes == []


def test_first_call_without_a_cassette_says_how_to_record_it(suite: Suite) -> None:
    suite.write(MARKED)
    result = suite.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*there is no file cassettes/test_x/test_it.yaml; record it with --recorder-mode=once"]
    )
    assert suite.live == 0


def test_unittest_cases_have_cassettes_too(suite: Suite) -> None:
    source = """
    import unittest, httpx2, pytest
    from conftest import answer, body

    @pytest.mark.recorded
    class TestIt(unittest.TestCase):
        def test_it(self):
            client = httpx2.Client(transport=httpx2.MockTransport(answer))
            client.post("https://api.deepseek.com/chat/completions", json=body("hello"))
    """
    suite.record(source)
    suite.run().assert_outcomes(passed=1)
    assert suite.cassettes == ["test_x/TestIt.test_it.yaml"]
    assert suite.live == 1


@pytest.mark.parametrize(
    "said", ["path=5", "folder=5", "name='a\\0b'", "match=5", "ignore=5", "max_age=[]", "mode=5"]
)
def test_marker_with_a_value_of_another_kind_is_a_usage_error(suite: Suite, said: str) -> None:
    suite.write(MARKED.replace("recorded", f"recorded({said})"))
    result = suite.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()


@pytest.mark.parametrize("said", ["record_paths=5", "providers=5"])
def test_marker_with_a_setting_of_another_kind_fails_in_one_line(suite: Suite, said: str) -> None:
    suite.write(MARKED.replace("recorded", f"recorded({said})"))
    result = suite.run()
    result.assert_outcomes(errors=1)
    result.stdout.no_fnmatch_line("*TypeError*")


@pytest.mark.parametrize("given", ["[1]", "{5: 6, 'a': 7}"])
def test_configuration_that_is_none_fails_in_one_line(suite: Suite, given: str) -> None:
    suite.write(f"import pytest\n@pytest.fixture\ndef recorder_config(): return {given}\n{MARKED}")
    result = suite.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["recorder_config *"])


def test_cassette_that_cannot_be_written_is_an_error_without_a_traceback(suite: Suite) -> None:
    (suite.pytester.path / "taken.yaml").mkdir()
    suite.write(MARKED.replace("recorded", "recorded(path='taken.yaml', mode='once')"))
    result = suite.run()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["cassette *taken.yaml* cannot be read: Is a directory"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_marker_that_cannot_be_used_is_a_usage_error(suite: Suite) -> None:
    suite.write("import pytest\n@pytest.mark.recorded(nonsense=1)\ndef test_it(): pass")
    result = suite.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*test_x.py::test_it: @pytest.mark.recorded knows no 'nonsense'*"])


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("ignore=['user']", "*'user'*"),
        ("max_age='5y'", "*max age '5y' is none; write 30d*"),
        ("repeat='first'", "repeat='first' is not known; it is one of error, last, cycle"),
        ("on_unused='shout'", "*on_unused 'shout' (marker) is not known*"),
    ],
)
def test_marker_with_a_wrong_value_stops_at_collection(suite: Suite, wrong: str, told: str) -> None:
    suite.write(f"import pytest\n@pytest.mark.recorded({wrong})\ndef test_it(): pass")
    result = suite.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*test_x.py::test_it: {told}"])


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"pace": "leisurely"}, "pace='leisurely' is not known; it is one of instant, recorded, virtual"),
        ({"max_age": "soon"}, "recorder: max age 'soon' is none; write 30d*"),
        ({"on_unused": "shout"}, "recorder: on_unused 'shout' (fixture) is not known*"),
        ({"nonsense": 1}, "recorder_config knows no 'nonsense'*"),
    ],
)
def test_config_that_cannot_be_used_fails_the_test(
    suite: Suite, config: dict[str, object], told: str
) -> None:
    suite.write(f"""
    import pytest

    @pytest.fixture
    def recorder_config():
        return {config!r}

    def test_it(recorded): pass
    """)
    result = suite.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([told])


def test_calls_of_a_thread_that_an_earlier_test_left_behind_are_not_kept_and_warned_of(suite: Suite) -> None:
    suite.write("""
    import threading, pytest
    ended = threading.Event()

    def late(ask):
        ended.wait(10)
        ask("late")

    @pytest.mark.recorded
    def test_a(ask):
        test_a.thread = threading.Thread(target=late, args=(ask,), name="late")
        test_a.thread.start()

    @pytest.mark.recorded
    def test_b(ask):
        ended.set()
        test_a.thread.join()
        ask("hello")
    """)
    result = suite.run("--recorder-mode=once", "-Wdefault")
    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(
        ["*thread 'late' of test_x.py::test_a made calls during test_x.py::test_b; *"]
    )
    assert suite.live == 2
    assert "late" not in suite.cassette("test_x/test_b.yaml").read_text()


# Modes


def test_command_line_wins_over_environment_marker_fixture_and_ini(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.write(MARKED.replace("recorded", "recorded(mode='once')"))
    monkeypatch.setenv("RECORDER_MODE", "all")
    result = suite.run("--recorder-mode=none", "-o", "recorder_mode=rewrite")
    result.stdout.fnmatch_lines(["recorder: mode none, set by --recorder-mode"])
    result.assert_outcomes(failed=1)
    assert suite.live == 0


@pytest.mark.parametrize(
    ("environment", "marker", "fixture", "ini", "used", "told"),
    [
        ("once", "none", "none", "none", "once", "once, set by RECORDER_MODE"),
        (None, "once", "none", "none", "once", "none, set by ini recorder_mode; markers*"),
        (None, None, "once", "none", "once", "none, set by ini recorder_mode; markers*"),
        (None, None, None, "once", "once", "once, set by ini recorder_mode; markers*"),
        (None, None, None, None, "none", "none (default); markers*"),
    ],
)
def test_who_comes_first_sets_the_mode(
    suite: Suite,
    monkeypatch: pytest.MonkeyPatch,
    environment: str,
    marker: str,
    fixture: str,
    ini: str,
    used: str,
    told: str,
) -> None:
    if environment:
        monkeypatch.setenv("RECORDER_MODE", environment)
    suite.write(f"""
    import pytest

    @pytest.fixture(scope="module")
    def recorder_config():
        return {{"mode": {fixture!r}}}

    @pytest.mark.recorded(mode={marker!r})
    def test_it(recorded):
        assert recorded.mode == {used!r}
    """)
    result = suite.run(*(("-o", f"recorder_mode={ini}") if ini else ()))
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"recorder: mode {told}"])


@pytest.mark.parametrize("by", ["command line", "environment", "marker", "fixture", "ini"])
def test_under_ci_asking_to_record_is_a_usage_error(
    suite: Suite, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setenv("CI", "true")
    if by == "environment":
        monkeypatch.setenv("RECORDER_MODE", "once")

    def wish(who: str) -> str | None:
        return "once" if by == who else None

    asks = {"command line": ("--recorder-mode=once",), "ini": ("-o", "recorder_mode=once")}
    suite.write(f"""
    import pytest

    @pytest.fixture
    def recorder_config():
        return {{"mode": {wish("fixture")!r}}}

    @pytest.mark.recorded(mode={wish("marker")!r})
    def test_it(ask):
        ask("hello")
    """)
    result = suite.run(*asks.get(by, ()))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    told = result.stdout.str() + result.stderr.str()
    assert f"mode 'once' ({by}) may record, and under CI nothing does" in told
    assert (suite.live, suite.cassettes) == (0, [])


def test_under_ci_the_command_line_may_ask_for_replay_of_a_test_that_would_record(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.record(MARKED.replace("recorded", "recorded(mode='once')"))
    monkeypatch.setenv("CI", "true")
    suite.run("--recorder-mode=none").assert_outcomes(passed=1)


def test_unknown_mode_in_the_environment_is_a_usage_error(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDER_MODE", "twice")
    suite.write(MARKED)
    result = suite.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*mode 'twice' (environment) is not known; it is one of none, once*"])


# Manners


def test_the_plugin_imports_nothing_but_pytest() -> None:
    program = """
import pytest, sys
before = set(sys.modules)
import recorder.pytest_plugin
print(*{name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["recorder"]


def test_a_run_without_cassettes_imports_nothing_heavy(suite: Suite) -> None:
    suite.pytester.makeconftest("")
    suite.write(f"import sys\ndef test_it(): assert not {HEAVY!r} & set(sys.modules)")
    suite.pytester.runpytest_subprocess("-pno:langsmith_plugin", "-pno:anyio").assert_outcomes(passed=1)


def test_the_plugin_claims_no_name_of_others(suite: Suite) -> None:
    claimed = suite.run("--fixtures", "--markers", "-v").stdout.str()
    options = suite.run("--help").stdout.str()
    for name in FOREIGN_NAMES:
        assert f"\n{name} --" not in claimed
        assert f"--{name.replace('_', '-')}" not in options.split()
    assert "--record-mode" not in options


def test_no_fixture_is_autouse(suite: Suite) -> None:
    suite.pytester.makeconftest("")
    suite.write(
        "def test_it(request): assert not [name for name in request.fixturenames if 'record' in name]"
    )
    suite.run().assert_outcomes(passed=1)


def test_a_cassette_costs_a_test_two_milliseconds_at_most(suite: Suite) -> None:
    source = """
    import pytest

    {marker}
    @pytest.mark.parametrize("n", range(300))
    def test_it(n): pass
    """
    suite.write(source.format(marker=""), "test_plain")
    suite.write(source.format(marker="@pytest.mark.recorded"), "test_marked")

    def seconds(file: str) -> float:
        started = time.process_time()
        suite.run("-q", file).assert_outcomes(passed=300)
        return time.process_time() - started

    seconds("test_marked.py")  # what is imported once is no test's cost
    rounds = [(seconds("test_plain.py"), seconds("test_marked.py")) for _ in range(5)]
    plain, marked = map(min, zip(*rounds, strict=True))
    print(f"{(marked - plain) / 300 * 1000:.2f} ms a test")
    assert (marked - plain) / 300 < 0.002
