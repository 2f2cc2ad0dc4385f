"""The journal from the outside: what a Recorder's calls go through on their way to the store."""

from __future__ import annotations

import errno
import json
import os
import shlex
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

import recorder
from recorder.errors import SettingsError
from recorder.ledger import Store, former
from recorder.ledger.content.reading import Reader
from recorder.ledger.journal import journal_directory
from recorder.ledger.journal.draining import Draining
from recorder.ledger.journal.frames import HEAD_BYTES, MARK
from recorder.ledger.journal.kept import Kept
from recorder.ledger.journal.status import condition
from recorder.ledger.journal.writing import Writing
from recorder.ledger.tables import calls, payloads
from recorder.ledger.url import sqlite_path

from .drivers import URL, Driver, Reply
from .test_ledger_writer import as_plain_user
from .test_recording import split_secret
from .test_transport import ANSWER, ASK, STREAM, STREAM_HEADERS

SECRET = b"sk-0123456789abcdef0123456789"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/calls.db"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "calls.db.journal"


@pytest.fixture
def recorders() -> Iterator[list[recorder.Recorder]]:
    """Recorders to be closed in the end."""
    opened: list[recorder.Recorder] = []
    yield opened
    for each in opened:
        each.close(0.0)


def make_calls(rec: recorder.Recorder, number: int, body: bytes = ASK) -> None:
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, content=ANSWER))
    with rec.wrap(httpx2.Client(transport=transport)) as client:
        for _ in range(number):
            client.post(URL, content=body)


def leave_behind(url: str, number: int, body: bytes = ASK, **options: Any) -> None:
    """Calls of a process that ended before it could store them."""
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            make_calls(recorder.Recorder(url, drain="external", **options), number, body)
        os._exit(0)
    os.waitpid(child, 0)


pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


def segment(directory: Path) -> Path:
    (path,) = directory.glob("*.segment")
    return path


def stored(url: str) -> int:
    return len(Store(url).calls(limit=None))


def columns(url: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """All that is stored, but for ids and times."""

    def plain(row: Any) -> dict[str, Any]:
        return {
            name: value
            for name, value in row.items()
            if name not in ("seq", "id", "call_id", "operation_id", "trace_id", "span_id", "chunks")
            and (not name.endswith(("_us", "_ns")) or value is None)
        }

    database = Store(url)._database
    with database.read() as connection:
        rows = connection.execute(calls.select().order_by(calls.c.started_us)).mappings()
        ids = connection.scalars(select(payloads.c.call_id).order_by(payloads.c.started_us)).all()
        found = Reader(connection).read(ids)
        bodies = [former.pack(found[id].exchange()) for id in ids]
        return [(plain(row), plain(body)) for row, body in zip(rows, bodies, strict=True)]


REPLIES = (
    Reply(chunks=[ANSWER]),
    Reply(headers=STREAM_HEADERS, chunks=STREAM),
    Reply(headers=STREAM_HEADERS, chunks=STREAM[:2]),
    Reply(headers=STREAM_HEADERS, chunks=[split_secret("content")]),
    Reply(chunks=[b'{"choices":[{"message":{"content":"' + SECRET + b'"}}]}']),
    Reply(429, (("retry-after", "1"), ("set-cookie", "session=abc")), chunks=[b'{"error":{"code":"slow"}}']),
    Reply(chunks=[b"no json"]),
    Reply(500, chunks=[]),
    Reply(302, (("location", "https://user:secret@model.test/"),), chunks=[]),
    Reply(error=ValueError(f"no way with {SECRET.decode()}")),
    Reply(headers=STREAM_HEADERS, chunks=[STREAM[0], ValueError("broke off")]),
)
REQUESTS = (
    ASK,
    b"{}",
    b"no json",
    b'{"model":"m","messages":[{"role":"user","content":"my key is ' + SECRET + b'"}]}',
    b'{"model":"m","user":"u-1","stream":true,"tools":[{"type":"mcp","headers":{"x-api-key":"hush"}}]}',
)


def test_rows_are_the_same_with_and_without_a_journal(driver: Driver, tmp_path: Path) -> None:
    found = []
    for journal in (True, False):
        url = f"sqlite:///{tmp_path}/{journal}.db"
        with recorder.Recorder(url, journal=journal, strict=True) as rec:
            replies = [reply for reply in REPLIES for _ in REQUESTS]
            client = rec.wrap(driver.client(driver.wire(*replies)))

            async def scenario(client: Any = client) -> None:
                for number in range(len(REPLIES) * len(REQUESTS)):
                    body, headers = REQUESTS[number % len(REQUESTS)], {"id": "m-1", "x-api-key": "hush"}
                    with recorder.tags(session_id="s", note=SECRET.decode()):
                        await driver.observe(client, body, url=f"{URL}?key=hush", headers=headers)
                await driver.observe(client, ASK, leave_after=0)

            driver.run(scenario)
            assert rec.flush(60)
        found.append(columns(url))
    with_journal, without = found
    assert len(with_journal) == len(REPLIES) * len(REQUESTS) + 1
    assert with_journal == without


def test_no_secret_is_written_to_the_journal(url: str, directory: Path) -> None:
    driver = Driver("httpx2", asynchronous=False)
    rec = recorder.Recorder(url, drain="external", strict=True)
    client = rec.wrap(driver.client(driver.wire(*[reply for reply in REPLIES for _ in REQUESTS])))

    async def scenario() -> None:
        for number in range(len(REPLIES) * len(REQUESTS)):
            body = REQUESTS[number % len(REQUESTS)]
            await driver.observe(client, body, url=f"{URL}?key=hush", headers={"x-api-key": "hush"})

    driver.run(scenario)
    written = segment(directory).read_bytes()
    rec.close()
    assert b"REDACTED" in written
    assert not [secret for secret in (SECRET, b"hush", b"user:secret", b"session=abc") if secret in written]


def test_a_recorder_that_is_done_leaves_nothing_behind(url: str, tmp_path: Path) -> None:
    with recorder.Recorder(url) as rec:
        make_calls(rec, 3)
        assert rec.flush()
    assert [path.name for path in tmp_path.iterdir()] == ["calls.db"]


def test_what_was_left_behind_is_stored_by_the_next(url: str, directory: Path) -> None:
    for _ in range(3):
        leave_behind(url, 7)
    assert len(list(directory.glob("*.live"))) == 3
    with recorder.Recorder(url) as rec:
        make_calls(rec, 1)
        assert rec.flush()
        assert rec.lost == 0
    assert stored(url) == 22
    assert not directory.exists()


def test_what_two_find_at_once_is_stored_once(url: str) -> None:
    leave_behind(url, 500)
    children = []
    for _ in range(3):
        if (child := os.fork()) == 0:
            rec = recorder.Recorder(url)
            make_calls(rec, 20)
            os._exit(0 if rec.close(60) else 1)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0]
    with recorder.Recorder(url) as rec:
        assert rec.flush()
    assert stored(url) == 560


