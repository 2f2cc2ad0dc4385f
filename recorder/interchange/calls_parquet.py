"""Stored calls as Parquet: the columns of `v_calls`, and on demand what went over the wire."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, Any, Final

import msgspec
from sqlalchemy import BigInteger, Double, Integer, SmallInteger

from ..errors import MissingExtra
from ..exchange import Exchange
from ..ledger.selection import ViewRow
from ..ledger.views import CALL_COLUMNS
from .exact_text import spell

_GROUP_ROWS: Final = 50_000
_GROUP_BYTES: Final = 32 * 1024 * 1024
_PAYLOAD: Final = {
    "method": "string",
    "url": "string",
    "request_headers": "string",
    "request_body": "binary",
    "response_headers": "string",
    "response_body": "binary",
}

Pairs = Iterable[tuple[ViewRow, Exchange | None]]
"""Rows of `v_calls`, each with its exchange where that is asked for and there."""


def write_parquet(pairs: Pairs, file: IO[bytes], *, payloads: bool) -> None:
    """Write a file of calls, some thousands at a time; bodies as received, headers as JSON lists of pairs.

    Raises MissingExtra where pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise MissingExtra("pyarrow", "parquet") from error
    names = {name: _type_of(column.type) for name, column in CALL_COLUMNS.items()}
    names |= _PAYLOAD if payloads else {}
    schema = pyarrow.schema([(name, getattr(pyarrow, kind)()) for name, kind in names.items()])
    with pyarrow.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for group in _groups(pairs, payloads):
            writer.write_table(pyarrow.Table.from_pylist(group, schema=schema))


def _groups(pairs: Pairs, payloads: bool) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    size = 0
    for row, exchange in pairs:
        values = {name: row[name] for name in CALL_COLUMNS}
        if payloads and exchange is not None:
            values |= _payload(exchange)
            size += len(values["request_body"]) + len(values["response_body"] or b"")
        group.append(values)
        if len(group) == _GROUP_ROWS or size > _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _payload(exchange: Exchange) -> dict[str, Any]:
    request, head = exchange.request, exchange.head
    return {
        "method": _text(request.method),
        "url": _text(request.url),
        "request_headers": _headers(request.headers),
        "request_body": request.body,
        "response_headers": None if head is None else _headers(head.headers),
        "response_body": None if head is None else exchange.body,
    }


def _headers(headers: Iterable[tuple[bytes, bytes]]) -> str:
    return msgspec.json.encode([(spell(name), spell(value)) for name, value in headers]).decode()


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _type_of(kind: Any) -> str:
    """Pyarrow's name for the type of a column."""
    if isinstance(kind, Double):
        return "float64"
    if isinstance(kind, SmallInteger):
        return "int16"
    if isinstance(kind, BigInteger):
        return "int64"
    return "int32" if isinstance(kind, Integer) else "string"
