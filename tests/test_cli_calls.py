"""`recorder export` and `recorder import`, as a shell sees them."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import recorder.cli.main  # noqa: F401 - `recorder.cli.main` is also the name of the function
from recorder.ledger.store import Store

from .databases import execute
from .ledger_calls import START_US, a_call, an_exchange, store_calls

app = sys.modules["recorder.cli.main"].app
EVIL = "=cmd|' /C calc'!A0\x1b[31m\x9b1m\u202e"


def invoke(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, arguments, input=stdin)


@pytest.fixture
def store(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The default store, with three calls."""
    monkeypatch.setenv("RECORDER_STORE", sqlite_url)
    calls = [
        a_call(started_us=START_US + number, user_id=EVIL, outcome="error" if number == 1 else "ok")
        for number in range(3)
    ]
    store_calls(sqlite_url, *calls)
    return sqlite_url


@pytest.fixture
def other(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/other.db"


@pytest.mark.parametrize("name", ["calls.jsonl", "calls.jsonl.gz", "calls.har", "calls.har.gz", "odd.txt"])
def test_what_is_exported_can_be_imported(store: str, other: str, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    kind = ("--format", "jsonl") if name == "odd.txt" else ()
    exported = invoke("export", "--to", str(path), *kind)
    assert (exported.exit_code, exported.stdout) == (0, "")
    assert f"3 calls written to {path}" in exported.stderr
    assert (path.read_bytes()[:2] == b"\x1f\x8b") is (path.suffix == ".gz")
    imported = invoke("import", str(path), "--store", other, *kind)
    assert (imported.exit_code, imported.stdout) == (0, "")
    assert f"3 calls imported into {other}" in imported.stderr
    assert [call["id"] for call in Store(other).calls()] == [call["id"] for call in Store(store).calls()]
    assert "0 calls imported" in (again := invoke("import", str(path), "--store", other, *kind)).stderr
    assert "3 known already" in again.stderr


def test_a_store_is_piped_into_another(store: str, other: str) -> None:
    lines = invoke("export", "--where", "outcome=ok", "-n", "1")
    assert lines.stdout.count("\n") == 1
    assert "1 call written" in lines.stderr
    assert invoke("import", "-", "--store", other, stdin=lines.stdout_bytes).exit_code == 0
    (call,) = Store(other).calls()
    assert call["started_at"] == (START_US + 2) / 1e6


def test_standard_output_has_nothing_but_the_calls(store: str) -> None:
    result = invoke("export", "--format", "csv", "--json")
    assert len(result.stdout.splitlines()) > 3
    summary = {"file": "-", "format": "csv", "calls": 3, "without_payload": 0, "damaged": []}
    assert json.loads(result.stderr) == summary


def test_a_file_is_replaced_on_demand_alone_and_never_by_half(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "calls.csv"
    path.write_text("mine")
    path.chmod(0o600)
    assert (refused := invoke("export", "--to", str(path))).exit_code == 1
    assert "exists already; --overwrite replaces it" in refused.stderr

    def full(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("recorder.interchange.calls_export.write_rows", full)
        failed = invoke("export", "--to", str(path), "--overwrite")
    assert (failed.exit_code, failed.stderr) == (
        1,
        f"recorder: {path} cannot be written: No space left on device\n",
    )
    assert (path.read_text(), {each.name for each in tmp_path.glob("*calls.csv*")}) == ("mine", {"calls.csv"})
    assert invoke("export", "--to", str(path), "--overwrite").exit_code == 0
    assert path.read_text().startswith("id,started_at")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_damaged_payload_is_said_and_is_exit_code_1(store: str, tmp_path: Path) -> None:
    execute(store, "UPDATE payloads SET record = ?", b"\xff")
    result = invoke("export", "--to", str(tmp_path / "calls.jsonl"))
    assert result.exit_code == 1
    assert result.stderr.count("is damaged") == 3
    assert (tmp_path / "calls.jsonl").read_bytes().count(b'"exchange":null') == 3


def test_lines_that_cannot_be_read_are_exit_code_1(store: str, other: str, tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    invoke("export", "--to", str(path))
    path.write_bytes(b"nonsense\x1b[31m\n" * 30 + path.read_bytes())
    result = invoke("import", str(path), "--store", other)
    assert result.exit_code == 1
    assert f"{path}, line 1: it is no JSON" in result.stderr.replace("\n", " ")
    assert "… and 10 more" in result.stderr
    assert "3 calls imported into" in result.stderr
    assert "30 skipped" in result.stderr
    told = json.loads(invoke("import", str(path), "--store", other, "--json").stdout)
    assert (told["imported"], told["known"], len(told["skipped"])) == (0, 3, 30)
    assert told["skipped"][29]["place"] == "line 30"


def test_a_dry_run_says_what_would_be(store: str, other: str, tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    invoke("export", "--to", str(path))
    assert "3 calls would be imported" in invoke("import", str(path), "--dry-run", "--store", other).stderr
    assert not (tmp_path / "other.db").exists()


@pytest.mark.parametrize(
    "command",
    [
        "export --to calls.txt",
        "export --to calls.parquet.gz",
        "export --to calls.csv --payloads",
        "export --where usr_id=7",
        "export --since soon",
        "export -n 0",
        "import calls.csv",
        "import - --format har",
        "import",
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    store: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = invoke(*command.split())
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize("name", ["gone.jsonl", "gone.har", "broken.har", "torn.jsonl.gz"])
def test_a_file_that_cannot_be_read_is_an_error_of_one_sentence(
    store: str, tmp_path: Path, name: str
) -> None:
    (tmp_path / "broken.har").write_text('{"log": {}}')
    (tmp_path / "torn.jsonl.gz").write_bytes(gzip.compress(b"{}\n" * 1000)[:-12])
    result = invoke("import", str(tmp_path / name))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("recorder: ")
    assert name in result.stderr


class _Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("kind", ["jsonl", "csv", "har"])
def test_a_terminal_obeys_nothing_in_what_it_shows(
    store: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recorder.cli.export import export

    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", _Terminal(shown, encoding="utf-8", write_through=True))
    export(kind=kind)  # type: ignore[arg-type]  # one of them
    assert shown.getvalue()
    text = shown.getvalue().decode()
    assert not any(sign in text for sign in "\x1b\x9b\u202e")


def test_a_device_stays_what_it_is(store: str, tmp_path: Path) -> None:
    assert invoke("export", "--to", os.devnull, "--format", "csv").exit_code == 0
    assert not Path(os.devnull).is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("redirected", ["--to /dev/full --format jsonl", "> /dev/full"])
def test_a_full_disk_is_an_error_of_one_line(store: str, redirected: str) -> None:
    command = f"{sys.executable} -m recorder export {redirected}"
    done = subprocess.run(
        ["sh", "-c", command], env={**os.environ, "RECORDER_STORE": store}, capture_output=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"cannot be written: No space left on device" in done.stderr


def test_a_reader_that_leaves_early_is_no_error_of_ours(store: str) -> None:
    store_calls(store, a_call(), exchange=an_exchange(chunks=(b"x" * 300_000,)))  # more than a pipe holds
    command = f"{sys.executable} -m recorder export --format har | head -c 10"
    done = subprocess.run(
        ["sh", "-c", command], env={**os.environ, "RECORDER_STORE": store}, capture_output=True, timeout=60
    )
    assert done.stdout == b'{"log":{"v'
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["report", "ls", "export", "reprice"])
def test_a_period_that_ends_before_it_begins_is_a_usage_error(sqlite_url: str, command: str) -> None:
    store_calls(sqlite_url, a_call())
    result = CliRunner().invoke(app, [command, "--store", sqlite_url, "--since", "7d", "--until", "8d"])
    assert result.exit_code == 2
    assert "'8d' is not later than --since '7d'" in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    "command",
    [
        ("ls",),
        ("show", "last"),
        ("report", "--by", "day"),
        ("report", "--by", "hour", "--where", "user_id=none"),
    ],
)
def test_moment_that_no_calendar_has_is_shown_as_a_number(
    command: tuple[str, ...], sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDER_STORE", sqlite_url)
    store_calls(sqlite_url, a_call(started_us=253_402_300_800_000_000))
    shown = invoke(*command)
    assert shown.exit_code == 0
    assert "253402300800" in shown.output or "hour 70389528" in shown.output
