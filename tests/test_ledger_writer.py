from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from recorder.errors import StoreError
from recorder.ledger.bell import Bell, Ticket
from recorder.ledger.store import Store
from recorder.ledger.writer import Writer

from .databases import execute
from .ledger_calls import Read, a_call, an_exchange, put_calls, record, store_calls, write_many

ROOM = 64 << 20


class Trouble:
    """What a writer waits for between attempts: next to nothing, and the test is told of it."""

    def __init__(self) -> None:
        self.failed = threading.Event()

    def pause(self, failures: int) -> float:
        self.failed.set()
        return 0.005


@pytest.fixture
def trouble() -> Trouble:
    return Trouble()


@pytest.fixture
def make(trouble: Trouble) -> Iterator[Callable[..., Writer]]:
    writers: list[Writer] = []

    def make(url: str, queue_bytes: int = ROOM, **options: Any) -> Writer:
        writers.append(Writer(url, queue_bytes, pause=trouble.pause, **options))
        return writers[-1]

    yield make
    for writer in writers:
        writer.close(0.0)


@pytest.fixture
def writer(make: Callable[..., Writer], url: str) -> Writer:
    return make(url)


@contextmanager
def as_plain_user(directory: Path) -> Iterator[None]:
    """Be nobody who may write there: for root, permissions are no hindrance."""
    if os.geteuid():
        yield
        return
    for parent in (directory, *directory.parents):
        if parent.stat().st_mode & 0o005 != 0o005:
            pytest.skip(f"{parent} is closed to plain users")
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user can look into."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path
        path.chmod(0o755)


def ids(url: str) -> list[str]:
    return [row["id"] for row in Store(url).calls(limit=None, newest_first=False)]


def test_what_is_put_is_stored(writer: Writer, url: str) -> None:
    put = put_calls(writer, 20)
    assert writer.flush()
    assert ids(url) == put
    assert Store(url).exchange(put[0]) == an_exchange()
    assert (writer.stored, writer.lost, writer.last_error) == (20, 0, None)


@pytest.mark.usefixtures("absent")
def test_nothing_is_opened_before_the_first_record(
    url: str, tmp_path: Path, make: Callable[..., Writer]
) -> None:
    writer = make(url)
    assert writer.flush()
    assert writer.close()
    assert list(tmp_path.iterdir()) == []


