"""`recorder db prune`, `erase` and `snapshot`, as a shell sees them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import recorder.cli.main  # noqa: F401 - `recorder.cli.main` is also the name of the function
from recorder.cli import consent
from recorder.ledger import Store
from recorder.ledger.moments import parse_moment

from .ledger_calls import a_call, an_exchange, store_calls
from .test_ledger_retention import DAY_US, keep

app = sys.modules["recorder.cli.main"].app


@pytest.fixture(autouse=True)
def url(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("RECORDER_STORE", sqlite_url)
    monkeypatch.setenv("COLUMNS", "80")
    return sqlite_url


@pytest.fixture
def old(url: str) -> list[str]:
    """Two calls of 100 and 200 days ago, of which a cassette keeps the second, and a new one."""
    now_us = parse_moment("0s")
    calls = [a_call(started_us=now_us - days * DAY_US, user_id="u-7") for days in (100, 200, 0)]
    store_calls(url, *calls)
    keep(url, calls[1].id)
    return [call.id for call in calls]


@pytest.fixture
def at_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        consent, "sys", type("Terminal", (), {"stdin": type("In", (), {"isatty": lambda: True})})
    )


def invoke(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=answer)


def calls(url: str) -> set[str]:
    return {call["id"] for call in Store(url).calls()}


def test_a_dry_run_says_what_would_go(url: str, old: list[str]) -> None:
    result = invoke("db", "prune", "--older-than", "90d", "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].split() == ["month", "(UTC)", "calls", "payloads", "bytes"]
    assert result.stdout.splitlines()[-2].split()[:3] == ["total", "1", "1"]
    assert result.stdout.splitlines()[-1] == "1 call kept for cassettes · nothing was removed"
    assert calls(url) == set(old)


def test_pruning_removes_and_tells(url: str, old: list[str]) -> None:
    result = invoke("db", "prune", "--older-than", "90d")
    assert result.exit_code == 0
    assert result.stdout.startswith("1 call and 1 payload removed")
    assert "kept for cassettes" in result.stderr
    assert calls(url) == {*old[1:]}
    assert invoke("db", "prune", "--older-than", "90d").stdout == ""


def test_pruning_tells_of_blobs_as_its_dry_run_did(url: str, old: list[str]) -> None:
    long = a_call(started_us=parse_moment("0s") - 100 * DAY_US)
    store_calls(url, long, exchange=an_exchange(os.urandom(2_000)))
    said = "with 1 blob and 0 nodes, 2."
    planned = invoke("db", "prune", "--older-than", "90d", "--dry-run").stdout
    assert said in planned
    size = planned.partition(said)[2].partition(" in all")[0]
    assert f"{said}{size} in all" in invoke("db", "prune", "--older-than", "90d").stdout


def test_show_says_that_the_content_was_pruned(old: list[str]) -> None:
    assert invoke("db", "prune", "--older-than", "90d", "--payloads-only").exit_code == 0
    shown = invoke("show", old[0])
    assert "was pruned on" in shown.stdout.replace("\n", " ")
    assert "in 12" in shown.stdout
    assert "was pruned on" in json.loads(invoke("show", old[0], "--format", "json").stdout)["missing"]
    assert invoke("db", "check").stdout == "fine: 3 calls, 2 payloads\n"


def test_json_has_plan_and_outcome(old: list[str]) -> None:
    def run(*more: str) -> Any:
        return json.loads(invoke("db", "prune", "--older-than", "90d", "--format", "json", *more).stdout)

    planned = run("--dry-run")
    assert (planned["calls"], planned["kept"], planned["dry_run"], planned["removed"]) == (1, 1, True, None)
    assert planned["months"][0]["payload_bytes"] == planned["payload_bytes"] > 100
    assert run()["removed"]["calls"] == 1


@pytest.mark.usefixtures("at_terminal")
def test_at_a_terminal_it_asks_first(url: str, old: list[str]) -> None:
    result = invoke("db", "prune", "--older-than", "90d", answer="n\n")
    assert result.exit_code == 1
    assert "Remove 1 call?" in result.stderr
    assert "Nothing was removed." in result.stderr
    assert calls(url) == set(old)
    assert invoke("db", "prune", "--older-than", "90d", "--yes").exit_code == 0
    assert len(calls(url)) == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [("90", "is no time; write 7d"), ("3x", "is no time"), ("2999-01-01", "is yet to come")],
)
def test_a_bad_time_is_a_usage_error(url: str, old: list[str], given: str, said: str) -> None:
    result = invoke("db", "prune", "--older-than", given)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert calls(url) == set(old)


def test_vacuum_leaves_no_free_pages(old: list[str]) -> None:
    result = invoke("db", "prune", "--older-than", "90d", "--vacuum", "--format", "json")
    assert json.loads(result.stdout)["removed"]["free_bytes"] == 0


def test_erasing_needs_an_answer(url: str, old: list[str]) -> None:
    result = invoke("db", "erase", "--user", "u-7")
    assert (result.exit_code, "--yes" in result.stderr) == (1, True)
    assert invoke("db", "erase").exit_code == 2
    assert invoke("db", "erase", "--user", "u-7", "--dry-run").stdout.splitlines()[1:] == [
        "cassette kept: 1 recording of it",
        "nothing was removed",
    ]
    assert calls(url) == set(old)


def test_erasing_tells_what_it_did_and_what_it_cannot_reach(url: str, old: list[str]) -> None:
    result = invoke("db", "erase", "--user", "u-7", "--yes")
    assert result.stdout.splitlines() == [
        "3 calls erased, 3 payloads erased",
        "1 recording of cassettes erased, and all of kept",
    ]
    assert "Backups" in result.stderr
    assert calls(url) == set()
    assert "There is no such call." in invoke("db", "erase", "--user", "u-7", "--yes").stderr


def test_show_says_that_the_content_was_erased(url: str, old: list[str]) -> None:
    assert invoke("db", "erase", "--user", "u-7", "--yes", "--keep-numbers").exit_code == 0
    assert "was erased on request" in invoke("show", old[0]).stdout.replace("\n", " ")
    assert Store(url).call(old[0])["user_id"] is None


def test_a_snapshot_can_be_read(old: list[str], tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert "a copy of sqlite:///" in invoke("db", "snapshot", str(copy)).stdout
    assert calls(f"sqlite:///{copy}") == set(old)
    again = invoke("db", "snapshot", str(copy))
    assert (again.exit_code, "--force" in again.stderr) == (1, True)
    forced = invoke("db", "snapshot", str(copy), "--force", "--format", "json")
    assert json.loads(forced.stdout)["bytes"] == copy.stat().st_size
