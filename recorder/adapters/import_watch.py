"""Patches libraries right after they are imported, however late that is."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import threading
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

Patch = Callable[[ModuleType], None]

_lock = threading.RLock()
_watched: list[tuple[tuple[str, ...], Patch]] = []


def watch_imports(names: tuple[str, ...], patch: Patch) -> None:
    """Call `patch` with each of these libraries: now if it is there already, else when it is imported."""
    with _lock:
        if (names, patch) not in _watched:
            _watched.append((names, patch))
        if _FINDER not in sys.meta_path:
            sys.meta_path.insert(0, _FINDER)
    for name in names:
        if (library := sys.modules.get(name)) is not None:
            patch(library)


def unwatch_imports(names: tuple[str, ...], patch: Patch) -> None:
    """Undo `watch_imports`; what was patched stays so."""
    with _lock:
        if (names, patch) in _watched:
            _watched.remove((names, patch))
        if not _watched and _FINDER in sys.meta_path:
            sys.meta_path.remove(_FINDER)


class _Finder(importlib.abc.MetaPathFinder):
    """Leaves the finding to those after it, and puts its loader around theirs."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not any(fullname in names for names, _ in tuple(_watched)):
            return None
        for finder in sys.meta_path:
            if finder is self:
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
        for names, patch in tuple(_watched):
            if module.__name__ in names:
                patch(module)

    def __getattr__(self, name: str) -> Any:
        if name == "_loader":
            raise AttributeError(name)
        return getattr(self._loader, name)


_FINDER = _Finder()
