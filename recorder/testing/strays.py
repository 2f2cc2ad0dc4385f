"""Threads that outlive the test which started them, and call from within the next one."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import FrameType
from weakref import WeakKeyDictionary

_left: WeakKeyDictionary[threading.Thread, str] = WeakKeyDictionary()


class Strays:
    """The threads of one test, and those of earlier ones that call from within it."""

    def __init__(self, test: str, root: Path) -> None:
        self._test = test
        self._root = root
        self._before = set(threading.enumerate())
        self._seen: dict[str, str] = {}

    def asked(self) -> bool:
        """Whether the thread that asks now was left behind by another test; remembered for `told`."""
        thread = threading.current_thread()
        if (test := _left.get(thread)) is None or test == self._test:
            return False
        self._seen[thread.name] = test
        return True

    def told(self) -> list[str]:
        """What there is to say of each."""
        return [
            f"thread {name!r} of {test} made calls during {self._test}; join it before its test ends"
            for name, test in self._seen.items()
        ]

    def leave(self) -> None:
        """The test ends; note which of its threads still run code of the suite, as idle workers of pools do not."""
        if not (new := set(threading.enumerate()) - self._before):
            return
        frames = sys._current_frames()
        for thread in new:
            if thread.ident is not None and self._runs_suite(frames.get(thread.ident)):
                _left.setdefault(thread, self._test)

    def _runs_suite(self, frame: FrameType | None) -> bool:
        while frame is not None:
            if of_suite(Path(frame.f_code.co_filename), self._root):
                return True
            frame = frame.f_back
        return False


def of_suite(file: Path, root: Path) -> bool:
    """Whether a file is the suite's own, not a library's."""
    return (
        file.is_relative_to(root) and "site-packages" not in file.parts and not file.is_relative_to(_RECORDER)
    )


_RECORDER = Path(__file__).parents[1]
