"""Record every client of the process, whoever creates it: the transport that a client chooses is wrapped on the way."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import threading
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from ..cassettes import Session
from ..recording import Recording
from .clients import keeps_store, wrap_transport

_LIBRARIES = ("httpx", "httpx2")
_CLIENTS = ("Client", "AsyncClient")
_METHOD = "_transport_for_url"

_lock = threading.RLock()
_installed: list[tuple[Recording, Session | None]] = []
_originals: dict[type, Any] = {}


def install(recording: Recording, session: Session | None = None) -> None:
    """From now on all clients record, those that exist and those to come; a second time changes nothing."""
    with _lock:
        if (recording, session) in _installed:
            return
        _installed.append((recording, session))
        _watch_imports()
        for name in _LIBRARIES:
            if (library := sys.modules.get(name)) is not None:
                patch(library)


def uninstall(recording: Recording, session: Session | None = None) -> None:
    """Undo `install`; when nobody needs them any more, the libraries are again as they were."""
    with _lock:
        if (recording, session) in _installed:
            _installed.remove((recording, session))
        if _installed:
            return
        sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Watcher)]
        for kind, original in _originals.items():
            if getattr(kind.__dict__.get(_METHOD), "recorder_patched", False):
                setattr(kind, _METHOD, original)
        _originals.clear()


def patch(library: ModuleType) -> None:
    """Let the library's clients hand their requests to recording transports."""
    with _lock:
        for name in _CLIENTS:
            kind = getattr(library, name, None)
            if isinstance(kind, type) and kind not in _originals and _METHOD in kind.__dict__:
                _originals[kind] = kind.__dict__[_METHOD]
                setattr(kind, _METHOD, _choosing(_originals[kind]))


def _choosing(original: Any) -> Any:
    def _transport_for_url(client: Any, url: Any) -> Any:
        transport = original(client, url)
        for recording, session in tuple(_installed):
            with recording.guard:
                if session is not None or not keeps_store(transport, recording.settings.store):
                    transport = wrap_transport(transport, recording, session)
        return transport

    _transport_for_url.recorder_patched = True  # type: ignore[attr-defined]
    return _transport_for_url


class _Watcher(importlib.abc.MetaPathFinder):
    """Patches the libraries when they are imported after `install`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in _LIBRARIES:
            return None
        for finder in sys.meta_path:
            if isinstance(finder, _Watcher):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _PatchingLoader(spec.loader)
                return spec
        return None


class _PatchingLoader(importlib.abc.Loader):
    """Another loader, after which the module is patched."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        patch(module)

    def __getattr__(self, name: str) -> Any:
        if name == "_loader":
            raise AttributeError(name)
        return getattr(self._loader, name)


def _watch_imports() -> None:
    if not any(isinstance(finder, _Watcher) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Watcher())
