"""Calls from files into a store: each once, without secrets, and with what could not be read told by its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ..call import Call
from ..exchange import Exchange
from ..ledger.copies import CallCopy, known_ids
from ..ledger.database import open_database
from ..ledger.sink import Sink
from ..ledger.url import resolved
from ..redact import Redactor
from ..sampling import Content
from ..settings import RedactionRules
from .calls_har import Found, NoCall
from .content_ids import ContentIds
from .meaning import read_ended
from .redaction import without_secrets
from .skipped import Skipped

Progress = Callable[[], None]
"""Called when something more was done."""

_BATCH = 200
_BATCH_BYTES = 8 * 1024 * 1024
_ROW_BYTES = 2_000
_TEXTS = ("error_type", "request_model", "response_model", "response_id", "model_id", "cost_note")


class ImportedCalls(Struct):
    """How many calls were stored and how many the store had already.

    `others` are entries of a HAR about something else; `redacted` is how many of those stored held secrets.
    """

    imported: int = 0
    known: int = 0
    others: int = 0
    redacted: int = 0
    skipped: list[Skipped] = []


class _Stored(Struct, frozen=True):
    """A record as the sink takes it."""

    exchange: Exchange
    call: Call
    content: Content
    size: int


class CallImport:
    """Puts calls into a store, some hundred at a time; what is stored stays, also where the rest fails.

    With `dry_run` nothing is written. `done` is what came of it so far. Raises StoreError.
    """

    def __init__(self, url: str, *, dry_run: bool = False, rules: RedactionRules | None = None) -> None:
        self.done = ImportedCalls()
        self._database = open_database(resolved(url), keep=True)
        self._dry_run = dry_run
        self._redactor = Redactor(rules or RedactionRules())
        self._sink = Sink(url)
        self._seen: set[str] = set()
        self._copies: list[CallCopy] = []
        self._records: list[_Stored] = []
        self._size = 0

    def add(self, found: Iterable[Found], progress: Progress) -> None:
        """Store all calls of one file."""
        ids = ContentIds()
        try:
            for each in found:
                self._add(each, ids)
                if len(self._copies) + len(self._records) == _BATCH or self._size > _BATCH_BYTES:
                    self._store()
                progress()
            self._store()
        finally:
            self._sink.close()
            self._database.close()

    def _add(self, found: Found, ids: ContentIds) -> None:
        if isinstance(found, Skipped):
            self.done.skipped.append(found)
        elif isinstance(found, NoCall):
            self.done.others += 1
        elif isinstance(found, CallCopy):
            self._copies.append(found)
            self._size += _ROW_BYTES + _size(found.exchange)
        else:
            ended = read_ended(found, ids.number(found), self._redactor)
            self._records.append(_Stored(ended.exchange, ended.call, ended.content, ended.size))
            self._size += ended.size

    def _store(self) -> None:
        """Store what was gathered, but for what the store has."""
        ids = [copy.row["id"] for copy in self._copies] + [record.call.id for record in self._records]
        known = known_ids(self._database, ids)
        new = [id not in known and not self._was_seen(id) for id in ids]
        copies = [self._clean(copy) for copy, is_new in zip(self._copies, new, strict=False) if is_new]
        records = [
            record for record, is_new in zip(self._records, new[len(self._copies) :], strict=True) if is_new
        ]
        self.done.imported += sum(new)
        self.done.known += len(new) - sum(new)
        self.done.redacted += sum(record.exchange.redacted for record in records)
        if not self._dry_run:
            if copies:
                self._sink.copy(copies)
            if records:
                self._sink.store(records)
            self._seen.clear()  # the store knows them from here on
        self._copies, self._records, self._size = [], [], 0

    def _was_seen(self, id: str) -> bool:
        """Whether this batch had the id before; in a dry run, any batch."""
        seen = id in self._seen
        self._seen.add(id)
        return seen

    def _clean(self, copy: CallCopy) -> CallCopy:
        """The call without secrets; the same object where it has none, as one has that we exported."""
        exchange = None if copy.exchange is None else without_secrets(copy.exchange, self._redactor)
        texts = {name: self._redactor.text(text) for name in _TEXTS if (text := copy.row[name])}
        if message := copy.row["error_message"]:
            texts["error_message"] = self._redactor.error_text(message)
        changed: dict[str, Any] = {name: text for name, text in texts.items() if text != copy.row[name]}
        if exchange is copy.exchange and not changed:
            return copy
        self.done.redacted += 1
        redacted = int(exchange.redacted) if exchange is not None else copy.row["redacted"]
        return replace(copy, row={**copy.row, **changed, "redacted": redacted}, exchange=exchange)


def _size(exchange: Exchange | None) -> int:
    return 0 if exchange is None else len(exchange.request.body) + sum(map(len, exchange.chunks))
