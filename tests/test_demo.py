"""The demo, as a newcomer runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from recorder.cli.main import app
from recorder.demo.upstream import Upstream
from recorder.ledger import Store


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")


def test_local_demo_records_shows_and_replays_everything() -> None:
    result = CliRunner().invoke(app, ["demo"])
    assert result.exit_code == 0, result.output
    assert "12 calls replayed" in result.output
    assert result.output.count("identical") == 12
    assert "gen_ai.request.model" in result.output
    rows = Store("sqlite:///recorder-demo.db").calls(limit=None)
    assert sorted(row["error_type"] or row["outcome"] for row in rows if not row["replayed"]) == [
        "httpx2.ReadTimeout",
        "incomplete",
        *["ok"] * 9,
        "rate_limit_reached_error",
    ]


def test_demo_against_an_endpoint_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "sk-0123456789abcdefghijklmn")
    with Upstream() as upstream:
        arguments = ["--base-url", upstream.base_url, "--model", "deepseek-chat", "--api-key-env", "KEY"]
        result = CliRunner().invoke(app, ["demo", *arguments])
    assert result.exit_code == 0, result.output
    assert "the same bytes, chunks, statuses and errors" in result.output


def test_demo_against_an_endpoint_that_does_not_answer_says_what_to_check(
    unused_url: str,
) -> None:
    result = CliRunner().invoke(app, ["demo", "--base-url", unused_url, "--model", "m"])
    assert result.exit_code == 1
    assert "No call was answered" in result.output


def test_demo_leaves_a_file_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "recorder-demo.db").write_text("mine")
    result = CliRunner().invoke(app, ["demo"])
    assert result.exit_code == 1
    assert (tmp_path / "recorder-demo.db").read_text() == "mine"


def test_demo_wants_model_and_key() -> None:
    assert CliRunner().invoke(app, ["demo", "--base-url", "http://127.0.0.1:9"]).exit_code == 2
    arguments = ["--base-url", "http://127.0.0.1:9", "--model", "m", "--api-key-env", "NO_SUCH_KEY"]
    result = CliRunner().invoke(app, ["demo", *arguments])
    assert result.exit_code == 1
    assert "$NO_SUCH_KEY is not set" in result.output


@pytest.fixture
def unused_url() -> str:
    """A port on which nobody listens any more."""
    with Upstream() as upstream:
        return upstream.base_url
