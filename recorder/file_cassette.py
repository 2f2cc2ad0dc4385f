"""Cassettes kept in files: `recorder.cassette(path)`, which opens no store."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Unpack
from weakref import WeakValueDictionary

from .cassette_context import Cassette
from .cassettes import CassetteOptions, CassetteSource, Mode, use
from .errors import SettingsError
from .recording import Recording
from .settings import RedactionRules, Settings
from .telemetry import Telemetry, cassette_telemetry

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

_lock = threading.Lock()
_recordings: WeakValueDictionary[tuple[object, ...], Recording] = WeakValueDictionary()


def cassette(
    path: str | os.PathLike[str] | CassetteSource,
    mode: Mode = "none",
    *,
    redact: RedactionRules | bool = True,
    providers: Mapping[str, str] | None = None,
    record_paths: str | Iterable[str] = (),
    tracer_provider: TracerProvider | None = None,
    **options: Unpack[CassetteOptions],
) -> Cassette:
    """A cassette kept in a file, to be entered with `with`; the file is made for people and git.

    Modes: `none` only replays; `once` records if there is no such file, else replays; `new_episodes`
    replays and records what is new; `all` records all; `rewrite` starts afresh. `redact`, `providers`
    and `record_paths` are as a Recorder has them; `CassetteOptions` says what the other options do. With a
    `tracer_provider` each call has a span, marked `recorder.replayed` where it was replayed. In place of a
    path, another source of recordings can be given.

    Raises SettingsError or CassetteError for an option that cannot be used; entering it raises
    CassetteMissing where mode `none` finds no file.
    """
    paths = (record_paths,) if isinstance(record_paths, str) else record_paths
    if not isinstance(paths, Iterable) or not isinstance(providers or {}, Mapping):
        raise SettingsError("record_paths are endings of paths, and providers a mapping of hosts to names")
    recording = _recording(redact, providers or {}, paths, tracer_provider)
    return Cassette(recording, _source(path), use(mode, options))


def _source(path: str | os.PathLike[str] | CassetteSource) -> CassetteSource:
    if not isinstance(path, str | os.PathLike):
        return path
    from .cassettes.file import FileCassette  # brings a YAML library along

    return FileCassette(path)


def _recording(
    redact: RedactionRules | bool,
    providers: Mapping[str, str],
    record_paths: Iterable[str],
    tracer_provider: TracerProvider | None,
) -> Recording:
    """One for all cassettes with the same settings, so that the context chooses between them."""
    settings = Settings(
        store="",
        providers=dict(providers),
        record_paths=tuple(record_paths),
        redact=RedactionRules() if redact is True else redact or None,
        strict=os.environ.get("RECORDER_STRICT") == "1",
    )
    traced = None if tracer_provider is None else cassette_telemetry(tracer_provider)
    key = (
        tuple(sorted(providers.items())),
        settings.record_paths,
        settings.redact,
        settings.strict,
        id(tracer_provider),  # which the Recording keeps alive
    )
    with _lock:
        found = _recordings.get(key)
        if found is None:
            found = _recordings[key] = Recording(
                settings, telemetry=None if traced is None else lambda redactor: Telemetry(redactor, traced)
            )
        return found


def _begin_in_child() -> None:
    global _lock
    _lock = threading.Lock()
    for recording in list(_recordings.values()):
        recording.begin_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
