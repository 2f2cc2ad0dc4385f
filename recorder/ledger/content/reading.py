"""The one door to exchanges in a store: as they were, byte for byte, in the present form or the former."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select

from ...errors import StoreError
from ...exchange import Exchange
from .. import former
from ..tables import blobs, former_payloads, nodes, payloads
from .frames import Dictionaries
from .items import fill, unpack_items, unpack_numbers
from .packing import unpack
from .presence import portions


class _Node(Struct, frozen=True):
    parent: int | None
    pieces: bytes
    form: int
    messages: bytes


class _Blob(Struct, frozen=True):
    form: int
    data: bytes


class Reader:
    """Reads exchanges in one transaction, many with as few queries as one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._dictionaries = Dictionaries(connection)

    def read(self, call_ids: Collection[str]) -> dict[str, Payload]:
        """The payloads of those calls that have one."""
        found: dict[str, Payload] = {}
        for ids in portions(call_ids):
            query = select(payloads).where(payloads.c.call_id.in_(ids))
            rows = self._connection.execute(query).mappings().all()
            nodes = self._nodes({row["node"] for row in rows if row["node"] is not None})
            content = Content(self._dictionaries, nodes, self._blobs(_pieces(rows, nodes)))
            found.update({row["call_id"]: Payload(row, content) for row in rows})
            if missing := [id for id in ids if id not in found]:
                old = select(former_payloads).where(former_payloads.c.call_id.in_(missing))
                found.update(
                    {row["call_id"]: Payload(row, None) for row in self._connection.execute(old).mappings()}
                )
        return found

    def read_turns(self, tops: Mapping[str, int | None]) -> dict[str, Payload]:
        """The payloads of those calls that have one, for `Payload.turn`; with the nodes from which it reads on."""
        query = select(payloads).where(payloads.c.call_id.in_(list(tops)))
        rows = self._connection.execute(query).mappings().all()
        last = {row["call_id"]: row["node"] for row in rows if row["node"] is not None}
        alone = {node for id, node in last.items() if tops[id] == node}
        nodes = self._nodes(alone, ancestors=False) | self._nodes(set(last.values()) - alone)
        content = Content(self._dictionaries, nodes, self._blobs(_pieces(rows, nodes)))
        found = {row["call_id"]: Payload(row, content) for row in rows}
        if missing := [id for id in tops if id not in found]:
            old = select(former_payloads).where(former_payloads.c.call_id.in_(missing))
            found |= {row["call_id"]: Payload(row, None) for row in self._connection.execute(old).mappings()}
        return found

    def _nodes(self, ids: Iterable[int], *, ancestors: bool = True) -> dict[int, _Node]:
        """Nodes with all their ancestors, or without."""
        n = nodes.c
        columns = (n.id, n.parent, n.pieces, n.form, n.messages)
        found: dict[int, _Node] = {}
        for some in portions(list(ids)):
            if not ancestors:
                rows = self._connection.execute(select(*columns).where(n.id.in_(some)))
                found.update({row.id: _Node(*row[1:]) for row in rows})
                continue
            path = select(*columns).where(n.id.in_(some)).cte("path", recursive=True)
            path = path.union(select(*columns).join(path, n.id == path.c.parent))
            found.update({row.id: _Node(*row[1:]) for row in self._connection.execute(select(path))})
        return found

    def _blobs(self, ids: Collection[int]) -> dict[int, _Blob]:
        query = select(blobs.c.id, blobs.c.form, blobs.c.data)
        return {
            row.id: _Blob(row.form, row.data)
            for some in portions(ids)
            for row in self._connection.execute(query.where(blobs.c.id.in_(some)))
        }


class Content(Struct, frozen=True):
    """The nodes and blobs that some payloads need."""

    dictionaries: Dictionaries
    nodes: Mapping[int, _Node]
    blobs: Mapping[int, _Blob]

    def blob(self, id: int) -> bytes:
        """A blob's bytes. Raises ValueError where it is missing or damaged."""
        if (found := self.blobs.get(id)) is None:
            raise ValueError(f"blob {id} is missing")
        return self.dictionaries.open(found.form, found.data)

    def messages(self, id: int | None, top: int | None = None) -> list[bytes]:
        """The conversation up to a node, from its beginning or from another node on."""
        parts: list[list[bytes]] = []
        while id is not None:
            if (node := self.nodes.get(id)) is None:
                raise ValueError(f"node {id} is missing")
            items = unpack_items(self.dictionaries.open(node.form, node.messages))
            parts.append(fill(items, [self.blob(piece) for piece in unpack_numbers(node.pieces)]))
            if node.parent is not None and node.parent >= id:
                raise ValueError(f"node {id} comes before its parent")
            id = None if id == top else node.parent
        return [message for part in reversed(parts) for message in part]


class Payload(Struct, frozen=True):
    """What is stored of one exchange; read, and not yet put together."""

    row: Mapping[Any, Any]
    content: Content | None

    def exchange(self) -> Exchange:
        """The exchange. Raises StoreError where the payload is damaged."""
        return self._read(None)[0]

    def turn(self, top: int | None) -> tuple[Exchange, list[bytes]]:
        """The exchange without its conversation, and the messages of that from a node on; StoreError as above.

        Of a payload in the former form the exchange is whole, and there are no messages apart from it.
        """
        return self._read(top, apart=True)

    def _read(self, top: int | None, *, apart: bool = False) -> tuple[Exchange, list[bytes]]:
        if self.content is None:
            return former.unpack(self.row), []
        try:
            pieces = [self.content.blob(id) for id in unpack_numbers(self.row["pieces"])]
            if self.row["record"] is None:
                record = pieces.pop()
            else:
                record = self.content.dictionaries.open(self.row["form"], self.row["record"])
            messages = self.content.messages(self.row["node"], top)
            return unpack(record, pieces, None if apart else messages, self.row["started_us"]), messages
        except (msgspec.MsgspecError, ValueError, TypeError, LookupError) as error:
            raise StoreError(f"the payload of call {self.row['call_id']} is damaged: {error}") from error


def read_exchange(connection: Connection, call_id: str) -> Exchange | None:
    """The exchange of a call; None where the store has none. Raises StoreError where it is damaged."""
    found = Reader(connection).read([call_id]).get(call_id)
    return None if found is None else found.exchange()


def _pieces(rows: Sequence[Mapping[Any, Any]], nodes: Mapping[int, _Node]) -> set[int]:
    """The blobs that payloads and nodes name; what is damaged is found when it is put together."""
    found: set[int] = set()
    for packed in (*(row["pieces"] for row in rows), *(node.pieces for node in nodes.values())):
        try:
            found.update(unpack_numbers(packed))
        except ValueError:
            pass
    return found


def stored_payloads(connection: Connection, call_ids: Sequence[str]) -> set[str]:
    """Which of some calls have a payload, in either form."""
    return {
        id
        for table in (payloads, former_payloads)
        for id in connection.scalars(select(table.c.call_id).where(table.c.call_id.in_(call_ids)))
    }
