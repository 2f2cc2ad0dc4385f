"""Suites written for pytest-recording run with the marker changed: names, fixtures, hook and matching are kept."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from recorder.interchange import cassette_name

from .plugin_suite import MARKED, Suite

pytest_plugins = ("pytester",)


def interaction(path: str, answer: str, body: str = "") -> dict[str, object]:
    return {
        "request": {"method": "GET", "uri": f"https://api.example.test{path}", "body": body, "headers": {}},
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"content-type": ["text/plain"]},
            "body": {"string": answer},
        },
    }


def vcr_file(suite: Suite, name: str, *interactions: dict[str, object]) -> Path:
    """A cassette as vcrpy writes it; JSON is YAML."""
    file = suite.pytester.path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = "\n".join(f"- {json.dumps(each)}" for each in interactions)
    file.write_text(f"interactions:\n{lines}\nversion: 1\n")
    return file


GET = """
import httpx2, pytest

def get(path):
    return httpx2.get("https://api.example.test" + path).text
"""


def test_cassettes_are_found_by_pytest_recordings_names(suite: Suite) -> None:
    vcr_file(suite, "cassettes/test_x/test_it.yaml", interaction("/a", "one"))
    vcr_file(suite, "cassettes/test_x/TestC.test_it[a-b-c].yaml", interaction("/a", "two"))
    suite.write(f"""{GET}
pytestmark = pytest.mark.recorded

def test_it():
    assert get("/a") == "one"

class TestC:
    @pytest.mark.parametrize("x", ["a/b:c"])
    def test_it(self, x):
        assert get("/a") == "two"

def test_without_calls(): pass
""")
    result = suite.run("--recorder-report", "--recorder-orphans")
    result.assert_outcomes(passed=3)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["test_x.py::test_it: 1 hit, *cassettes/test_x/test_it.yaml*"])


def test_cassettes_of_tests_that_are_not_run_this_time_are_no_orphans(suite: Suite) -> None:
    vcr_file(suite, "cassettes/test_x/test_it[a-b].yaml", interaction("/a", "one"))
    vcr_file(suite, "cassettes/test_x/extra.yaml", interaction("/a", "one"))
    suite.write("""
    import pytest

    @pytest.mark.recorded("extra.yaml")
    @pytest.mark.parametrize("x", ["a/b"])
    def test_it(x): pass

    def test_other(): pass
    """)
    assert suite.run("--recorder-orphans", "-k", "other").ret == pytest.ExitCode.OK


def test_fixtures_of_the_suite_count(suite: Suite) -> None:
    vcr_file(suite, "tapes/own.yaml", interaction("/a?key=1", "one"))
    suite.write(f"""{GET}
@pytest.fixture(scope="module")
def vcr_config():
    return {{"filter_query_parameters": ["key"], "record_mode": "once", "match_on": ["method", "path"]}}

@pytest.fixture(scope="module")
def vcr_cassette_dir(request):
    return str(request.config.rootpath / "tapes")

@pytest.fixture
def default_cassette_name():
    return "own"

@pytest.mark.recorded
def test_it():
    assert get("/a?key=2&other=3") == "one"
""")
    suite.run().assert_outcomes(passed=1)


def test_fixtures_of_the_suite_may_build_upon_those_of_pytest_recording(suite: Suite) -> None:
    vcr_file(suite, "cassettes/test_x/tapes/OWN.yaml", interaction("/a?key=1", "one"))
    suite.write(f"""{GET}
@pytest.fixture(scope="module")
def vcr_config(record_mode, disable_recording):
    assert (record_mode, disable_recording) == ("none", False)
    return {{"filter_query_parameters": ["key"]}}

@pytest.fixture(scope="module")
def vcr_cassette_dir(vcr_cassette_dir):
    return vcr_cassette_dir + "/tapes"

@pytest.fixture
def default_cassette_name(default_cassette_name):
    return default_cassette_name.removeprefix("test_").upper()

@pytest.mark.recorded
def test_own():
    assert get("/a?key=2") == "one"
""")
    suite.run().assert_outcomes(passed=1)


def test_tests_may_ask_for_the_fixtures_of_pytest_recording(suite: Suite) -> None:
    vcr_file(suite, "cassettes/test_x/test_it.yaml", interaction("/a", "one"), interaction("/b", "two"))
    suite.write(f"""{GET}
