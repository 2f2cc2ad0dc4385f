"""Zero-code: what `opentelemetry-instrument` and distros switch on, like any other instrumentation."""

from __future__ import annotations

import atexit
import os
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from . import adapters
from .recorder import Recorder
from .recording import Recording
from .settings import Settings
from .telemetry import Telemetry, TelemetryOptions, telemetry_settings

if TYPE_CHECKING:

    class BaseInstrumentor:
        """OpenTelemetry's own, or what stands for it."""

        def instrument(self, **options: Any) -> None: ...

        def uninstrument(self, **options: Any) -> None: ...

else:
    try:
        from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
    except ImportError:  # only those that call it themselves get here

        class BaseInstrumentor:
            """What is used of OpenTelemetry's class of this name, where that is not installed."""

            def instrument(self, **options: Any) -> None:
                self._instrument(**options)

            def uninstrument(self, **options: Any) -> None:
                self._uninstrument(**options)


_NO_STORE = "opentelemetry"
"""Stands for the store of a Recording that has none, so that nobody else's is taken for it."""


class RecorderInstrumentor(BaseInstrumentor):
    """Makes spans, metrics and events of all model calls of the process, by every client.

    Rows are kept only where `$RECORDER_STORE` names a store, or `store` does. The other options are those
    of a Recorder that are about OpenTelemetry; `opentelemetry-instrument` gives none, and the standard
    environment variables hold.
    """

    _recorder: Recorder | None = None
    _recording: Recording | None = None

    def instrumentation_dependencies(self) -> Collection[str]:
        """None: httpx and httpx2 are covered when they are imported."""
        return ()

    def _instrument(self, **options: Any) -> None:
        if self._recorder is not None or self._recording is not None:
            return
        store = options.get("store") or os.environ.get("RECORDER_STORE")
        known = TelemetryOptions.__annotations__
        telemetry: Any = {name: value for name, value in options.items() if name in known}
        if store:
            self._recorder = Recorder(store, **telemetry)
            self._recorder.install()
            return
        settings = telemetry_settings(telemetry)
        self._recording = Recording(Settings(store=_NO_STORE), (), lambda found: Telemetry(found, settings))
        adapters.install(self._recording)
        atexit.register(self._recording.abandon_open)

    def _uninstrument(self, **options: Any) -> None:
        if self._recorder is not None:
            self._recorder.close()
        if (recording := self._recording) is not None:
            atexit.unregister(recording.abandon_open)
            adapters.uninstall(recording)
            recording.abandon_open()
            recording.active = False
        self._recorder = self._recording = None
