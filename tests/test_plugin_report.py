"""The pytest plugin's report: hits, misses, what is unused, expired or nobody's, and updating what changed."""

from __future__ import annotations

import os
import re

import pytest

from .plugin_suite import MARKED, Suite

pytest_plugins = ("pytester",)

TWO = """
import pytest

@pytest.mark.recorded
def test_it(ask):
    ask("hello")
    ask("bye")
"""


def test_report_counts_what_was_hit_missed_recorded_and_unused(suite: Suite) -> None:
    suite.record(TWO)
    suite.write(TWO.replace('ask("bye")', 'ask("good-bye")'))
    result = suite.run("--recorder-report")
    result.stdout.fnmatch_lines(
        [
            "test_x.py::test_it: 1 hit, 1 missed, 0 recorded, 1 unused  (cassettes/test_x/test_it.yaml, mode none)",
            "    missed *has no answer to POST https://api.deepseek.com/chat/completions*",
            "    unused POST https://api.deepseek.com/chat/completions",
            "1 tests with a cassette: 1 hit, 1 missed, 0 recorded, 1 unused",
        ]
    )


def test_report_tells_what_was_recorded(suite: Suite) -> None:
    suite.write(TWO)
    suite.run("--recorder-report", "--recorder-mode=once").stdout.fnmatch_lines(
        ["test_x.py::test_it: 0 hit, 0 missed, 2 recorded, 0 unused*"]
    )


def test_without_being_asked_a_good_run_tells_nothing(suite: Suite) -> None:
    suite.record()
    suite.run().stdout.no_fnmatch_line("*= recorder =*")


@pytest.mark.parametrize(
    ("level", "outcome"),
    [("ignore", {"passed": 1}), ("warn", {"passed": 1, "warnings": 1}), ("fail", {"failed": 1})],
)
@pytest.mark.parametrize("by", ["command line", "marker", "ini"])
def test_unused_recordings_are_ignored_warned_of_or_fail(
    suite: Suite, level: str, outcome: dict[str, int], by: str
) -> None:
    suite.record(TWO)
    marker = f"recorded(on_unused={level!r})" if by == "marker" else "recorded"
    suite.write(TWO.replace("recorded", marker).replace('ask("bye")', ""))
    asks = {"command line": f"--recorder-on-unused={level}", "ini": f"-orecorder_on_unused={level}"}
    result = suite.run("-Wdefault", asks.get(by, "-v"))
    result.assert_outcomes(**outcome)
    if level != "ignore":
        result.stdout.fnmatch_lines(
            ["*cassettes/test_x/test_it.yaml': 1 of 2 recordings were not asked for*"]
        )


def test_failed_tests_are_not_blamed_for_what_they_left_unused(suite: Suite) -> None:
    suite.record(TWO)
    suite.write(TWO.replace('ask("bye")', "assert False, 'mine'"))
    result = suite.run("--recorder-on-unused=fail")
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*not asked for*")


@pytest.mark.parametrize(
    ("arguments", "outcome"),
    [
        (("--recorder-max-age=30d",), {"passed": 1, "warnings": 1}),
        (("--recorder-max-age=30d", "--recorder-on-expired=fail"), {"errors": 1}),
        (("--recorder-max-age=30d", "--recorder-on-expired=ignore"), {"passed": 1}),
        (("-orecorder_max_age=30d", "-orecorder_on_expired=fail"), {"errors": 1}),
        (("--recorder-max-age=52000w",), {"passed": 1}),
    ],
)
def test_old_recordings_are_ignored_warned_of_or_fail(
    suite: Suite, arguments: tuple[str, ...], outcome: dict[str, int]
) -> None:
    suite.record()
    text = suite.cassette().read_text()
    aged, times = re.subn(r"20\d\d-\d\d-\d\d", "2001-02-03", text)
    assert times
    suite.cassette().write_text(aged)
    suite.run("-Wdefault", *arguments).assert_outcomes(**outcome)


@pytest.mark.parametrize("text", ["soon", "-1d"])
def test_age_that_is_none_is_a_usage_error(suite: Suite, text: str) -> None:
    assert suite.run(f"--recorder-max-age={text}").ret == pytest.ExitCode.USAGE_ERROR


# Orphans


def test_files_that_belong_to_no_test_are_told_and_fail_the_run(suite: Suite) -> None:
    suite.record()
    suite.cassette().rename(suite.cassette("test_x/test_gone.yaml"))
    suite.write("def test_other(): pass")
    result = suite.run("--recorder-orphans")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["orphan: *test_gone.yaml belongs to no test"])
    assert suite.run("--recorder-orphans=warn").ret == pytest.ExitCode.OK
    suite.run().stdout.no_fnmatch_line("orphan:*")


@pytest.mark.parametrize(
    "part", [("-k", "other"), ("-m", "not recorded"), ("test_x.py::test_other",), ("--collect-only",)]
)
def test_files_of_tests_that_are_not_run_this_time_are_no_orphans(
    suite: Suite, part: tuple[str, ...]
) -> None:
    suite.record()
    suite.write(f"{MARKED}\ndef test_other(): pass")
    assert suite.run("--recorder-orphans", *part).ret == pytest.ExitCode.OK


def test_unknown_level_is_a_usage_error(suite: Suite) -> None:
    assert suite.run("--recorder-orphans=loud").ret == pytest.ExitCode.USAGE_ERROR


def test_rejected_files_are_no_orphans(suite: Suite) -> None:
    suite.record()
    suite.cassette("test_x/test_it.yaml.rej").touch()
    assert suite.run("--recorder-orphans").ret == pytest.ExitCode.OK


# Updating