@pytest.mark.recorded
def test_it(vcr, record_mode):
    assert (len(vcr), vcr.play_count, vcr.all_played, record_mode) == (2, 0, False, "none")
    assert get("/a") + get("/b") == "onetwo"
    assert (vcr.play_count, vcr.all_played) == (2, True)
    assert [request.path for request in vcr.requests] == ["/a", "/b"]
    assert vcr.responses[1]["body"]["string"] == b"two"

def test_other(vcr):
    assert vcr is None
""")
    suite.run().assert_outcomes(passed=2)


def test_the_cassette_shows_what_is_recorded_as_vcrpys_does(suite: Suite) -> None:
    source = """
    import pytest

    @pytest.mark.recorded
    def test_it(ask, vcr):
        ask("hello")
        assert len(vcr) == len(vcr.responses) == 1
        assert vcr.requests[0].path == "/chat/completions"
    """
    suite.record(source)
    suite.run().assert_outcomes(passed=1)


def test_long_names_are_found_where_tests_ask_for_fixtures_too(suite: Suite) -> None:
    test = f"test_it[{'x' * 300}]"
    vcr_file(suite, f"cassettes/test_x/{cassette_name(test)}.yaml", interaction("/a", "one"))
    suite.write(f"""{GET}
@pytest.mark.recorded
@pytest.mark.parametrize("x", [1], ids=["x" * 300])
def test_it(x, vcr):
    assert get("/a") == "one"
""")
    suite.run().assert_outcomes(passed=1)


def test_fixture_of_the_suite_that_lacks_another_one_is_no_empty_answer(suite: Suite) -> None:
    suite.write("""
    import pytest

    @pytest.fixture
    def vcr_config(there_is_none): return {}

    @pytest.mark.recorded
    def test_it(): pass
    """)
    result = suite.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'there_is_none' not found*"])


def test_hosts_that_the_suite_ignores_are_left_alone(suite: Suite) -> None:
    vcr_file(suite, "cassettes/test_x/test_it.yaml", interaction("/a", "one"))
    suite.write(f"""{GET}
@pytest.fixture
def vcr_config():
    return {{"ignore_localhost": True}}

@pytest.mark.recorded
def test_it():
    live = httpx2.MockTransport(lambda request: httpx2.Response(200, text="live"))
    assert get("/a") == "one"
    assert httpx2.Client(transport=live).get("http://localhost/a").text == "live"
""")
    suite.run().assert_outcomes(passed=1)


def test_marker_takes_further_cassettes_and_vcrpys_options(suite: Suite) -> None:
    vcr_file(suite, "cassettes/test_x/test_it.yaml", interaction("/a", "one"))
    vcr_file(suite, "cassettes/test_x/extra.yaml", interaction("/b", "two"))
    suite.write(f"""{GET}
@pytest.mark.recorded("extra.yaml", allow_playback_repeats=True, record_mode="none")
def test_it():
    assert [get(path) for path in ("/a", "/b", "/b")] == ["one", "two", "two"]
""")
    suite.run().assert_outcomes(passed=1)


def test_hook_registers_matchers(suite: Suite) -> None:
    vcr_file(suite, "cassettes/test_x/test_it.yaml", interaction("/recorded", "one"))
    with (suite.pytester.path / "conftest.py").open("a") as conftest:
        conftest.write("""
def pytest_recording_configure(config, vcr):
    vcr.register_matcher("anything", lambda asked, recorded: True)
""")
    suite.write(f"""{GET}
@pytest.mark.recorded(match_on=["anything"])
def test_it():
    assert get("/asked") == "one"
