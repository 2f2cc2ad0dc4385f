"""The pytest plugin where several tests share a cassette: what is unused, and what goes, is for all of them to say."""

from __future__ import annotations

import pytest

from .plugin_suite import Suite

pytest_plugins = ("pytester",)

SHARED = """
import pytest

@pytest.mark.recorded(name="shared")
@pytest.mark.parametrize("n", range(4))
def test_it(ask, n):
    assert ask(f"question {n}") == f"re: question {n}"
"""
BY_FIXTURE = """
import pytest

@pytest.fixture
def recorder_config():
    return {"name": "shared"}

@pytest.mark.recorded
@pytest.mark.parametrize("n", range(4))
def test_it(ask, n):
    ask(f"question {n}")
"""
BY_OWN_RULE = """
import pytest

def same_question(asked, recorded):
    assert asked.body == recorded.body

@pytest.mark.recorded(name="shared", match=("path", same_question))
@pytest.mark.parametrize("n", range(4))
def test_it(ask, n):
    assert ask(f"question {n}") == f"re: question {n}"
"""
WORKERS = pytest.mark.parametrize("workers", ["-n0", "-n2"])


def questions(suite: Suite) -> list[int]:
    """Which questions are in the shared cassette."""
    text = suite.cassette("test_x/shared.yaml").read_text()
    return [n for n in range(10) for _ in range(text.count(f"content: question {n}\n"))]


@pytest.fixture
def shared(suite: Suite) -> Suite:
    suite.write(SHARED)
    suite.run("--recorder-mode=new_episodes").assert_outcomes(passed=4)
    return suite


@WORKERS
@pytest.mark.parametrize("source", [SHARED, BY_FIXTURE, BY_OWN_RULE])
def test_once_records_all_tests_of_a_cassette_that_was_not_there(
    suite: Suite, workers: str, source: str
) -> None:
    suite.write(source)
    suite.run("--recorder-mode=once", workers).assert_outcomes(passed=4)
    assert questions(suite) == [0, 1, 2, 3]
    suite.run(workers).assert_outcomes(passed=4)
    suite.write(source.replace("question", "query"))
    suite.run("--recorder-mode=once", workers).assert_outcomes(failed=4)
    assert suite.live == 4


def test_new_episodes_are_not_answered_from_what_another_test_of_the_run_recorded(suite: Suite) -> None:
    source = SHARED.replace("{n}", "same")
    suite.write(source)
    suite.run("--recorder-mode=new_episodes").assert_outcomes(passed=4)
    assert suite.live == 4
    assert suite.cassette("test_x/shared.yaml").read_text().count("content: question same") == 1


@WORKERS
def test_update_of_a_shared_cassette_drops_only_what_no_test_asks_for(shared: Suite, workers: str) -> None:
    shared.run("--recorder-update", workers).assert_outcomes(passed=4)
    assert (questions(shared), shared.live) == ([0, 1, 2, 3], 4)
    shared.write(SHARED.replace("range(4)", "(0, 2, 5)"))
    result = shared.run("--recorder-update", workers)
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["cassettes/test_x/shared.yaml: dropped 2 recordings that no test asked for"])
    assert (questions(shared), shared.live) == ([0, 2, 5], 5)


@pytest.mark.parametrize(
    ("part", "why"),
    [
        (("-k", "1"), "test_x.py::test_it[[]0] did not run"),
        (("test_x.py::test_it[1]",), "not all of test_x.py was collected"),
        (("-x",), "test_x.py::test_it[[]3] did not run"),
        ((), "test_x.py::test_it[[]2] did not pass"),
    ],
)
def test_update_drops_nothing_where_not_all_tests_ran_and_passed(
    shared: Suite, part: tuple[str, ...], why: str
) -> None:
    bad = SHARED.replace("    assert", "    assert n != 2\n    assert") if part in ((), ("-x",)) else SHARED
    shared.write(bad)
    result = shared.run("--recorder-update", *part)
    result.stdout.fnmatch_lines([f"cassettes/test_x/shared.yaml: nothing was dropped, since {why}"])
    assert questions(shared) == [0, 1, 2, 3]


