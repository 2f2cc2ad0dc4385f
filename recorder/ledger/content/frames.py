"""Bytes pressed with a dictionary of the store, and back."""

from __future__ import annotations

import sys
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection, select

from ..tables import dictionaries

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

RAW: Final = -1
PLAIN: Final = 0
"""What a `form` says: kept as it is, pressed without a dictionary, or else the number of the dictionary."""

CONTENT: Final = "content"
RECORDS: Final = "records"
"""The kinds of dictionaries: what blobs and nodes say is one kind of text, what records say is another."""

_LEVEL = 3
_SHORTEST = 16
_MAGIC = b"\x28\xb5\x2f\xfd"
# What a trained dictionary begins with; other bytes are one as they are.
_TRAINED = b"\x37\xa4\x30\xec"
_parameter = zstd.CompressionParameter
# The form says which dictionary, and hashes whether all is right: a frame need not say either again.
_OPTIONS: Final[dict[int, int]] = {
    _parameter.compression_level: _LEVEL,
    _parameter.checksum_flag: 0,
    _parameter.dict_id_flag: 0,
}

Frame = tuple[int, bytes]
"""A form, and bytes in that form."""


class Press:
    """Presses bytes, with the dictionary of that number; not for several threads at once."""

    def __init__(self, form: int = PLAIN, dictionary: bytes = b"") -> None:
        self.form = form
        self._zstd = zstd.ZstdCompressor(options=_OPTIONS, zstd_dict=_loaded(dictionary) if form else None)

    def press(self, data: bytes) -> Frame:
        """The bytes in the shortest form."""
        if len(data) >= _SHORTEST:
            pressed = self._zstd.compress(data, zstd.ZstdCompressor.FLUSH_FRAME)
            if len(pressed) - len(_MAGIC) < len(data):
                return self.form, pressed[len(_MAGIC) :]
        return RAW, data


class Dictionaries:
    """The dictionaries of a store, read when the first frame needs one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._read: dict[int, zstd.ZstdDict] = {}

    def open(self, form: int, data: bytes) -> bytes:
        """The bytes that were pressed. Raises ValueError where they are damaged."""
        if form == RAW:
            return bytes(data)
        try:
            return zstd.decompress(_MAGIC + data, self._dictionary(form))
        except zstd.ZstdError as error:
            raise ValueError(str(error)) from error

    def _dictionary(self, form: int) -> zstd.ZstdDict | None:
        if form == PLAIN:
            return None
        if (found := self._read.get(form)) is None:
            query = select(dictionaries.c.data).where(dictionaries.c.id == form)
            if (data := self._connection.scalar(query)) is None:
                raise ValueError(f"dictionary {form} is not in the store")
            found = self._read[form] = _loaded(zstd.decompress(data))
        return found


class Presses(Struct, frozen=True):
    """What presses content, and what presses records: each with the newest dictionary of its kind."""

    content: Press
    records: Press


def newest_presses(connection: Connection) -> Presses:
    """What presses for a store as it is now."""
    return Presses(*(_newest_press(connection, kind) for kind in (CONTENT, RECORDS)))


def _newest_press(connection: Connection, kind: str) -> Press:
    d = dictionaries.c
    query = select(d.id, d.data).where(d.kind == kind).order_by(d.id.desc()).limit(1)
    row = connection.execute(query).first()
    return Press() if row is None else Press(row.id, zstd.decompress(row.data))


def train(samples: list[bytes], size: int) -> bytes | None:
    """A dictionary of about that size for such samples; None where they give none."""
    try:
        return zstd.train_dict(samples, size).dict_content
    except (zstd.ZstdError, ValueError):
        return None


def deflate(dictionary: bytes) -> bytes:
    """A dictionary as the store keeps it."""
    return zstd.compress(dictionary)


def _loaded(dictionary: bytes) -> zstd.ZstdDict:
    return zstd.ZstdDict(dictionary, is_raw=not dictionary.startswith(_TRAINED))