def test_a_forked_child_has_a_journal_of_its_own_and_leaves_its_parents(url: str, directory: Path) -> None:
    rec = recorder.Recorder(url, drain="external")
    make_calls(rec, 2)
    if (child := os.fork()) == 0:
        make_calls(rec, 3)
        os._exit(0)
    os.waitpid(child, 0)
    found = {owner.pid: (owner.alive, owner.records) for owner in condition(directory).owners}
    assert found == {os.getpid(): (True, 2), child: (False, 3)}
    make_calls(rec, 1)
    rec.close()
    assert {owner.alive for owner in condition(directory).owners} == {False}
    with recorder.Recorder(url) as rec:
        assert rec.flush()
    assert stored(url) == 6


def test_a_parent_that_ends_before_its_child_is_known_to_have_ended(url: str, directory: Path) -> None:
    (ready, tell_ready), (done, tell_done) = os.pipe(), os.pipe()
    if (middle := os.fork()) == 0:
        rec = recorder.Recorder(url, drain="external")
        make_calls(rec, 2)
        if os.fork() == 0:
            os.close(tell_done)
            os.write(tell_ready, b"!")
            os.read(done, 1)
        os._exit(0)
    os.read(ready, 1)
    os.waitpid(middle, 0)
    assert [owner.alive for owner in condition(directory).owners] == [False]
    for descriptor in (ready, tell_ready, done, tell_done):
        os.close(descriptor)


@pytest.mark.parametrize("hurt", ["head", "body", "length"])
def test_damage_costs_one_call_and_is_reported(url: str, directory: Path, hurt: str) -> None:
    leave_behind(url, 5)
    path = segment(directory)
    data = bytearray(path.read_bytes())
    third = [at for at in range(len(data)) if data.startswith(MARK, at)][5]  # the end of the third call
    data[{"head": third, "body": third + HEAD_BYTES + 9, "length": third + 4}[hurt]] ^= 0x5A
    path.write_bytes(data)
    assert condition(directory).corrupt == 1
    with recorder.Recorder(url) as rec:
        assert not rec.flush()
        assert rec.lost == 1
    rows = Store(url).calls()
    assert sorted(row["outcome"] for row in rows) == ["interrupted", "ok", "ok", "ok", "ok"]
    assert Store(url).losses() == 1
    assert condition(directory).corrupt_bytes > 0
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        assert "were damaged" in connection.execute("SELECT reason FROM losses").fetchone()[0]


