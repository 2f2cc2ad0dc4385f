"""The Recorder: store, spans and transports put together."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar, Unpack

from . import adapters
from .cassette_context import Cassette
from .cassettes import CassetteOptions, Mode, use
from .errors import RecorderError
from .ledger.journal import chosen_intake
from .ledger.url import check_url, resolved
from .ledger.writer import Writer
from .recording import Recording
from .sampling import Sampling
from .settings import DEFAULT_QUEUE_BYTES, Drain, Durability, RedactionRules, Settings, default_store
from .stored_cassette import StoredCassette
from .telemetry import Price, Telemetry, TelemetryOptions, TelemetrySettings, telemetry_settings

if TYPE_CHECKING:
    from .call import Call

T = TypeVar("T")

_open: set[Recorder] = set()


class Recorder:
    """Records the chat completions of the clients that it wraps.

    `store` is a SQLite or PostgreSQL URL as SQLAlchemy has them (default: `$RECORDER_STORE`, else
    `sqlite:///recorder.db`); it is opened with the first record, by a thread of the recorder's own.
    `providers` names hosts of one's own (`{"llm.corp.local": "deepseek-onprem"}`). `record_paths` records
    further paths by their ending, `"*"` all. `include_usage` asks streams for token counts where the
    provider wants to be asked. `redact` adds rules to the built-in ones, False switches redaction off.
    `queue_bytes` bounds what waits on its way to the store; what does not fit is counted as lost.
    `journal` is where calls wait on disk, so that they survive a killed process: a directory, False for
    nowhere (default: `$RECORDER_JOURNAL`, else `calls.db.journal` beside a SQLite file, and for a server a
    directory in `$XDG_STATE_HOME`). `durability="power"` has each call on the disk itself before its caller
    goes on. `drain="external"` leaves storing to `recorder drain`. `store_content=False` stores rows with all
    numbers, but nothing of what was said, and no headers. `sample_payloads` is the share of calls whose
    content is stored (the attempts of one SDK call go together), or a function that gets a `Call` and says
    whether its is, called on the caller's thread where there is a journal; the content of calls that did not
    go well is stored all the same, unless `keep_error_payloads=False`. `strict` (default: `$RECORDER_STRICT`
    is 1) raises recorder's own failures, for tests. `TelemetryOptions` says what the options about
    OpenTelemetry do.

    Raises StoreError for a URL that names no database, SettingsError for rules or choices that cannot be used.
    """

    def __init__(
        self,
        store: str | None = None,
        *,
        providers: Mapping[str, str] | None = None,
        record_paths: Iterable[str] = (),
        include_usage: bool = False,
        redact: RedactionRules | bool = True,
        queue_bytes: int = DEFAULT_QUEUE_BYTES,
        journal: str | os.PathLike[str] | bool | None = None,
        durability: Durability = "process",
        drain: Drain = "thread",
        store_content: bool = True,
        sample_payloads: float | Callable[[Call], bool] = 1.0,
        keep_error_payloads: bool = True,
        strict: bool | None = None,
        **telemetry: Unpack[TelemetryOptions],
    ) -> None:
        store = store or default_store()
        check_url(store)
        rules = RedactionRules() if redact is True else redact or None
        self.settings = Settings(
            store=resolved(store),
            providers=dict(providers or {}),
            record_paths=(record_paths,) if isinstance(record_paths, str) else tuple(record_paths),
            include_usage=include_usage,
            redact=rules,
            queue_bytes=queue_bytes,
            journal=journal if journal is None or isinstance(journal, bool) else os.fspath(journal),
            durability=durability,
            drain=drain,
            store_content=store_content,
            sample_payloads=sample_payloads,
            keep_error_payloads=keep_error_payloads,
            strict=os.environ.get("RECORDER_STRICT") == "1" if strict is None else strict,
        )
        self._told_unrecorded = 0
        traces = telemetry_settings(telemetry)
        sampling = Sampling(self.settings)
        intake = chosen_intake(self.settings)
        self._journalled = intake is not None
        self._writer = Writer(self.settings.store, queue_bytes, intake=intake, durable=durability == "power")
        self._recording = Recording(
            self.settings,
            (self._writer.put,),
            lambda redactor: Telemetry(redactor, traces, self._price(traces), self._writer.call_soon),
            on_abandoned=self._reap_soon,
            starts=self._writer if intake is not None else None,
            sampling=sampling,
        )
        _open.add(self)
        _close_in_worker()

    @property
    def store(self) -> str:
        """The URL of the store, with an absolute path."""
        return self.settings.store

    @property
    def lost(self) -> int:
        """How many calls could not be recorded or stored so far."""
        return self._writer.lost + self._recording.unrecorded

    def wrap(self, client: T) -> T:
        """Record an httpx or httpx2 client, or the clients that an SDK object holds, in place; the same back.

        Raises WrapError where there is no client to find, RecorderError where this recorder is closed.
        """
        self._refuse_if_closed()
        adapters.wrap_clients(client, self._recording)
        return client

    def unwrap(self, client: T) -> T:
        """Give a wrapped client its own transports back."""
        adapters.unwrap_clients(client, self._recording)
        return client

    def transport(self, inner: T) -> T:
        """A recording transport around another one: sync or async as that is, both if it is both."""
        self._refuse_if_closed()
        wrapped: T = adapters.wrap_transport(inner, self._recording)
        return wrapped

    def install(self) -> None:
        """Record every client of the process, also those that others create, before or after; none twice."""
        self._refuse_if_closed()
        adapters.install(self._recording)

    def uninstall(self) -> None:
        """Undo `install`."""
        adapters.uninstall(self._recording)

    def cassette(self, name: str, mode: Mode = "none", **options: Unpack[CassetteOptions]) -> Cassette:
        """A cassette kept in the store, to be entered with `with`.

        Modes: `none` only replays; `once` records if there is no such cassette, else replays;
        `new_episodes` replays and records what is new; `all` records all; `rewrite` starts afresh.
        `CassetteOptions` says what the options do. With `store_content=False` a cassette can be
        replayed, and one that would record raises CassetteError, at the latest when it is entered.
        """
        using = use(mode, options)
        once, bare = using.mode == "once", not self.settings.store_content
        source = StoredCassette(name, self.store, self.flush, self._writer.begin, once=once, bare=bare)
        if using.prune or using.mode not in ("none", "once"):
            source.refuse_bare()
        return Cassette(self._recording, source, using)

    def flush(self, timeout: float | None = 5.0) -> bool:
        """Wait until all calls that have ended are stored, `timeout` seconds at most; whether they all are.

        False also where recorder failed to record a call since the last flush. Blocks: in an event loop,
        call it from a thread.
        """
        self._recording.reap()
        stored = self._writer.flush(timeout)
        unrecorded, told = self._recording.unrecorded, self._told_unrecorded
        self._told_unrecorded = unrecorded
        return stored and unrecorded == told

    def close(self, timeout: float | None = 5.0) -> bool:
        """Store what is left and stop; wrapped clients go on, unrecorded. Whether all is stored."""
        if self not in _open:
            return self.lost == 0
        _open.discard(self)
        adapters.uninstall(self._recording)
        self._recording.abandon_open()
        self._recording.active = False
        return self._writer.close(timeout) and self.lost == 0

    def _leave(self) -> None:
        """At the end of the interpreter, where daemon threads still make calls: the journal keeps those."""
        if not self._journalled:
            self.close()
            return
        _open.discard(self)
        self._recording.abandon_open()
        self._writer.close(leave_journal=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _refuse_if_closed(self) -> None:
        if self not in _open:
            raise RecorderError("this recorder is closed; make another one")

    def _price(self, traces: TelemetrySettings) -> Price | None:
        """What says the cost of a call, where spans are to have it."""
        if traces.cost_attribute is None:
            return None
        from .ledger.current_prices import CurrentPrices  # brings the curated book along

        return CurrentPrices(self.settings.store, self._writer.call_soon).cost

    def _reap_soon(self) -> None:
        self._writer.call_soon(self._recording.reap)

    def _after_fork(self) -> None:
        self._recording.begin_in_child()


def _close_all() -> None:
    for recorder in list(_open):
        recorder._leave()


def _begin_in_child() -> None:
    """After a fork: what is open is the parent's. Multiprocessing clears its finalizers first."""
    for recorder in list(_open):
        recorder._after_fork()
    if (util := sys.modules.get("multiprocessing.util")) is not None:
        util.register_after_fork(_open, lambda _: _close_in_worker())


def _close_in_worker() -> None:
    """In a process of multiprocessing's, which may leave without atexit: let it close what is open."""
    process, util = (sys.modules.get(f"multiprocessing.{name}") for name in ("process", "util"))
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(None, _close_all, exitpriority=0)


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
