"""Records a program that stays as it is: `recorder run` puts this file's directory on the program's path.

Python imports a module of this name when it starts. Nothing of recorder is loaded before the program
imports httpx or httpx2, and whatever goes wrong here costs the program one line on standard error. The
syntax is that of older Pythons than recorder needs, since this runs in whatever Python the program has.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.machinery import PathFinder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HERE = os.path.dirname(os.path.abspath(__file__))
_PACKAGE = os.path.dirname(os.path.dirname(_HERE))
_MARK = os.path.join("cli", "site", "sitecustomize.py")
_LIBRARIES = ("httpx", "httpx2")
_NEEDED = ("msgspec", "sqlalchemy", "alembic", "opentelemetry")


class RecorderStarter:
    """Starts to record when one of the libraries is first looked for."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Start if the library is there, then find it as if nobody had been in between."""
        if name not in _LIBRARIES or self._find(name, path, target) is None:
            return None
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not self]
        start()
        # A finder that `install` has put in front would be skipped by the search that is going on.
        return self._find(name, path, target)

    def _find(self, name: str, path: Any, target: Any) -> Any:
        for finder in list(sys.meta_path):
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find is not None else None
            if spec is not None:
                return spec
        return None


def start() -> None:
    """Record every client of this process from now on."""
    try:
        recorder = find_recorder()
        if recorder is not None:
            if os.environ.get("RECORDER_RUN_OTEL") == "1":
                set_telemetry_up()
            recorder.Recorder().install()
    except Exception as error:  # noqa: BLE001 - the program has to go on
        say(f"{type(error).__name__}: {error}; the program runs unrecorded")


def set_telemetry_up() -> None:
    """Export spans, metrics and events as the environment says; the package is there."""
    try:
        importlib.import_module("recorder.telemetry.sdk_setup").set_up()
    except Exception as error:  # noqa: BLE001 - the program has to go on
        say(f"{type(error).__name__}: {error}; the program runs without spans")


def find_recorder() -> Any:
    """The package that is installed here, else the one around this file; None where neither can work."""
    spec = importlib.util.find_spec("recorder")
    if spec is not None:
        homes = list(spec.submodule_search_locations or ())
        if any(os.path.exists(os.path.join(home, _MARK)) for home in homes):
            return importlib.import_module("recorder")
        say(f"{spec.origin} is another module named recorder; the program runs unrecorded")
        return None
    if sys.version_info < (3, 11):  # noqa: UP036 - this runs in the Python of the program
        say("it needs Python 3.11; the program runs unrecorded")
        return None
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        say(
            f"{sys.executable} lacks {', '.join(missing)}; the program runs unrecorded. "
            "Install llm-flight-recorder there"
        )
        return None
    # Only the package, not the directory that it lies in: that has others, made for another Python.
    spec = importlib.util.spec_from_file_location(
        "recorder", os.path.join(_PACKAGE, "__init__.py"), submodule_search_locations=[_PACKAGE]
    )
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["recorder"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def say(text: str) -> None:
    """One line on standard error, if there is one."""
    if sys.stderr is not None:
        sys.stderr.write("recorder: " + " ".join(text.split()) + "\n")


def run_next() -> None:
    """Run the sitecustomize that would have run without this one; what it raises is its own affair."""
    sys.path[:] = [path for path in sys.path if os.path.realpath(path) != os.path.realpath(_HERE)]
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        module = sys.modules["sitecustomize"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)


if not any(type(finder).__name__ == "RecorderStarter" for finder in sys.meta_path):
    if any(name in sys.modules for name in _LIBRARIES):
        start()
    else:
        sys.meta_path.insert(0, RecorderStarter())
run_next()
