"""Batches of exchanges on their way into the store: what of each is new, and what is known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final

from msgspec import Struct

from .frames import Frame, Presses
from .hashing import Hasher
from .items import Item, pack_items
from .packing import Packed
from .splitting import long_texts

LONGEST_RECORD: Final = 800
"""A longer record is a blob: SQLite would need a page for what is beyond a quarter of one."""

# Shorter messages cost less in their nodes than as blobs with names.
_SHORT_MESSAGE = 64
_LONGEST_AROUND = 1_000
_KNOWN = 50_000

_Texts = tuple[tuple[int, int, bytes], ...]
"""Where the long texts of a message are, and their names."""


class Known(Struct):
    """The ids of some of what is in the store, by hash, as of an epoch: whoever deletes content begins a new one."""

    epoch: int = -1
    blobs: dict[bytes, int] = {}
    nodes: dict[bytes, int] = {}

    def add(self, other: Known) -> None:
        """Know also what another knows, and forget what was learned long ago."""
        for mine, new in ((self.blobs, other.blobs), (self.nodes, other.nodes)):
            mine.update(new)
            for hash in list(islice(mine, max(0, len(mine) - _KNOWN))):
                del mine[hash]


class Taken(Struct, frozen=True, gc=False):
    """An exchange taken apart, and the hashes of its conversation from the first message on."""

    call_id: str
    packed: Packed
    chain: tuple[bytes, ...]


class NewNode(Struct, frozen=True, gc=False):
    """A conversation that was not known: its parent, and its messages from there on."""

    parent: bytes | None
    pieces: tuple[bytes, ...]
    frame: Frame


class NewPayload(Struct, frozen=True, gc=False):
    """What becomes a row of `payloads`; without a frame, its record is the last of the pieces."""

    taken: Taken
    pieces: tuple[bytes, ...]
    frame: Frame | None


class Draft:
    """What is new in a batch; things are named by their hashes, since ids come with the rows."""

    def __init__(self, known: Known, presses: Presses, hasher: Hasher) -> None:
        self.blobs: dict[bytes, tuple[int, Frame]] = {}
        self.nodes: dict[bytes, NewNode] = {}
        self.payloads: list[NewPayload] = []
        self.known = Known(known.epoch)
        """What was looked up for this batch, or inserted by it."""
        self._before = known
        self._presses = presses
        self._hasher = hasher
        self._names: dict[bytes, bytes] = {}
        self._texts: dict[bytes, _Texts] = {}

    def _name(self, data: bytes) -> bytes:
        """The hash of bytes, of which most are asked for several times."""
        name = self._names.get(data)
        if name is None:
            name = self._names[data] = self._hasher.name(data)
        return name

    def _named_texts(self, message: bytes) -> _Texts:
        """The long texts of a message, which is asked for several times."""
        texts = self._texts.get(message)
        if texts is None:
            texts = self._texts[message] = tuple(
                [(start, end, self._name(message[start:end])) for start, end in long_texts(message)]
            )
        return texts

    def has_blob(self, hash: bytes) -> bool:
        """Whether a blob is in the store, or will be."""
        return hash in self.blobs or hash in self._before.blobs or hash in self.known.blobs

    def depth(self, chain: Sequence[bytes]) -> int:
        """How many messages of a conversation are in the tree, or will be."""
        for depth in range(len(chain), 0, -1):
            hash = chain[depth - 1]
            if hash in self._before.nodes or hash in self.known.nodes or hash in self.nodes:
                return depth
        return 0

    def blob_id(self, hash: bytes) -> int:
        """The id of a blob that is in the store."""
        return self.known.blobs.get(hash) or self._before.blobs[hash]

    def node_id(self, hash: bytes) -> int:
        """The id of a node that is in the store."""
        return self.known.nodes.get(hash) or self._before.nodes[hash]

    def unknown_prefixes(self, taken: Sequence[Taken]) -> set[bytes]:
        """What must be looked up to find the longest known prefix of each conversation."""
        unknown: set[bytes] = set()
        for each in taken:
            for hash in reversed(each.chain):
                if hash in self._before.nodes:
                    break
                unknown.add(hash)
        return unknown

    def unknown_blobs(self, taken: Sequence[Taken]) -> set[bytes]:
        """What must be looked up to find the blobs that exchanges need; after their prefixes."""
        wanted: set[bytes] = set()
        reached: set[bytes] = set()
        for each in taken:
            wanted.update(map(self._name, each.packed.pieces))
            depth = self.depth(each.chain)
            # What an exchange before this one brings into the tree needs no second look.
            depth = max(
                depth, next((n for n in range(len(each.chain), 0, -1) if each.chain[n - 1] in reached), 0)
            )
            for message in each.packed.messages[depth:]:
                if len(message) >= _SHORT_MESSAGE:
                    wanted.add(self._name(message))
                    wanted.update([name for _, _, name in self._named_texts(message)])
            reached.update(each.chain[-1:])
        return wanted.difference(self._before.blobs)

    def add(self, taken: Taken) -> None:
        """Add an exchange."""
        depth = self.depth(taken.chain)
        if depth < len(taken.chain):
            self._add_node(taken, depth)
        pieces = [self._add_blob(piece) for piece in taken.packed.pieces]
        record = taken.packed.record
        frame: Frame | None = self._presses.records.press(record)
        if frame is not None and len(frame[1]) > LONGEST_RECORD:
            hash = self._name(record)
            self.blobs[hash] = len(record), frame
            pieces.append(hash)
            frame = None
        self.payloads.append(NewPayload(taken, tuple(pieces), frame))

    def _add_node(self, taken: Taken, depth: int) -> None:
        items: list[Item] = []
        pieces: list[bytes] = []
        for message in taken.packed.messages[depth:]:
            item, piece = self._item(message)
            items.append(item)
            if piece is not None:
                pieces.append(self._add_blob(piece))
        parent = taken.chain[depth - 1] if depth else None
        self.nodes[taken.chain[-1]] = NewNode(
            parent, tuple(pieces), self._presses.content.press(pack_items(items))
        )

    def _item(self, message: bytes) -> tuple[Item, bytes | None]:
        """How a node says a message, and the blob that it needs for it."""
        if len(message) < _SHORT_MESSAGE:
            return message, None
        if not self.has_blob(self._name(message)):
            for start, end, name in self._named_texts(message):
                around = len(message) - (end - start)
                if around <= _LONGEST_AROUND and self.has_blob(name):
                    return (message[:start], message[end:]), message[start:end]
        return None, message

    def _add_blob(self, data: bytes) -> bytes:
        hash = self._name(data)
        if not self.has_blob(hash):
            self.blobs[hash] = len(data), self._presses.content.press(data)
        return hash
