"""Recordings put into a store: as calls, and as a cassette that refers to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from ..call import Call
from ..cassettes import Recorded
from ..errors import CallNotFound, CassetteError, StoreError, StoreNotFound
from ..exchange import Exchange
from ..ledger import Store, StoreCassette
from ..ledger.sink import Sink
from ..redact import Redactor
from ..sampling import Content
from ..settings import RedactionRules
from .content_ids import ContentIds
from .meaning import read_ended

Progress = Callable[[int, int], None]
"""Told how many recordings are stored, of how many."""

_BATCH = 200


class _Stored(Struct, frozen=True):
    """A record as the sink takes it."""

    exchange: Exchange
    call: Call
    size: int
    content: Content = "kept"


def store_recordings(
    url: str,
    name: str,
    recordings: Sequence[Recorded],
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> int:
    """Keep recordings as the cassette `name` of a store; how many of their calls it did not have before.

    They are rows like those of replays, in no sum, and without a cost: nothing was spent for them here. Secrets are
    taken out as of any recorded call. A call that the store has is not stored again: one
    that was exported from it, or imported before. Raises CassetteError where there is such a cassette
    already and `overwrite` is not given.
    """
    cassette = StoreCassette(url, name)
    if not overwrite and cassette.load() is not None:
        raise CassetteError(f"the store has a cassette {name!r} already; --overwrite replaces it")
    redactor = Redactor(RedactionRules())
    known, ids = _Known(url, recordings), ContentIds()
    sink = Sink(url, spent=False)
    kept: list[Recorded] = []
    new = 0
    try:
        for start in range(0, len(recordings), _BATCH):
            records = list(_records(recordings[start : start + _BATCH], redactor, name, known, ids))
            fresh = [record for record, id in records if id is None]
            sink.store(fresh)
            new += len(fresh)
            kept += [
                replace(recorded, call_id=id or record.call.id)
                for recorded, (record, id) in zip(recordings[start:], records, strict=False)
            ]
            if progress is not None:
                progress(len(kept), len(recordings))
    finally:
        sink.close()
    cassette.save(kept)
    return new


def _records(
    recordings: Sequence[Recorded], redactor: Redactor, name: str, known: _Known, ids: ContentIds
) -> Iterator[tuple[_Stored, str | None]]:
    for recorded in recordings:
        ended = read_ended(recorded.exchange, ids.number(recorded.exchange), redactor)
        record = _Stored(ended.exchange, replace(ended.call, cassette=name, replayed=True), ended.size)
        yield record, known.find(record)


class _Known:
    """Tells the calls that a store has, each once."""

    def __init__(self, url: str, recordings: Sequence[Recorded]) -> None:
        self._url = url
        self._began: defaultdict[int, list[str]] = defaultdict(list)
        moments = [recorded.started_us for recorded in recordings]
        if not moments:
            return
        with suppress(StoreNotFound):
            rows = Store(url).iterate_calls(
                ("id", "started_us"), since_us=min(moments), until_us=max(moments) + 1
            )
            for row in rows:
                self._began[row.started_us].append(row.id)

    def find(self, record: _Stored) -> str | None:
        """The id of the stored call that this record is: one imported before, or the one that was exported."""
        ids = self._began.get(record.exchange.started_us)
        if not ids:
            return None
        if record.call.id in ids:
            found: str | None = record.call.id
        elif record.exchange.started_us:
            store = Store(self._url)
            found = next((id for id in ids if _same(store, id, record.exchange)), None)
        else:  # of unknown time, as in other tools' files: too many to look at
            found = None
        if found is not None:
            ids.remove(found)
        return found


def _same(store: Store, id: str, exchange: Exchange) -> bool:
    try:
        stored = store.exchange(id)
    except (StoreError, CallNotFound):
        return False
    return (stored.request.url, stored.request.body, stored.body, stored.ending.kind) == (
        exchange.request.url,
        exchange.request.body,
        exchange.body,
        exchange.ending.kind,
    )