""")
    suite.run().assert_outcomes(passed=1)


def test_marker_that_was_forgotten_fails_instead_of_going_live(suite: Suite) -> None:
    suite.write("""
    import pytest

    @pytest.mark.vcr
    def test_it(ask): ask("hello")

    @pytest.mark.vcr
    def test_fixture(ask, vcr): ask("hello")

    @pytest.mark.vcr
    @pytest.mark.skip
    def test_skipped(ask): ask("hello")

    @pytest.mark.vcr
    @pytest.mark.recorded
    def test_both(): pass
    """)
    result = suite.run("--strict-markers")
    result.assert_outcomes(errors=2, skipped=1, passed=1)
    result.stdout.fnmatch_lines(["recorder: *marked `vcr`, *change the marker to `recorded`*"])
    assert suite.live == 0
    suite.run("--disable-recording").assert_outcomes(passed=3, skipped=1)


def test_marker_that_a_fixture_of_the_suite_reads_is_its_own_business(suite: Suite) -> None:
    suite.write("""
    import pytest

    @pytest.fixture(autouse=True)
    def vcr(): pass

    @pytest.mark.vcr
    def test_it(): pass
    """)
    suite.run().assert_outcomes(passed=1)


def test_cassettes_are_found_by_pytest_vcrs_names(suite: Suite) -> None:
    vcr_file(suite, "cassettes/test_it.yaml", interaction("/a", "one"))
    vcr_file(suite, "cassettes/TestC.test_it[x-y].yaml", interaction("/a", "two"))
    vcr_file(suite, "cassettes/test_x/own_test_named.yaml", interaction("/a", "three"))
    suite.write(f"""{GET}
pytestmark = pytest.mark.recorded

def test_it():
    assert get("/a") == "one"

class TestC:
    @pytest.mark.parametrize("x", ["x-y"])
    def test_it(self, x):
        assert get("/a") == "two"

class TestNamed:
    @pytest.fixture
    def vcr_cassette_name(self, request):
        return "own_" + request.function.__name__

    def test_named(self):
        assert get("/a") == "three"
""")
    suite.run().assert_outcomes(passed=3)


def test_further_cassettes_may_be_ours_and_are_only_read(suite: Suite) -> None:
    suite.record()
    suite.cassette().rename(suite.cassette("test_x/extra.yaml"))
    vcr_file(suite, "cassettes/test_x/old.yaml", interaction("/a", "one"))
    suite.write(f"""{GET}
@pytest.mark.recorded("extra.yaml", "old.yaml", "missing.yaml")
def test_it(ask):
    assert (ask("hello"), ask("new"), get("/a")) == ("re: hello", "re: new", "one")
""")
    assert suite.live == 1
    suite.run("--recorder-mode=new_episodes").assert_outcomes(passed=1)
    assert suite.cassette().read_text().count("\nrecorded:") == 1
    suite.run().assert_outcomes(passed=1)
    assert suite.live == 2


CONVENTIONS = """
import os, pytest

@pytest.fixture(scope="module")
def vcr_cassette_dir(request):
    return os.path.join(request.path.parent, "tapes")

@pytest.mark.recorded
def test_it(ask):
    assert ask("hello") == "re: hello"

@pytest.mark.recorded
@pytest.mark.default_cassette("deep/shared.yaml")
@pytest.mark.parametrize("text", ["a", "b"])
def test_shared(ask, text):
    assert ask(text) == f"re: {text}"
"""


def test_what_is_recorded_anew_lies_where_the_suite_has_its_cassettes(suite: Suite) -> None:
    suite.write(CONVENTIONS)
    suite.run("--recorder-mode=once").assert_outcomes(passed=3)
    tapes = suite.pytester.path / "tapes"
    assert sorted(file.name for file in tapes.rglob("*.yaml")) == ["shared.yaml", "test_it.yaml"]
    result = suite.run("--recorder-orphans", "--recorder-on-unused=fail", "--recorder-report")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*tapes/deep/shared.yaml (2 tests): 0 of 2 recordings unused"])
    assert suite.live == 3


def test_imported_cassettes_are_found_by_pytest_recordings_names(suite: Suite) -> None:
    source = """
    import pytest

    class TestOuter:
        class TestInner:
            @pytest.mark.recorded
            @pytest.mark.parametrize("x", ["a/b"])
            def test_it(self, ask, x):
                assert ask("hello") == "re: hello"
    """
    suite.record(source)
    (recorded,) = suite.cassettes
    suite.cassette(recorded).rename(suite.cassette("test_x/TestInner.test_it[a-b].yaml"))
    suite.run("--recorder-orphans").assert_outcomes(passed=1)
    assert suite.live == 1


def test_options_that_the_hook_sets_count_where_nobody_says_otherwise(suite: Suite) -> None:
    vcr_file(suite, "cassettes/test_x/test_it.yaml", interaction("/a?page=1", "one"))
    with (suite.pytester.path / "conftest.py").open("a") as conftest:
        conftest.write("""
