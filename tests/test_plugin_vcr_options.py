"""Suites that left pytest-recording keep its options, as they stand in `addopts`; nobody else's are touched."""

from __future__ import annotations

import pytest

from recorder.testing import vcr_hooks

from .plugin_suite import MARKED, Suite
from .test_plugin_vcr import GET, interaction, vcr_file

pytest_plugins = ("pytester",)

CONNECT = """
import socket, pytest

def connect(host="192.0.2.1"):
    with socket.socket() as made:
        made.connect((host, "no port"))

def refused(host="192.0.2.1"):
    with pytest.raises(RuntimeError, match="^Network is disabled"):
        connect(host)
"""


def options(suite: Suite, text: str) -> None:
    suite.pytester.makeini(f"[pytest]\naddopts = {text}\n")


@pytest.fixture(autouse=True)
def _no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)


def test_suite_runs_with_the_options_that_it_had(suite: Suite) -> None:
    vcr_file(suite, "cassettes/test_x/test_it.yaml", interaction("/a", "one"))
    options(suite, "--record-mode=none --block-network --allowed-hosts=127.0.0.1,localhost")
    suite.write(f"""{GET}
@pytest.mark.recorded
def test_it(pytestconfig, record_mode):
    assert get("/a") == "one"
    assert (pytestconfig.getoption("--record-mode"), record_mode) == ("none", "none")
""")
    result = suite.run("--strict-config", "--strict-markers", "-Werror")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["recorder: mode none, set by --record-mode"])


def test_record_mode_is_the_mode(suite: Suite) -> None:
    suite.write(MARKED)
    suite.run("--record-mode=once").assert_outcomes(passed=1)
    assert (suite.live, suite.cassettes) == (1, ["test_x/test_it.yaml"])


def test_record_mode_comes_before_marker_and_environment(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.write(MARKED.replace("recorded", 'recorded(mode="once")'))
    monkeypatch.setenv("RECORDER_MODE", "once")
    suite.run("--record-mode=none").assert_outcomes(failed=1)
    assert suite.live == 0


def test_own_option_comes_before_record_mode(suite: Suite) -> None:
    options(suite, "--record-mode=none")
    suite.record()
    result = suite.run("--recorder-mode=rewrite")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["recorder: mode rewrite, set by --recorder-mode"])
    suite.run("--recorder-update").assert_outcomes(passed=1)


def test_record_mode_of_a_suite_does_not_record_under_ci(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    options(suite, "--record-mode=once")
    suite.record()
    monkeypatch.setenv("CI", "true")
    result = suite.run()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["recorder: mode none (default)*--record-mode=once does not count under CI*"])
    suite.cassette().unlink()
    suite.run().assert_outcomes(failed=1)
    assert suite.live == 1


def test_unknown_mode_is_a_usage_error(suite: Suite) -> None:
    result = suite.run("--record-mode=twice")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--record-mode*invalid choice: 'twice'*"])


def test_network_is_shut_for_every_test_but_those_that_record(suite: Suite) -> None:
    suite.write(f"""{CONNECT}
def test_plain():
    refused()
    refused("127.0.0.1")

@pytest.mark.recorded(mode="once")
def test_recording():
    with pytest.raises(TypeError):
        connect("127.0.0.1")

@pytest.mark.block_network(allowed_hosts=["192.0.2.*"])
def test_marker_names_its_own_hosts():
    refused("198.51.100.1")
    with pytest.raises(TypeError):
        connect()
""")
    suite.run("--block-network", "--allowed-hosts=198.51").assert_outcomes(passed=3)


def test_allowed_hosts_are_those_of_all_tests_that_name_none(suite: Suite) -> None:
    suite.write(f"""{CONNECT}
def test_option():
    with pytest.raises(TypeError):
        connect("198.51.100.1")
    refused()

@pytest.mark.block_network
def test_marker():
    with pytest.raises(TypeError):
        connect("198.51.100.1")
    refused()
""")
    suite.run("--block-network", "--allowed-hosts=198.51,127.0").assert_outcomes(passed=2)


def test_hosts_that_cannot_be_read_are_a_usage_error(suite: Suite) -> None:
    suite.write("def test_it(): pass")
    result = suite.run("--block-network", "--allowed-hosts=(")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*block_network or allowed_hosts cannot be read*"])


