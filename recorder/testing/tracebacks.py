"""Tracebacks of misses, as short as they are of use."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from ..errors import CassetteMiss
from .strays import of_suite


def shorten(call: pytest.CallInfo[Any], root: Path) -> None:
    """Let the traceback of a miss end at the suite's own line, not deep inside an SDK."""
    if call.excinfo is None or not isinstance(miss := call.excinfo.value, CassetteMiss):
        return
    entries: list[TracebackType] = []
    entry = miss.__traceback__
    while entry is not None:
        entries.append(entry)
        entry = entry.tb_next
    while entries and not of_suite(Path(entries[-1].tb_frame.f_code.co_filename), root):
        entries.pop()
    kept = None
    for entry in reversed(entries):
        kept = TracebackType(kept, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    if kept is not None:
        call.excinfo = pytest.ExceptionInfo.from_exception(miss.with_traceback(kept))
