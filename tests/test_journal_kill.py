"""Processes that are killed: what their callers got is stored, once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import recorder
from recorder.ledger import Store

from .accounting import settle_account
from .killing import THREADS

ROOT = Path(__file__).parents[1]


def run_and_kill(url: str, times: int, directory: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.killing", url, str(times), "1"],
        cwd=ROOT,
        env={**os.environ, "RECORDER_JOURNAL": str(directory)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert (done.returncode, done.stderr) == (0, "")
    told: list[str] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("times", [3, pytest.param(200, marks=pytest.mark.soak)])
def test_killed_at_any_point_nothing_is_lost_and_nothing_doubled(
    url: str, tmp_path: Path, times: int
) -> None:
    directory = tmp_path / "journal"
    told = run_and_kill(url, times, directory)
    with recorder.Recorder(url, journal=directory) as rec:
        assert rec.flush(timeout=120)
    # Calls may be stored whose caller was killed while it was being told, one a thread.
    settle_account(url, told, extra=times * THREADS)
    assert Store(url).losses() == 0
    assert list(directory.iterdir()) == []
    print(f"{len(told):,} calls of {times} killed processes are stored")


PROGRAM = """
import os, signal, sys, httpx2, recorder

class Stream(httpx2.SyncByteStream):
    def __iter__(self):
        yield b"data: {}\\n\\n"
        os.kill(os.getpid(), signal.SIGKILL)

transport = httpx2.MockTransport(lambda request: httpx2.Response(200, stream=Stream()))
client = recorder.Recorder(sys.argv[1]).wrap(httpx2.Client(transport=transport))
with recorder.tags(session_id="s-1", user_id="u-7", feature="search"):
    client.post(
        "https://api.deepseek.com/v1/chat/completions?key=abc",
        headers={"authorization": "Bearer sk-0123456789abcdef0123456789"},
        json={"model": "m", "messages": [{"role": "user", "content": "AKIAABCDEFGHIJKLMNOP"}]},
    )
"""


def test_a_call_in_flight_is_found_as_interrupted_without_its_secrets(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    done = subprocess.run([sys.executable, "-c", PROGRAM, url], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    written = b"".join(path.read_bytes() for path in (tmp_path / "calls.db.journal").iterdir())
    assert b"REDACTED" in written
    assert not any(secret in written for secret in (b"sk-0123", b"AKIAABCD", b"key=abc"))
    with recorder.Recorder(url) as rec:
        assert rec.flush()
    (row,) = Store(url).calls()
    assert (row["outcome"], row["request_model"], row["http_status"]) == ("interrupted", "m", None)
    assert (row["session_id"], row["user_id"], row["tags"]) == ("s-1", "u-7", '{"feature":"search"}')
    exchange = Store(url).exchange(row["id"])
    assert exchange.redacted
    assert b'"content":"REDACTED"' in exchange.request.body


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    directory = tmp_path / "calls.db.journal"
    subprocess.run([sys.executable, "-c", PROGRAM, f"sqlite:///{tmp_path}/calls.db"], check=False, timeout=60)
    modes = {path.name.rpartition(".")[2]: path.stat().st_mode & 0o777 for path in directory.iterdir()}
    assert directory.stat().st_mode & 0o777 == 0o700
    assert modes == dict.fromkeys(modes, 0o600)


def test_a_process_that_lives_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    program = PROGRAM.replace("os.kill(os.getpid(), signal.SIGKILL)", "print(flush=True); sys.stdin.read()")
    with subprocess.Popen(
        [sys.executable, "-c", program, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        with recorder.Recorder(url) as rec:
            assert rec.flush()
        assert len(os.listdir(tmp_path / "calls.db.journal")) >= 2
        process.stdin.close()
        assert process.wait(30) == 0
    assert [row["outcome"] for row in Store(url).calls()] == ["incomplete"]