def test_without_recording_marked_tests_go_live(suite: Suite) -> None:
    suite.record()
    suite.write(f"""{MARKED}
@pytest.mark.recorded
def test_vcr(vcr, disable_recording):
    assert (vcr, disable_recording) == (None, True)

def test_own(recorded): pass
""")
    result = suite.run("--disable-recording", "--recorder-orphans")
    result.assert_outcomes(passed=2, errors=1)
    assert suite.live == 2
    result.stdout.fnmatch_lines(["recorder: no cassettes, set by --disable-recording", "*asks for its own*"])


def test_options_reach_the_workers_of_xdist(suite: Suite) -> None:
    vcr_file(suite, "cassettes/test_x/test_it.yaml", interaction("/a", "one"))
    options(suite, "--record-mode=once --block-network")
    suite.write(f"""{GET}{CONNECT}
@pytest.mark.recorded
def test_it(record_mode):
    assert (get("/a"), record_mode) == ("one", "once")

def test_other():
    refused()
""")
    suite.pytester.runpytest_subprocess("-n2", "-pno:langsmith_plugin").assert_outcomes(passed=2)


def test_options_of_a_conftest_are_its_own(suite: Suite) -> None:
    suite.record()
    with (suite.pytester.path / "conftest.py").open("a") as conftest:
        conftest.write("""
def pytest_addoption(parser):
    parser.addoption("--record-mode", default="twice")
    parser.addoption("--shut", action="store_true", dest="block_network")
""")
    suite.write(f"""{MARKED}
def test_option(pytestconfig):
    assert pytestconfig.getoption("--record-mode") == "thrice"
    assert pytestconfig.option.block_network
""")
    result = suite.run("--record-mode=thrice", "--shut", "--allowed-hosts=h")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["recorder: mode none (default)*"])


def test_beside_a_plugin_that_has_these_options_none_is_taken(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vcr_hooks, "_PLUGINS", {"pytest-xdist"})
    for option in ("--record-mode=none", "--block-network", "--allowed-hosts=h", "--disable-recording"):
        result = suite.run(option)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines([f"*unrecognized arguments: {option}"])


def test_suite_may_ask_for_options_that_were_not_given(suite: Suite) -> None:
    suite.write("""
    def test_it(pytestconfig):
        names = ("--record-mode", "--block-network", "--allowed-hosts", "--disable-recording")
        assert [pytestconfig.getoption(name) for name in names] == [None, False, None, False]
    """)
    suite.run().assert_outcomes(passed=1)


CONFTEST = """
def pytest_addoption(parser):
    parser.addoption("--flavour", default="plain")
"""
FLAVOUR = """
def test_it(pytestconfig):
    assert pytestconfig.getoption("--flavour") == "sweet"
"""


def in_a_folder(suite: Suite, addopts: str, folder: str = "checks") -> None:
    """A suite whose only conftest, with an option of its own, is found by `testpaths`."""
    made = suite.pytester.mkdir(folder)
    (made / "conftest.py").write_text(CONFTEST)
    (made / "test_flavour.py").write_text(FLAVOUR)
    suite.pytester.makeini(f"[pytest]\ntestpaths = {folder}\naddopts = {addopts}\n")


@pytest.mark.parametrize(
    "addopts",
    [
        "--record-mode none",
        "-x --record-mode none -q",
        "--block-network --allowed-hosts localhost --record-mode none",
        "--allowed-hosts localhost,127.0.0.1",
    ],
)
def test_option_with_a_blank_hides_no_conftest_of_testpaths(suite: Suite, addopts: str) -> None:
    in_a_folder(suite, addopts)
    suite.run("--flavour=sweet").assert_outcomes(passed=1)


def test_option_with_a_blank_on_the_command_line_hides_none_either(suite: Suite) -> None:
    in_a_folder(suite, "-q", folder="none")
    suite.run("--record-mode", "none", "--flavour=sweet").assert_outcomes(passed=1)
    suite.run("--flavour=sweet", "--record-mode", "none", "none").assert_outcomes(passed=1)


def test_paths_after_a_flag_of_another_plugin_stay_paths(suite: Suite) -> None:
    in_a_folder(suite, "-q -p other", folder="none")
    suite.pytester.makepyfile(
        other="def pytest_addoption(parser):\n    parser.addoption('--record-mode', action='store_true')\n"
    )
    suite.pytester.syspathinsert()
    suite.pytester.mkdir("empty")
    suite.pytester.makeini("[pytest]\ntestpaths = empty\naddopts = -p other\n")
    suite.run("--flavour=sweet", "--record-mode", "none").assert_outcomes(passed=1)