def test_update_drops_nothing_that_tests_named_by_a_fixture_may_want(suite: Suite) -> None:
    suite.write(BY_FIXTURE)
    suite.run("--recorder-mode=new_episodes").assert_outcomes(passed=4)
    result = suite.run("--recorder-update", "-k", "1")
    result.stdout.fnmatch_lines(["*nothing was dropped, since test_x.py::test_it[[]0] did not run"])
    assert questions(suite) == [0, 1, 2, 3]


def test_update_of_one_module_drops_nothing_of_a_cassette_that_has_a_path(suite: Suite) -> None:
    path = SHARED.replace('name="shared"', 'path="cassettes/test_x/shared.yaml"')
    suite.write(path)
    suite.write(path.replace("range(4)", "(4, 5)"), "test_y")
    suite.run("--recorder-mode=new_episodes").assert_outcomes(passed=6)
    suite.run("--recorder-update", "test_x.py").stdout.fnmatch_lines(["*nothing was dropped*"])
    assert questions(suite) == [0, 1, 2, 3, 4, 5]
    suite.run("--recorder-update").assert_outcomes(passed=6)
    assert questions(suite) == [0, 1, 2, 3, 4, 5]


def test_dry_run_of_an_unchanged_shared_cassette_changes_nothing(shared: Suite) -> None:
    shared.run("--recorder-update=dry-run").stdout.fnmatch_lines(
        ["0 of 1 cassettes would change, 1 would not"]
    )


@WORKERS
def test_rewriting_a_shared_cassette_keeps_what_every_test_records(shared: Suite, workers: str) -> None:
    shared.write(SHARED.replace("range(4)", "(1, 2, 5)"))
    shared.run("--recorder-mode=rewrite", workers).assert_outcomes(passed=3)
    assert (questions(shared), shared.live) == ([1, 2, 5], 7)


def test_rewriting_leaves_the_recordings_of_a_test_that_failed(shared: Suite) -> None:
    shared.write(f"{SHARED}    assert n != 2\n")
    shared.run("--recorder-mode=rewrite").assert_outcomes(passed=3, failed=1)
    assert questions(shared) == [0, 1, 2, 3]


@WORKERS
@pytest.mark.parametrize(("level", "code"), [("fail", 1), ("warn", 0), ("ignore", 0)])
def test_unused_recordings_of_a_shared_cassette_are_judged_at_the_end(
    shared: Suite, workers: str, level: str, code: int
) -> None:
    assert shared.run(f"--recorder-on-unused={level}", workers).ret == pytest.ExitCode.OK
    shared.write(SHARED.replace("range(4)", "range(3)"))
    result = shared.run(f"--recorder-on-unused={level}", workers)
    result.assert_outcomes(passed=3)
    assert result.ret == code
    told = "cassettes/test_x/shared.yaml (3 tests): 1 of 4 recordings unused"
    assert (told in result.outlines) == (level != "ignore")
    assert shared.run(f"--recorder-on-unused={level}", workers, "-k1").ret == pytest.ExitCode.OK


def test_report_counts_a_shared_cassettes_unused_recordings_once(shared: Suite) -> None:
    shared.write(SHARED.replace("range(4)", "range(3)"))
    shared.run("--recorder-report").stdout.fnmatch_lines(
        [
            "test_x.py::test_it[[]0]: 1 hit, 0 missed, 0 recorded  (cassettes/test_x/shared.yaml, shared, mode none)",
            "cassettes/test_x/shared.yaml (3 tests): 1 of 4 recordings unused",
            "    unused POST https://api.deepseek.com/chat/completions",
            "3 tests with a cassette: 3 hit, 0 missed, 0 recorded, 1 unused",
        ]
    )
    shared.run("--recorder-report", "-k1").stdout.fnmatch_lines(["*what is unused is not known, since *"])