def test_importing_the_writer_imports_no_database() -> None:
    program = (
        "import sys, recorder.ledger.writer, recorder.ledger.url\n"
        "print([name for name in ('sqlalchemy', 'alembic', 'sqlite3') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"


def test_alembic_is_imported_only_to_migrate(url: str) -> None:
    store_calls(url, a_call())
    program = (
        "import sys; from tests.ledger_calls import a_call, store_calls\n"
        f"store_calls({url!r}, a_call(id='other')); print('alembic' in sys.modules)"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root, timeout=60
    )
    assert done.stdout == "False\n"


def test_a_record_put_twice_is_stored_once(writer: Writer, url: str) -> None:
    call = a_call()
    for _ in range(2):
        writer.put(record(call))
        assert writer.flush()
    assert ids(url) == [call.id]


def test_a_backlog_longer_than_a_batch_is_stored_in_order(writer: Writer, url: str) -> None:
    put = put_calls(writer, 1_234)
    assert writer.close(30.0)
    assert ids(url) == put


def test_flush_ends_the_wait_for_company(make: Callable[..., Writer], url: str) -> None:
    writer = make(url, linger_s=3600.0)
    put_calls(writer, 1)
    assert writer.flush(30.0)


def test_a_relative_path_means_the_directory_of_the_beginning(
    make: Callable[..., Writer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    writer = make("sqlite:///calls.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    put_calls(writer, 1)
    assert writer.flush()
    assert (tmp_path / "calls.db").exists()


def test_a_store_in_memory_is_written_and_read_by_different_threads(make: Callable[..., Writer]) -> None:
    writer = make("sqlite://")
    put = put_calls(writer, 3)
    assert writer.flush()
    assert ids("sqlite://") == put
    put += put_calls(writer, 300)
    while len(ids("sqlite://")) < 303:
        assert writer.flush()
    assert ids("sqlite://") == put


def test_a_closed_writer_refuses_and_counts(writer: Writer, url: str) -> None:
    put = put_calls(writer, 1)
    assert writer.close()
    put_calls(writer, 2)
    assert (writer.lost, writer.flush()) == (2, False)
    assert ids(url) == put
    assert writer.close()


def test_a_malformed_url_fails_at_once() -> None:
    with pytest.raises(StoreError, match=r"write sqlite:///calls\.db"):
        Writer("calls.db", ROOM)


def test_work_runs_in_the_writers_thread_and_before_a_flush_ends(writer: Writer, url: str) -> None:
    names: list[str] = []
    writer.call_soon(lambda: names.append(threading.current_thread().name))
    writer.call_soon(lambda: writer.put(record(a_call())))
    assert writer.flush()
    assert names == ["recorder-writer"]
    assert len(ids(url)) == 1


def test_a_flush_waits_for_work_that_the_thread_takes_up_meanwhile(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, asked = threading.Event(), threading.Event()
    done: list[bool] = []

    def work() -> None:
        begun.set()
        done.append(asked.wait(10))

    def heard_by_now(bell: Bell) -> bool:
        monkeypatch.undo()
        writer.call_soon(work)
        assert begun.wait(10)
        return bell.quiet

    def ask() -> Ticket:
        asked.set()
        return Bell.ask(writer._bell)

    monkeypatch.setattr(Bell, "quiet", property(heard_by_now))
    writer._bell.ask = ask  # type: ignore[method-assign]
    assert writer.flush()
    assert done == [True]


def test_work_is_taken_from_a_finalizer(writer: Writer) -> None:
    done = threading.Event()

    class Forgotten:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            writer.call_soon(done.set)

    Forgotten()
    gc.collect()
    assert done.wait(10)


def test_work_after_the_end_is_still_done(writer: Writer) -> None:
    put_calls(writer, 1)
    assert writer.close()
    done = threading.Event()
    writer.call_soon(done.set)
    assert done.wait(10)


def test_work_that_fails_is_logged_and_stops_nothing(
    writer: Writer, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ValueError("out of order")

    writer.call_soon(fail)
    put_calls(writer, 1)
    assert writer.flush()
    assert len(ids(url)) == 1
    assert "could not finish a call" in caplog.text


def test_flushing_from_the_writers_thread_does_not_wait(writer: Writer) -> None:
    answers: list[bool] = []
    put_calls(writer, 1)
    writer.call_soon(lambda: answers.append(writer.flush(None)))
    assert writer.flush()
    assert len(answers) == 1


@pytest.mark.parametrize("poison", [{"outcome": None}, {"id": None}, {"answer": None}, {"started_us": 2**63}])
def test_one_bad_record_does_not_hold_up_the_others(
    make: Callable[..., Writer], url: str, poison: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    writer = make(url, linger_s=3600.0)
    put = put_calls(writer, 37)
    writer.put(record(a_call(**poison)))
    put += put_calls(writer, 50)
    assert not writer.flush(30.0)
    assert ids(url) == put
    assert (writer.lost, writer.stored) == (1, 87)
    assert caplog.text.count("could not be stored") == 1
    assert writer.flush()
    assert Store(url).losses() == 1


def test_a_locked_database_is_waited_for(
    make: Callable[..., Writer], sqlite_url: str, tmp_path: Path, trouble: Trouble
) -> None:
    url = sqlite_url
    store_calls(url, a_call())
    other = sqlite3.connect(tmp_path / "calls.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    writer = make(url + "?timeout=0.01")
    put_calls(writer, 5)
    assert trouble.failed.wait(30)
    assert not writer.flush(0.05)
    assert "locked by another program" in str(writer.last_error)
    other.execute("ROLLBACK")
    other.close()
    assert writer.flush(30.0)
    assert (len(ids(url)), writer.lost) == (6, 0)


def test_a_store_that_cannot_be_opened_is_tried_again(
    make: Callable[..., Writer], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path}/later/calls.db"
    size = record(a_call()).size
    writer = make(url, 10 * size)
    put = put_calls(writer, 7)
    assert not writer.flush(30.0)
    assert not writer.flush(30.0)
    assert "does not exist; create it" in str(writer.last_error)
    put += put_calls(writer, 5)[:3]
    assert writer.lost == 2
    (tmp_path / "later").mkdir()
    assert not writer.flush(30.0)
    assert writer.flush(30.0)
    assert ids(url) == put
    assert Store(url).losses() == 2
    assert caplog.text.count("calls wait to be stored") == 1


def test_the_row_of_a_loss_says_why(make: Callable[..., Writer], url: str) -> None:
    writer = make(url, 1)
    put_calls(writer, 3)
    assert not writer.flush()
    rows = execute(url, "SELECT calls, pid, reason FROM losses")
    assert (sum(row[0] for row in rows), rows[0][1]) == (3, os.getpid())
    assert "more than 1 bytes were waiting" in rows[0][2]


def test_what_is_unstored_at_the_end_is_lost_and_said_once(
    make: Callable[..., Writer], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = make(f"sqlite:///{tmp_path}/no/calls.db")
    put_calls(writer, 3)
    assert not writer.close(30.0)
    assert not writer.close(30.0)
    assert writer.lost == 3
    said = [each.getMessage() for each in caplog.records if "were not stored" in each.getMessage()]
    assert len(said) == 1
    assert said[0].startswith(f"3 calls were not stored in sqlite:///{tmp_path}/no/calls.db: the directory")


def test_a_full_disk_is_waited_for(
    make: Callable[..., Writer], sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    store_calls(sqlite_url, a_call())
    pages = 60

    def limit(connection: sqlite3.Connection, record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(Engine, "connect", limit)
    try:
        writer = make(sqlite_url)
        for _ in range(40):
            writer.put(Read(an_exchange(os.urandom(20_000)), a_call(), size=45_000))
        assert not writer.flush(30.0)
        assert "no space left" in str(writer.last_error)
        pages = 1_000_000
        assert writer.flush(30.0)
    finally:
        event.remove(Engine, "connect", limit)
    assert (len(ids(sqlite_url)), writer.lost) == (41, 0)
    assert caplog.text.count("calls wait to be stored") == 1


def test_a_full_device_is_waited_for(make: Callable[..., Writer], tmp_path: Path) -> None:
    device = tmp_path / "device"
    device.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=768k", "tmpfs", device], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small file system needs root to be mounted")
    try:
        url = f"sqlite:///{device}/calls.db"
        writer = make(url)
        put_calls(writer, 1)
        assert writer.flush(30.0)
        for _ in range(40):
            writer.put(Read(an_exchange(os.urandom(20_000)), a_call(), size=45_000))
        assert not writer.flush(30.0)
        assert "no space left" in str(writer.last_error)
        subprocess.run(["mount", "-o", "remount,size=16m", device], check=True)
        assert writer.close(30.0)
        assert len(ids(url)) == 41
    finally:
        subprocess.run(["umount", "-l", device], check=True)


def test_a_read_only_file_is_explained_and_can_be_read(
    make: Callable[..., Writer], open_directory: Path
) -> None:
    url = f"sqlite:///{open_directory}/calls.db"
    call = a_call()
    store_calls(url, call)
    (open_directory / "calls.db").chmod(0o444)
    open_directory.chmod(0o555)
    with as_plain_user(open_directory):
        writer = make(url)
        put_calls(writer, 1)
        assert not writer.flush(30.0)
        assert "cannot be written; allow writing" in str(writer.last_error)
        assert ids(url) == [call.id]
        assert Store(url).exchange(call.id) == an_exchange()
        assert Store(url).check() == []
        writer.close()


def test_a_damaged_file_is_explained(make: Callable[..., Writer], sqlite_url: str, tmp_path: Path) -> None:
    store_calls(sqlite_url, *(a_call() for _ in range(200)))
    path = tmp_path / "calls.db"
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)
    writer = make(sqlite_url)
    put_calls(writer, 1)
    assert not writer.flush(30.0)
    assert "is damaged" in str(writer.last_error)
    assert "recorder db check" in str(writer.last_error)


def test_a_newer_store_is_left_alone(make: Callable[..., Writer], url: str) -> None:
    store_calls(url, a_call())
    execute(url, "UPDATE recorder_schema SET version_num = '9999'")
    writer = make(url)
    put_calls(writer, 1)
    assert not writer.flush(30.0)
    assert "newer recorder" in str(writer.last_error)


def test_a_file_removed_in_between_is_made_anew(
    make: Callable[..., Writer], sqlite_url: str, tmp_path: Path
) -> None:
    writer = make(sqlite_url)
    put_calls(writer, 1)
    assert writer.flush()
    for path in tmp_path.iterdir():
        path.unlink()
    put = put_calls(writer, 1)
    assert writer.flush()
    assert ids(sqlite_url) == put


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_stores_its_own_calls_and_none_twice(make: Callable[..., Writer], url: str) -> None:
    writer = make(url, linger_s=3600.0)
    put = put_calls(writer, 2)
    assert writer.flush(30.0)
    put += put_calls(writer, 3)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            writer.put(record(a_call(id="of the child")))
            status = 0 if writer.close(30.0) and (writer.stored, writer.lost) == (1, 0) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert writer.flush(30.0)
    assert sorted(ids(url)) == sorted([*put, "of the child"])
    assert Store(url).check() == []


@pytest.mark.usefixtures("absent")
def test_processes_that_begin_together_lose_nothing(url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(2)
    names = ("one", "two")
    processes = [spawn.Process(target=write_many, args=(url, name, 2_000, barrier)) for name in names]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]
    assert sorted(ids(url)) == sorted(f"{name}-{position}" for name in names for position in range(2_000))
    assert Store(url).losses() == 0


PROGRAM = """
import atexit, sys
from recorder.ledger.writer import Writer
from tests.ledger_calls import put_calls

writer = Writer(sys.argv[1], 64 << 20)
if sys.argv[2] == "close":
    atexit.register(writer.close)
put_calls(writer, 1000)
"""


@pytest.mark.parametrize("at_exit", ["close", "forget"])
def test_a_process_ends_without_a_word(url: str, at_exit: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, url, at_exit],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    if at_exit == "close":
        assert len(ids(url)) == 1_000


def test_draining_is_fast_enough(writer: Writer, url: str) -> None:
    put_calls(writer, 1)
    assert writer.flush()
    began = time.perf_counter()
    put_calls(writer, 5_000)
    assert writer.flush(60.0)
    assert 5_000 / (time.perf_counter() - began) > 1_500  # over 10,000 a second on a machine of its own


def test_interpreter_that_starts_no_threads_any_more_still_stores(
    make: Callable[..., Writer], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    writer = make(url)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        put_calls(writer, 2)
        assert writer.flush()
    put_calls(writer, 1)
    assert writer.flush()
    assert len(ids(url)) == 3


def test_a_lock_that_passes_is_not_warned_of(caplog: pytest.LogCaptureFixture, writer: Writer) -> None:
    with caplog.at_level(logging.WARNING, "recorder"):
        put_calls(writer, 10)
        assert writer.close()
    assert caplog.records == []
