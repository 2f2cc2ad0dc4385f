"""The beginning of a test that replays a cassette file."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .calls import counted

_MOST_CALLS = 10
_FOLDER = "cassettes"


def test_stub(file: Path, rows: Sequence[Mapping[str, Any]]) -> str:
    """A few lines of Python: which file they belong into, the marker, and which calls are answered.

    All that comes from recordings is in it as ASCII in comments, so that it cannot become code.
    """
    place, name, marker = _names(file)
    calls = [f"    #   {_call(row)}" for row in rows[:_MOST_CALLS]]
    if len(rows) > _MOST_CALLS:
        calls.append(f"    #   and {len(rows) - _MOST_CALLS} more")
    lines = [
        f"# {json.dumps(place)[1:-1]}",
        "import pytest",
        "",
        "",
        f"@pytest.mark.recorded{marker}",
        f"def {name}() -> None:",
        f"    # {counted(len(rows), 'call')} from production, answered as recorded:",
        *calls,
        "    answer = ...  # run the code that made them",
        "    assert answer",
    ]
    return "\n".join(lines)


test_stub.__test__ = False  # type: ignore[attr-defined]  # pytest takes the name for a test's


def _names(file: Path) -> tuple[str, str, str]:
    """The test's file, its name, and what the marker needs to find the cassette."""
    parts = file.parts
    if len(parts) >= 3 and parts[-3] == _FOLDER and parts[-1].endswith(".yaml") and _is_test(file.stem):
        return _joined(*parts[:-3], f"{parts[-2]}.py"), file.stem, ""
    name = "test_" + (re.sub(r"\W+", "_", file.stem).strip("_").removeprefix("test_") or "replayed")
    above = parts.index(_FOLDER) if _FOLDER in parts else len(parts) - 1
    path = _joined(*parts[above:])
    return _joined(*parts[:above], f"{name}.py"), name, f"(path={json.dumps(path)})"


def _is_test(name: str) -> bool:
    return name.startswith("test") and name.isidentifier()


def _joined(*parts: str) -> str:
    return os.path.join(*parts).replace(os.sep, "/")


def _call(row: Mapping[str, Any]) -> str:
    model = row["response_model"] or row["request_model"] or "unknown model"
    at = f"{row['provider'] or row['host']}"
    status = row["error_type"] or row["outcome"]
    return json.dumps(f"{model} at {at}: {status}")[1:-1]