@pytest.mark.parametrize("missing", [1, 7, 200])
def test_half_a_record_of_a_killed_process_is_no_loss(url: str, directory: Path, missing: int) -> None:
    leave_behind(url, 3)
    path = segment(directory)
    os.truncate(path, path.stat().st_size - missing)
    with recorder.Recorder(url) as rec:
        assert rec.flush()
        assert rec.lost == 0
    assert [row["outcome"] for row in Store(url).calls()] == ["interrupted", "ok", "ok"]
    assert condition(directory).corrupt_bytes > 0


def test_an_end_without_its_start_is_kept_aside(url: str, directory: Path) -> None:
    leave_behind(url, 2)
    path = segment(directory)
    data = bytearray(path.read_bytes())
    data[HEAD_BYTES + 5] ^= 0xFF
    path.write_bytes(data)
    with recorder.Recorder(url) as rec:
        assert not rec.flush()
        assert rec.lost == 1
    assert stored(url) == 1


def failing(code: int, *, after: int = 0) -> Any:
    """A write to segments that fails."""
    write = Writing.write
    left = [after]

    def fail(writing: Writing, file: int, data: bytes) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(code, os.strerror(code))
        return write(writing, file, data)

    return fail


def test_a_full_disk_sends_calls_through_memory(
    url: str, directory: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rec = recorder.Recorder(url)
    with monkeypatch.context() as patch:
        patch.setattr(Writing, "write", failing(errno.ENOSPC, after=3))
        make_calls(rec, 5)
        assert rec.flush()
    assert rec.close()
    assert stored(url) == 5
    assert caplog.text.count("cannot be written: No space left on device") == 1
    assert not directory.exists()


def test_half_a_record_is_taken_back(url: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Writing.write
    rec = recorder.Recorder(url, drain="external")
    make_calls(rec, 1)
    size = segment(directory).stat().st_size
    with monkeypatch.context() as patch:
        patch.setattr(Writing, "write", lambda self, file, data: write(self, file, data[: len(data) // 2]))
        make_calls(rec, 1)
    assert segment(directory).stat().st_size == size
    assert rec.close()
    assert stored(url) == 1  # the second one; the first is in the journal
    assert condition(directory).corrupt == 0


def test_a_directory_that_cannot_be_written_sends_calls_through_memory(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        (path / "closed").mkdir()
        (path / "closed").chmod(0o555)
        (path / "open").mkdir()
        (path / "open").chmod(0o777)
        path.chmod(0o755)
        url = f"sqlite:///{name}/open/calls.db"
        with as_plain_user(path), recorder.Recorder(url, journal=f"{name}/closed/journal") as rec:
            make_calls(rec, 3)
            assert rec.flush()
            assert stored(url) == 3
    assert caplog.text.count("calls wait in memory") == 1


def test_what_waits_is_bounded_and_what_is_too_much_is_counted(
    url: str, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    body = b'{"model":"m","pad":"' + b"x" * 10_000 + b'"}'
    rec = recorder.Recorder(f"{url}/nowhere/calls.db", journal=str(directory), queue_bytes=100_000)
    make_calls(rec, 30, body)
    assert 15 <= rec.lost <= 24
    (home,) = directory.iterdir()
    assert sum(path.stat().st_size for path in home.iterdir()) <= 100_100
    assert not rec.close(1.0)
    assert "in the journal of" in caplog.text


def test_the_database_may_be_away_for_a_whole_process(tmp_path: Path, directory: Path) -> None:
    url = f"sqlite:///{tmp_path}/later/calls.db"
    with recorder.Recorder(url, journal=str(directory)) as rec:
        make_calls(rec, 4)
        assert not rec.flush(1.0)
    assert rec.lost == 0
    (tmp_path / "later").mkdir()
    with recorder.Recorder(url, journal=str(directory)) as rec:
        assert rec.flush()
    assert stored(url) == 4


def test_segments_go_as_they_are_stored_and_starts_are_carried_on(
    url: str, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recorder.ledger.journal.log.SEGMENT_BYTES", 3_000)
    rec = recorder.Recorder(url)
    driver = Driver("httpx2", asynchronous=False)
    client = rec.wrap(driver.client(driver.wire(Reply(headers=STREAM_HEADERS, chunks=STREAM))))
    with client.stream("POST", URL, content=ASK) as response:
        next(chunks := response.iter_raw())
        for _ in range(5):
            make_calls(rec, 20)
            assert rec.flush()
        assert len(list(directory.glob("*.segment"))) <= 2
        assert sum(path.stat().st_size for path in directory.iterdir()) < 6_000
        for _ in chunks:
            pass
    assert rec.close()
    assert [row["outcome"] for row in Store(url).calls(limit=None)] == ["ok"] * 101
    assert not directory.exists()


def test_files_removed_under_a_recorder_cost_what_was_in_them(url: str, directory: Path) -> None:
    rec = recorder.Recorder(url)
    make_calls(rec, 3)
    assert rec.flush()
    for path in directory.iterdir():
        path.unlink()
    make_calls(rec, 2)
    rec.flush()
    lost = rec.lost
    make_calls(rec, 4)
    rec.flush()
    rec.close()
    assert stored(url) + lost == 9
    assert lost <= 2


def test_a_clock_that_goes_backwards_disturbs_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [time.time_ns()]

    def back() -> int:
        now[0] -= 3_600_000_000_000
        return now[0]

    with recorder.Recorder(url) as rec:
        monkeypatch.setattr(time, "time_ns", back)
        make_calls(rec, 20)
        assert rec.flush()
    assert stored(url) == 20


def test_a_call_that_cannot_be_read_later_is_counted(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(kept: Kept) -> Any:
        raise RuntimeError("bug")

    monkeypatch.setattr(Kept, "_read", fail)
    rec = recorder.Recorder(url)
    make_calls(rec, 2)
    assert not rec.flush()
    assert rec.lost == 2
    assert not rec.close()


def test_every_record_is_on_the_disk_itself_if_wanted(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr("recorder.ledger.journal.log.sync", synced.append)
    with recorder.Recorder(url, durability="power", drain="external") as rec:
        make_calls(rec, 3)
    assert len(synced) == 6


def test_another_process_may_store(url: str, directory: Path) -> None:
    rec = recorder.Recorder(url, drain="external")
    make_calls(rec, 3)
    assert rec.flush()
    assert not Path(url.removeprefix("sqlite:///")).exists()
    draining = Draining(url, directory)
    assert draining.run()
    make_calls(rec, 2)
    assert draining.run()
    assert (draining.stored, stored(url)) == (5, 5)
    rec.close()
    assert draining.run()
    assert draining.close()
    assert not directory.exists()


def test_a_signal_inside_an_append_may_make_a_call(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write, rec = Writing.write, recorder.Recorder(url)
    inner = [1]

    def interrupted(writing: Writing, file: int, data: bytes) -> int:
        if inner:
            inner.pop()
            make_calls(rec, 1)
        return write(writing, file, data)

    monkeypatch.setattr(Writing, "write", interrupted)
    make_calls(rec, 2)
    assert rec.close()
    assert stored(url) == 3


def test_where_a_journal_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECORDER_JOURNAL", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert journal_directory("sqlite:////data/calls.db") == Path("/data/calls.db.journal")
    assert journal_directory("sqlite://") is journal_directory("sqlite:////data/calls.db", False) is None
    one, other = (journal_directory(f"postgresql://u:{word}@db/calls") for word in ("old", "new"))
    assert one is not None
    assert one == other
    assert (one.parent, one.name.startswith("calls-")) == (tmp_path / "recorder" / "journal", True)
    monkeypatch.setenv("RECORDER_JOURNAL", "/var/journals")
    found = journal_directory("sqlite:////data/calls.db")
    assert found is not None
    assert found.parent == Path("/var/journals")
    monkeypatch.setenv("RECORDER_JOURNAL", "off")
    assert journal_directory("sqlite:////data/calls.db") is None


@pytest.mark.parametrize("options", [{"durability": "none"}, {"drain": "never"}])
def test_choices_that_there_are_not_are_refused(url: str, options: Any) -> None:
    with pytest.raises(SettingsError, match="or '"):
        recorder.Recorder(url, **options)
    with pytest.raises(SettingsError, match="needs a journal"):
        recorder.Recorder(url, journal=False, drain="external")


def run_recorder(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "recorder", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_status_tells_what_waits_and_drain_stores_it(url: str, directory: Path) -> None:
    leave_behind(url, 3)
    rec = recorder.Recorder(url, drain="external")
    make_calls(rec, 2)
    with (directory / "x-1-y.corrupt").open("wb") as file:
        file.write(b"?" * 7)
    told = json.loads(run_recorder("db", "status", "--store", url, "--format", "json").stdout)
    assert (told["records"], told["corrupt_bytes"], told["lost"]) == (5, 7, None)
    assert sorted((each["alive"], each["records"], each["segments"]) for each in told["owners"]) == [
        (False, 3, 1),
        (True, 2, 1),
    ]
    assert told["bytes"] > 0
    assert 0 <= told["oldest_s"] < 600
    text = run_recorder("db", "status", "--store", url).stdout
    assert "waiting  5 calls" in text
    assert f"recorder drain --store {url}" in text
    done = run_recorder("drain", "--store", url)
    assert (done.returncode, done.stdout) == (0, f"5 calls stored in {url}\n")
    rec.close()
    assert run_recorder("drain", "--store", url).stdout == f"0 calls stored in {url}\n"
    assert [path.name for path in directory.iterdir()] == ["x-1-y.corrupt"]


def test_drain_says_why_it_cannot_store(url: str, directory: Path) -> None:
    leave_behind(f"{url}/none/calls.db", 1, journal=str(directory))
    done = run_recorder("drain", "--store", f"{url}/none/calls.db", "--journal", str(directory))
    assert done.returncode == 1
    assert "does not exist" in done.stderr


@pytest.mark.parametrize("command", [("drain",), ("db", "status")])
def test_a_journal_that_is_named_must_be_a_directory(
    url: str, tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "file").write_text("")
    for name, said in (("file", "no directory"), ("nope", "there is no directory")):
        done = run_recorder(*command, "--store", url, "--journal", str(tmp_path / name))
        assert done.returncode == 2
        assert said in " ".join(done.stderr.replace("│", " ").split())


def test_a_file_in_the_place_of_the_journal_is_told(url: str, tmp_path: Path) -> None:
    Path(f"{sqlite_path(url)}.journal").write_text("")
    for command in (("drain",), ("db", "status")):
        done = run_recorder(*command, "--store", url)
        assert (done.returncode, "is none; move it away" in done.stderr) == (1, True)


def test_advice_can_be_pasted_into_a_shell(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/my calls.db"
    leave_behind(url, 1)
    advice = next(
        line for line in run_recorder("db", "status", "--store", url).stdout.splitlines() if "run: " in line
    )
    assert shlex.split(advice.partition("run: ")[2]) == ["recorder", "drain", "--store", url]


def test_drain_watches_for_what_comes(url: str, directory: Path) -> None:
    draining, rec = Draining(url, directory), recorder.Recorder(url, drain="external")
    rounds = iter([True, True, False])
    draining.watch(5.0, lambda: next(rounds), sleep=lambda _: make_calls(rec, 2))
    assert draining.close()
    assert stored(url) == 4
    rec.close()


def test_whoever_looks_sees_the_calls_of_ended_programs(url: str, directory: Path) -> None:
    leave_behind(url, 3)
    rec = recorder.Recorder(url, drain="external")
    make_calls(rec, 2)
    seen = run_recorder("ls", "--store", url, "--format", "json")
    assert len(json.loads(seen.stdout)) == 3
    assert seen.stderr == "3 calls of ended programs stored, from the journal\n"
    assert run_recorder("ls", "--store", url).stderr == ""
    assert [owner.records for owner in condition(directory).owners] == [2]
    rec.close()


def let_the_store_refuse(url: str, sql: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.execute(sql)
        connection.commit()


def test_what_the_store_refuses_is_kept_and_tried_again_when_asked(url: str, directory: Path) -> None:
    with recorder.Recorder(url) as rec:
        make_calls(rec, 1)
    leave_behind(url, 3)
    let_the_store_refuse(
        url, "CREATE TRIGGER no BEFORE INSERT ON calls BEGIN SELECT RAISE(ABORT, 'not now'); END"
    )
    seen = run_recorder("ls", "--store", url, "--format", "json")
    assert len(json.loads(seen.stdout)) == 1
    assert f"see: recorder db status --store {url}" in seen.stderr
    assert seen.stderr.count(" could not be stored: ") == 3
    assert f"recorder drain --refused --store {url}" in run_recorder("db", "status", "--store", url).stdout
    assert run_recorder("drain", "--store", url).stdout == f"0 calls stored in {url}\n"
    let_the_store_refuse(url, "DROP TRIGGER no")
    assert run_recorder("drain", "--refused", "--store", url).stdout == f"3 calls stored in {url}\n"
    assert stored(url) == 4
    assert not directory.exists()
