"""What becomes of recordings, and of what the block raised, when a cassette cannot be kept."""

from __future__ import annotations

import linecache
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import httpx2
import pytest

import recorder
from recorder import CassetteError
from recorder.adapters import tripwire
from recorder.cassettes import Session, Slot
from recorder.cassettes.file import FileCassette
from recorder.cassettes_in_use import context_sessions
from recorder.redact import Redactor

from .cassette_sources import MemoryCassette, a_recording, ask
from .drivers import URL
from .test_replay import ask as body

OURS = str(Path(recorder.__file__).parent)
installing = import_module("recorder.adapters.install")


def client() -> httpx2.Client:
    return httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200, json={"id": "live"})))


def use(source: Any, mode: Any, then: Callable[[httpx2.Client], object], **options: Any) -> None:
    """Ask once, and then do this."""
    with recorder.cassette(source, mode, **options) as cassette:
        wrapped = cassette.wrap(client())
        wrapped.post(URL, content=body("b"))
        then(wrapped)


def raise_(error: type[BaseException]) -> object:
    raise error


def recordings(path: str | Path) -> int:
    return len(FileCassette(path).load() or ())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "answers.yaml"
    use(path, "once", lambda _: None)
    return path


@pytest.mark.parametrize("raised", [KeyboardInterrupt, KeyError, AssertionError])
def test_what_the_block_raises_comes_out_although_the_file_is_broken_by_now(
    path: Path, raised: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(raised):
        use(path, "rewrite", lambda _: [path.write_text("garbage"), raise_(raised)])
    assert path.read_text() == "garbage"
    assert f"its block raised {raised.__name__}; what was recorded is in" in caplog.text
    assert recordings(f"{path}.rej") == 1


@pytest.mark.parametrize("raised", [KeyboardInterrupt, ZeroDivisionError])
def test_what_the_block_raises_comes_out_although_nothing_can_be_written(
    path: Path, raised: type[BaseException], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("os.fsync", _no_space)
    with pytest.raises(raised):
        use(path, "rewrite", lambda _: raise_(raised))
    assert "what was recorded is lost: cassette" in caplog.text
    assert "No space left" in caplog.text


def test_what_the_block_raises_comes_out_although_its_source_fails() -> None:
    class Failing(MemoryCassette):
        def reject(self, recordings: object) -> str:
            raise LookupError

    with pytest.raises(ZeroDivisionError):
        use(Failing(), "rewrite", lambda _: raise_(ZeroDivisionError))


def test_recordings_for_a_file_that_broke_meanwhile_go_beside_it(path: Path) -> None:
    with pytest.raises(CassetteError, match=r"answers.yaml.*; what was recorded is in .*answers\.yaml\.rej"):
        use(path, "all", lambda _: path.write_text("garbage"))
    assert path.read_text() == "garbage"
    assert recordings(f"{path}.rej") == 1


def test_recordings_that_their_folder_cannot_hold_go_to_a_temporary_one(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    with pytest.raises(CassetteError, match="what was recorded is in") as caught:
        use(folder / "c.yaml", "once", lambda _: folder.write_text("in the way"))
    found = re.search(r"is in (.*)$", str(caught.value))
    assert found is not None
    assert recordings(found[1]) == 1
    Path(found[1]).unlink()
    Path(found[1]).parent.rmdir()


@pytest.mark.parametrize("mode", ["rewrite", "new_episodes", "all"])
def test_a_call_that_could_not_be_recorded_keeps_the_old_file(
    path: Path, mode: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()

    def lose(client: httpx2.Client) -> None:
        client.post(URL, content=body("c"))
        monkeypatch.setattr(Redactor, "exchange", _fail)
        assert client.post(URL, content=body("d")).status_code == 200

    with pytest.raises(
        CassetteError, match="is not kept, since 1 of its calls could not be recorded: recorder"
    ):
        use(path, mode, lose)
    assert path.read_bytes() == before
    assert recordings(f"{path}.rej") == 2


def test_a_call_that_could_not_even_be_begun_keeps_the_old_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "find", _fail)
    with pytest.raises(CassetteError, match="1 of its calls could not be recorded"):
        use(path, "rewrite", lambda _: None)
    assert recordings(path) == 1


def test_lost_calls_are_counted_and_the_others_are_put_beside() -> None:
    source = MemoryCassette([a_recording(ask(n=0))])
    session = Session(source, "rewrite")
    slot = session.find(ask(n=1))
    assert isinstance(slot, Slot)
    slot.fill(a_recording(ask(n=1)).exchange, "")
    session.lose("no idea why")
    with pytest.raises(CassetteError, match=r"no idea why; what was recorded is in memory\.rej"):
        session.close(save=True)
    assert session.report.failed == 1
    assert source.kept == (a_recording(ask(n=0)),)
    assert source.rejected == (a_recording(ask(n=1)),)


def test_a_mistake_in_a_function_of_the_users_stops_the_call(path: Path) -> None:
    def broken(asked: object, recorded: object) -> bool:
        raise TypeError("a bug")

    with pytest.raises(TypeError, match="a bug"):
        use(path, "new_episodes", lambda _: None, match=("method", broken))
    assert recordings(path) == 1


class Interrupt:
    """Traces one function of a cassette and all that it calls of ours, and interrupts at the n-th line.

    Not where a `with` ends, though: there tracing interrupts before the lock is released, which no signal can.
    """

    def __init__(self, function: str, line: int) -> None:
        self.function = function
        self.left = line
        self.opened: set[tuple[FrameType, int]] = set()

    def __call__(self, frame: FrameType, event: str, _: object) -> Any:
        callers: FrameType | None = frame
        while callers is not None and callers.f_code.co_name != self.function:
            callers = callers.f_back
        file = frame.f_code.co_filename
        ours = file.startswith((OURS, str(Path(import_module("contextlib").__file__ or ""))))
        return self.at_line if callers is not None and ours else None

    def at_line(self, frame: FrameType, event: str, _: object) -> Any:
        if event != "line" or self.ends_with(frame):
            return self.at_line
        self.left -= 1
        if self.left == 0:
            self.left = -1
            raise KeyboardInterrupt
        return self.at_line

    def ends_with(self, frame: FrameType) -> bool:
        place = frame, frame.f_lineno
        if not linecache.getline(frame.f_code.co_filename, frame.f_lineno).lstrip().startswith("with "):
            return False
        ends = place in self.opened
        self.opened ^= {place}
        return ends


def patched() -> list[object]:
    return [httpx2.Client._transport_for_url, httpx2.HTTPTransport.handle_request, *sys.meta_path]


@pytest.fixture
def interrupt() -> Iterator[Callable[[str, int], None]]:
    before = sys.gettrace()
    yield lambda function, line: sys.settrace(Interrupt(function, line))
    sys.settrace(before)


@pytest.mark.parametrize("function", ["_put_in", "_take_out"])
def test_an_interrupt_at_any_line_leaves_nothing_installed(
    path: Path, function: str, interrupt: Callable[[str, int], None]
) -> None:
    before = patched()
    for line in range(1, 1000):
        cassette, covered = recorder.cassette(path, install=True), client()
        interrupt(function, line)
        try:
            with cassette:
                cassette.wrap(covered)
            break
        except KeyboardInterrupt:
            sys.settrace(None)
        assert (context_sessions(), cassette._recording.cassettes.sessions) == ((), [])
        assert (installing._installed, tripwire._armed) == ([], [])
        assert patched() == before
        assert type(covered._transport) is httpx2.MockTransport
    assert 20 < line < 999


def _fail(*_: object) -> Any:
    raise ValueError


def _no_space(_: int) -> None:
    raise OSError(28, "No space left on device")