def pytest_recording_configure(config, vcr):
    assert "method" in vcr.match_on
    vcr.match_on = ["method", "path"]
    vcr.before_record_response = lambda response: {**response, "body": {"string": b"hooked"}}
    vcr.record_mode = "none"
""")
    suite.write(f"""{GET}
@pytest.mark.recorded
def test_it():
    assert get("/a?page=2") == "hooked"

@pytest.mark.recorded(match_on=["method", "uri"])
@pytest.mark.default_cassette("test_it")
def test_other():
    assert get("/a?page=2") == "hooked"
""")
    suite.run().assert_outcomes(passed=1, failed=1)


def test_persister_of_the_suite_reads_what_nobody_else_can(suite: Suite) -> None:
    file = vcr_file(suite, "cassettes/test_x/test_it.yaml", interaction("/a", "one"))
    file.with_suffix(".yaml.gz").write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()
    with (suite.pytester.path / "conftest.py").open("a") as conftest:
        conftest.write("""
import gzip, pathlib, yaml
from types import SimpleNamespace

class Serializer:
    @staticmethod
    def deserialize(data):
        entries = yaml.safe_load(gzip.decompress(data))["interactions"]
        return [SimpleNamespace(**each["request"]) for each in entries], [each["response"] for each in entries]

class Persister:
    @classmethod
    def load_cassette(cls, path, serializer):
        return serializer.deserialize(pathlib.Path(path).read_bytes())

def pytest_recording_configure(config, vcr):
    vcr.register_persister(Persister())
    vcr.register_serializer("yaml.gz", Serializer())

@pytest.fixture(scope="session")
def vcr_config():
    return {"serializer": "yaml.gz", "record_mode": "once"}
""")
    suite.write(f"""{GET}
@pytest.mark.recorded
def test_it():
    assert get("/a") == "one"
""")
    suite.run("--recorder-orphans").assert_outcomes(passed=1)


def test_named_cassette_is_found(suite: Suite) -> None:
    vcr_file(suite, "cassettes/test_x/named.yaml", interaction("/a", "one"))
    suite.write(f"""{GET}
@pytest.mark.recorded
@pytest.mark.default_cassette("named.yaml")
def test_it():
    assert get("/a") == "one"

@pytest.mark.recorded(name="named")
def test_other():
    assert get("/a") == "one"
""")
    suite.run("-Werror", "--strict-markers").assert_outcomes(passed=2)


def test_own_cassette_that_speaks_of_interactions_is_no_vcrpy_file(suite: Suite) -> None:
    suite.record(MARKED.replace("hello", '{\\"interactions\\": 1}'))
    assert "interactions" in suite.cassette().read_text()
    suite.run().assert_outcomes(passed=1)


def test_miss_fails_and_the_file_stays_as_it_was(suite: Suite) -> None:
    file = vcr_file(suite, "cassettes/test_x/test_it.yaml", interaction("/a", "one"))
    before = file.read_bytes()
    suite.write(f"""{GET}
@pytest.mark.recorded(record_mode="new_episodes")
def test_it():
    try:
        get("/b")
    except BaseException:
        pass
""")
    suite.run("--recorder-mode=once").assert_outcomes(failed=1)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "asked", ["--recorder-mode=rewrite", "--recorder-mode=new_episodes", "--recorder-update"]
)
def test_asking_to_write_a_vcrpy_file_says_what_to_do(suite: Suite, asked: str) -> None:
    vcr_file(suite, "cassettes/test_x/test_it.yaml", interaction("/a", "one"))
    suite.write(f"{GET}\n@pytest.mark.recorded\ndef test_it(): pass")
    result = suite.run(asked)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*is in vcrpy's format, which is only read*recorder cassette import*"])


def test_what_a_moved_suite_says_of_recording_is_no_usage_error_under_ci(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    vcr_file(suite, "cassettes/test_x/test_it.yaml", interaction("/a", "one"))
    suite.write(f"""{GET}
