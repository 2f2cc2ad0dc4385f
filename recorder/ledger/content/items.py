"""What nodes and payloads say of their messages and pieces, in bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

Around = tuple[bytes, bytes]
Item = None | bytes | Around
"""A message: a blob (None), its own bytes, or what stands before and after the text in it that is a blob."""

# What most often stands around an answer where it is sent again. Stores refer to these by number: only ever add.
_USUAL: Final[tuple[Around, ...]] = (
    (b'{"role":"assistant","content":', b"}"),
    (b'{"role": "assistant", "content": ', b"}"),
    (b'{"content":', b',"role":"assistant"}'),
    (b'{"content":', b',"refusal":null,"role":"assistant"}'),
    (b'{"content":', b',"refusal":null,"role":"assistant","annotations":[]}'),
    (b'{"role":"assistant","content":', b',"refusal":null}'),
    (b'{"role":"assistant","content":[{"type":"text","text":', b"}]}"),
    (b'{"content":[{"type":"text","text":', b'}],"role":"assistant"}'),
)
_NUMBERS: Final = {around: number for number, around in enumerate(_USUAL)}

_encode = msgspec.msgpack.Encoder().encode
_numbers = msgspec.msgpack.Decoder(tuple[int, ...]).decode
_items = msgspec.msgpack.Decoder(tuple[int | bytes | Around | None, ...]).decode


def pack_numbers(numbers: Sequence[int]) -> bytes:
    """The numbers of blobs."""
    return _encode(numbers)


def pack_items(items: Sequence[Item]) -> bytes:
    """The items of a node."""
    return _encode([_NUMBERS.get(item, item) if isinstance(item, tuple) else item for item in items])


def unpack_numbers(data: bytes) -> tuple[int, ...]:
    """The numbers of blobs. Raises ValueError where they are damaged."""
    try:
        return _numbers(data)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error


def unpack_items(data: bytes) -> tuple[Item, ...]:
    """The items of a node. Raises ValueError where they are damaged."""
    try:
        return tuple([_USUAL[item] if isinstance(item, int) else item for item in _items(data)])
    except (msgspec.MsgspecError, IndexError) as error:
        raise ValueError(str(error)) from error


def needs_blob(item: Item) -> bool:
    """Whether a piece belongs to the item."""
    return not isinstance(item, bytes)


def message_of(item: Item, piece: bytes) -> bytes:
    """The message that an item says, with the piece that belongs to it, if one does."""
    if isinstance(item, bytes):
        return item
    return piece if item is None else item[0] + piece + item[1]


def fill(items: Sequence[Item], pieces: Sequence[bytes]) -> list[bytes]:
    """The messages of items. Raises ValueError where pieces are missing or left."""
    rest = iter(pieces)
    if sum(map(needs_blob, items)) != len(pieces):
        raise ValueError("a conversation has other pieces than messages")
    return [message_of(item, next(rest) if needs_blob(item) else b"") for item in items]