def test_update_records_what_changed_and_drops_what_is_unused(suite: Suite) -> None:
    suite.record(TWO)
    suite.write(TWO.replace("bye", "good night"))
    result = suite.run("--recorder-update", "--recorder-report")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["recorder: mode new_episodes, set by --recorder-update", "*1 hit, 0 missed, 1 recorded*"]
    )
    text = suite.cassette().read_text()
    assert suite.live == 3
    assert "good night" in text
    assert "bye" not in text
    suite.run("--recorder-on-unused=fail").assert_outcomes(passed=1)


def test_dry_run_tells_what_an_update_would_do_and_does_nothing(suite: Suite) -> None:
    suite.record(TWO)
    good = suite.cassette().read_bytes()
    suite.write(f"""{TWO.replace('ask("bye")', "")}
@pytest.mark.recorded
def test_new(ask):
    ask("hello")
""")
    result = suite.run("--recorder-update=dry-run")
    result.stdout.fnmatch_lines(
        [
            "cassettes/test_x/test_it.yaml (test_x.py::test_it)",
            "    would drop POST https://api.deepseek.com/chat/completions",
            "cassettes/test_x/test_new.yaml (test_x.py::test_new)",
            "    would record POST https://api.deepseek.com/chat/completions",
            "    at least, since test_x.py::test_new could not go on",
            "2 of 2 cassettes would change, 0 would not",
        ]
    )
    result.assert_outcomes(passed=1, skipped=1)
    assert suite.live == 2
    assert suite.cassette().read_bytes() == good
    assert suite.cassettes == ["test_x/test_it.yaml"]


def test_dry_run_goes_on_after_what_changed_and_tells_how_it_differs(suite: Suite) -> None:
    suite.record(TWO)
    suite.write(TWO.replace("hello", "hi").replace("bye", "good-bye"))
    result = suite.run("--recorder-update=dry-run")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "    would record POST https://api.deepseek.com/chat/completions",
            '        $.messages[[]0].content: recorded "hello", asked "hi"',
            "    would record POST https://api.deepseek.com/chat/completions",
            '        $.messages[[]0].content: recorded "bye", asked "good-bye"',
            "    would drop POST https://api.deepseek.com/chat/completions",
            "    would drop POST https://api.deepseek.com/chat/completions",
            "1 of 1 cassettes would change, 0 would not",
        ],
        consecutive=True,
    )


def test_dry_run_of_a_test_that_the_old_answer_stops_says_what_is_not_certain(suite: Suite) -> None:
    suite.record(TWO)
    suite.write(TWO.replace('ask("hello")', 'assert ask("hi") == "re: hi"'))
    result = suite.run("--recorder-update=dry-run", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(
        [
            "    at least, since test_x.py::test_it could not go on",
            "    would drop at most POST *",
            "    what it drops is not certain, since test_x.py::test_it did not pass",
            "SKIPPED*only after an update is it known how this ends: *AssertionError*",
        ]
    )


def test_update_drops_what_is_unused_though_unused_recordings_fail(suite: Suite) -> None:
    suite.record(TWO)
    suite.write(TWO.replace('ask("bye")', ""))
    suite.run("--recorder-update", "--recorder-on-unused=fail").assert_outcomes(passed=1)
    assert "bye" not in suite.cassette().read_text()


def test_update_of_a_failed_test_changes_nothing(suite: Suite) -> None:
    suite.record(TWO)
    good = suite.cassette().read_bytes()
    suite.write(TWO.replace("bye", "good night") + "    assert False\n")
    suite.run("--recorder-update").assert_outcomes(failed=1)
    assert suite.cassette().read_bytes() == good


def test_update_under_ci_is_a_usage_error_and_its_dry_run_is_not(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.record()
    monkeypatch.setenv("CI", "1")
    assert suite.run("--recorder-update").ret == pytest.ExitCode.USAGE_ERROR
    assert suite.run("--recorder-update=dry-run").ret == pytest.ExitCode.OK


def test_options_without_a_value_leave_the_path_that_follows_alone(suite: Suite) -> None:
    suite.record()
    suite.write("def test_other(): assert False", "test_y")
    suite.run("--recorder-update", "--recorder-orphans", "test_x.py").assert_outcomes(passed=1)


def test_update_chooses_the_mode_itself(suite: Suite) -> None:
    assert suite.run("--recorder-update", "--recorder-mode=all").ret == pytest.ExitCode.USAGE_ERROR


# Several processes

SHARED = """
import pytest

@pytest.mark.recorded(name="shared")
@pytest.mark.parametrize("n", range(12))
def test_it(ask, n):
    assert ask(f"question {n}") == f"re: question {n}"
"""


def test_workers_that_share_a_cassette_lose_nothing_and_report_to_one(suite: Suite) -> None:
    suite.write(SHARED)
    recorded = suite.run("-n2", "--recorder-mode=new_episodes", "--recorder-report")
    recorded.assert_outcomes(passed=12)
    recorded.stdout.fnmatch_lines(["12 tests with a cassette: 0 hit, 0 missed, 12 recorded, *"])
    suite.cassette("test_x/orphan.yaml").touch()
    played = suite.run("-n2", "--recorder-report", "--recorder-orphans=warn")
    played.assert_outcomes(passed=12)
    played.stdout.fnmatch_lines(
        ["12 tests with a cassette: 12 hit, 0 missed, 0 recorded, *", "orphan: *orphan.yaml*"]
    )
    assert suite.live == 12
    assert suite.cassettes == ["test_x/orphan.yaml", "test_x/shared.yaml"]


def test_marker_that_must_not_record_is_a_usage_error_with_workers_too(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    suite.write(MARKED.replace("recorded", "recorded(mode='once')"))
    result = suite.run("-n1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["*test_x.py::test_it: *under CI nothing does*"])
    assert os.listdir(suite.pytester.path).count("cassettes") == 0