@pytest.fixture
def vcr_config():
    return {{"record_mode": "new_episodes"}}

@pytest.mark.recorded(record_mode="once")
def test_it():
    assert get("/a") == "one"
""")
    monkeypatch.setenv("CI", "true")
    suite.run().assert_outcomes(passed=1)


def test_report_names_requests_that_no_longer_equal_their_recordings(suite: Suite) -> None:
    vcr_file(
        suite,
        "cassettes/test_x/test_it.yaml",
        interaction("/a", "one", '{"n": 1}'),
        interaction("/b", "two", '{"n": 2}'),
    )
    suite.write("""
    import httpx2, pytest

    @pytest.mark.recorded
    def test_it():
        for path, n in (("/a", 1), ("/b", 3)):
            httpx2.request("GET", "https://api.example.test" + path, json={"n": n})
    """)
    result = suite.run("--recorder-report")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "test_x.py::test_it: 2 hit, 0 missed, 0 recorded, 1 drifted, *",
            "*drifted recording 2: GET https://api.example.test/b",
            "*$.n: recorded 2, asked 3",
        ]
    )


def test_marker_that_blocks_the_network_does_so(suite: Suite) -> None:
    suite.write("""
import socket, pytest

def connect(host):
    with socket.socket() as made:
        made.connect((host, 9))

@pytest.mark.block_network
def test_refused():
    with pytest.raises(RuntimeError, match=r"^Network is disabled.*192\\.0\\.2\\.1"):
        connect("192.0.2.1")

@pytest.mark.block_network(allowed_hosts=["192.0.2.*"])
def test_others_are_refused():
    connect("198.51.100.1")

@pytest.mark.allowed_hosts(["198.51.100.1:.*"])
@pytest.mark.block_network
def test_allowed():
    with pytest.raises(OSError):
        connect("198.51.100.1:no address")
""")
    result = suite.run()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*RuntimeError: Network is disabled: *198.51.100.1*"])


def test_marker_that_blocks_the_network_shuts_this_machine_too(suite: Suite) -> None:
    suite.write("""
import socket, pytest

@pytest.fixture(scope="module")
def server():
    with socket.create_server(("127.0.0.1", 0)) as made:
        socket.create_connection(made.getsockname()).close()
        yield made.getsockname()

@pytest.mark.block_network
def test_refused(server):
    with socket.socket() as made, pytest.raises(RuntimeError, match="^Network is disabled: .*127.0.0.1"):
        made.connect(server)

@pytest.mark.block_network(allowed_hosts=["127.0.0.1"])
def test_allowed(server):
    socket.create_connection(server).close()

@pytest.mark.block_network
@pytest.mark.recorded(mode="once")
def test_recording(server):
    socket.create_connection(server).close()

def test_without(server):
    socket.create_connection(server).close()
""")
    suite.run().assert_outcomes(passed=4)


def test_marker_that_blocks_the_network_takes_hosts_as_pytest_recording_does(suite: Suite) -> None:
    suite.write("""
import socket, pytest

def connect(host):
    with socket.socket() as made:
        made.connect((host, 9))

@pytest.mark.block_network(allowed_hosts="api.example.test, 198.51.100,")
def test_beginnings_with_commas():
    with pytest.raises(OSError):
        connect("198.51.100.1:no address")
    with pytest.raises(RuntimeError, match="Network is disabled"):
        connect("192.0.2.1")
""")
    suite.run().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "marker",
    [
        "block_network(allowed_hosts=5)",
        "block_network(allowed_hosts=[5])",
        "block_network(allowed_hosts=['('])",
        "block_network(['127.0.0.1'])",
        "block_network(hosts=[])",
    ],
)
def test_marker_that_names_hosts_wrongly_is_a_usage_error(suite: Suite, marker: str) -> None:
    suite.write(f"import pytest\n\n@pytest.mark.{marker}\ndef test_it(): pass\n")
    result = suite.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*test_x.py::test_it: block_network or allowed_hosts cannot be read: *"])
    assert "INTERNALERROR" not in result.stdout.str()
