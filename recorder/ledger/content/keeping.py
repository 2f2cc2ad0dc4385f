"""The writing side of content: what is new in exchanges goes into the store, what is there is referred to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, select

from ...exchange import Exchange
from ..intake import nothing
from ..tables import blobs, collection, nodes, used
from .drafting import Draft, Known, NewPayload, Taken
from .frames import Presses, newest_presses
from .generations import due, first_of
from .hashing import Hasher
from .items import pack_numbers
from .lease import forget, is_dead
from .packing import pack
from .presence import insert_hashed, look_up, next_ids, share_lock

Exchanges = Sequence[tuple[str, Exchange]]
"""Exchanges, each with the id of its call."""


class Batch(Struct):
    """Exchanges made ready for the store as it was."""

    exchanges: Exchanges
    draft: Draft


class Keeper:
    """Keeps exchanges in one store, for one thread; remembers what is there, so that it need not ask.

    That is right whatever other processes do: who deletes content counts up the epoch of the store in the same
    transaction, and what is remembered of another epoch is forgotten. `between` is called between the pieces of what
    takes long.
    """

    def __init__(self, between: Callable[[], None] = nothing, clock: Callable[[], float] = time.time) -> None:
        self._between = between
        self._clock = clock
        self._presses: Presses | None = None
        self._known = Known()
        self._grown = 0

    @property
    def may_learn(self) -> bool:
        """Whether the store may have grown enough for its next dictionary."""
        return self._presses is not None and first_of(due(self._grown)) > self._presses.content.form

    def renew(self) -> None:
        """Remember nothing, and look again for the newest dictionary."""
        self._presses, self._known = None, Known()

    def prepare(self, connection: Connection, exchanges: Exchanges) -> Batch:
        """Take exchanges apart, and look up what of them is in the store."""
        epoch, key = connection.execute(select(collection.c.epoch, collection.c.key)).one()
        if epoch != self._known.epoch:
            self._known, self._presses = Known(epoch), None
        if self._presses is None:
            self._presses = newest_presses(connection)
        hasher = Hasher(key)
        draft = Draft(self._known, self._presses, hasher)
        taken = []
        for id, exchange in exchanges:
            packed = pack(exchange)
            taken.append(Taken(id, packed, hasher.chain(packed.messages)))
            self._between()
        draft.known.nodes.update(look_up(connection, nodes, draft.unknown_prefixes(taken)))
        draft.known.blobs.update(look_up(connection, blobs, draft.unknown_blobs(taken)))
        for each in taken:
            draft.add(each)
            self._between()
        return Batch(exchanges, draft)

    def insert(self, connection: Connection, batch: Batch) -> list[dict[str, Any]]:
        """Insert what is new, in a writing transaction; the rows of `payloads`, which are left to the caller."""
        share_lock(connection)
        epoch, collector = connection.execute(select(collection.c.epoch, collection.c.collector)).one()
        if epoch != batch.draft.known.epoch:
            batch.draft = self.prepare(connection, batch.exchanges).draft
        draft = batch.draft
        _insert_blobs(connection, draft, self._between)
        _insert_nodes(connection, draft, self._between)
        rows = [_payload_row(draft, payload) for payload in draft.payloads]
        if collector is not None and is_dead(collector, self._clock()):
            forget(connection)
        elif collector is not None and rows:
            connection.execute(
                used.insert(), [{name: row[name] for name in ("node", "pieces")} for row in rows]
            )
        return rows

    def settle(self, batch: Batch) -> None:
        """Remember what a transaction has put into the store, now that it is committed."""
        if batch.draft.known.epoch == self._known.epoch:
            self._known.add(batch.draft.known)
        self._grown = max(self._grown, *batch.draft.known.blobs.values(), 0)


def _insert_blobs(connection: Connection, draft: Draft, between: Callable[[], None]) -> None:
    if not draft.blobs:
        return
    ids = dict(zip(draft.blobs, next_ids(connection, blobs, len(draft.blobs)), strict=True))
    rows = [
        {"id": ids[hash], "hash": hash, "size": size, "form": form, "data": data}
        for hash, (size, (form, data)) in draft.blobs.items()
    ]
    if insert_hashed(connection, blobs, rows, between) < len(rows):
        # Others were faster with some of them.
        ids = look_up(connection, blobs, ids)
    draft.known.blobs.update(ids)


def _insert_nodes(connection: Connection, draft: Draft, between: Callable[[], None]) -> None:
    while new := [hash for hash in draft.nodes if hash not in draft.known.nodes]:
        ids = dict(zip(new, next_ids(connection, nodes, len(new)), strict=True))
        savepoint = connection.begin_nested()
        rows = [_node_row(draft, ids, hash) for hash in new]
        if insert_hashed(connection, nodes, rows, between) == len(rows):
            savepoint.commit()
            draft.known.nodes.update(ids)
        else:
            # Others were faster with some of them, and children must name those of theirs.
            savepoint.rollback()
            draft.known.nodes.update(look_up(connection, nodes, ids))


def _node_row(draft: Draft, ids: dict[bytes, int], hash: bytes) -> dict[str, Any]:
    node = draft.nodes[hash]
    parent = None if node.parent is None else ids.get(node.parent) or draft.node_id(node.parent)
    form, messages = node.frame
    pieces = _numbers(draft, node.pieces)
    return {
        "id": ids[hash],
        "hash": hash,
        "parent": parent,
        "pieces": pieces,
        "form": form,
        "messages": messages,
    }


def _payload_row(draft: Draft, payload: NewPayload) -> dict[str, Any]:
    taken = payload.taken
    form, record = payload.frame or (None, None)
    return {
        "call_id": taken.call_id,
        "started_us": taken.packed.started_us,
        "request_size": taken.packed.request_size,
        "response_size": taken.packed.response_size,
        "node": draft.node_id(taken.chain[-1]) if taken.chain else None,
        "pieces": _numbers(draft, payload.pieces),
        "form": form,
        "record": record,
    }


def _numbers(draft: Draft, pieces: Iterable[bytes]) -> bytes:
    return pack_numbers([draft.blob_id(piece) for piece in pieces])
