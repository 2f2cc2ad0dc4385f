"""Exchanges as rows of `former_payloads`, as they were kept before content was, and back, exactly."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from operator import sub
from typing import Any, Final

import msgspec

from ..errors import StoreError
from ..exchange import Ending, Exchange, Headers, Request, ResponseHead

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

RAW: Final = "raw"
ZSTD: Final = "zstd"

_LEVEL = 3
_SHORTEST = 96
# No msgpack array begins like this.
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# What text columns cannot hold, and the sign that stands for it: NUL and lone surrogates.
_AWKWARD = re.compile("[\x00\x1a\ud800-\udfff]")
_ESCAPED = re.compile("\x1a([0-9a-f]{4})")

_encode = msgspec.msgpack.Encoder().encode
_decode_headers = msgspec.msgpack.Decoder(tuple[tuple[bytes, bytes], ...]).decode
_decode_chunks = msgspec.msgpack.Decoder(tuple[list[int], list[int]]).decode


class _Compressor(threading.local):
    """One compressor a thread: making one costs more than using it on a small body."""

    def __init__(self) -> None:
        parameter = zstd.CompressionParameter
        options: dict[int, int] = {parameter.compression_level: _LEVEL, parameter.checksum_flag: 1}
        self.zstd = zstd.ZstdCompressor(options=options)


_own = _Compressor()


def pack(exchange: Exchange) -> dict[str, Any]:
    """The row that keeps an exchange; all columns of `former_payloads` but `call_id`."""
    request, head, ending = exchange.request, exchange.head, exchange.ending
    request_encoding, request_body = _pack_body(request.body)
    response_encoding, response_body = _pack_body(exchange.body)
    return {
        "started_us": exchange.started_us,
        "method": _escape(request.method),
        "url": _escape(request.url),
        "request_headers": _pack_structure(request.headers),
        "request_encoding": request_encoding,
        "request_body": request_body,
        "status": None if head is None else head.status,
        "http_version": None if head is None else head.http_version,
        "reason": None if head is None else head.reason,
        "response_headers": None if head is None else _pack_structure(head.headers),
        "head_at_ns": None if head is None else head.at_ns,
        "response_encoding": response_encoding,
        "response_body": response_body,
        "chunks": _pack_chunks(exchange.chunks, exchange.arrivals_ns),
        "ending": ending.kind,
        "ended_at_ns": ending.at_ns,
        "phase": ending.phase,
        "exception": _escape(ending.exception),
        "message": _escape(ending.message),
        "redacted": int(exchange.redacted),
        "usage_asked": int(exchange.usage_asked),
    }


def unpack(row: Mapping[str, Any]) -> Exchange:
    """The exchange that was packed into a row.

    Raises StoreError where the row is damaged or its bodies were removed.
    """
    try:
        return _unpack(row)
    except (msgspec.MsgspecError, zstd.ZstdError, ValueError, TypeError) as error:
        raise StoreError(f"the payload of call {row.get('call_id')} is damaged: {error}") from error


def _unpack(row: Mapping[str, Any]) -> Exchange:
    chunks, arrivals = _unpack_chunks(row["chunks"], _unpack_body(row, "response"))
    return Exchange(
        request=Request(
            _unescape(row["method"]),
            _unescape(row["url"]),
            _unpack_headers(row["request_headers"]),
            _unpack_body(row, "request"),
        ),
        started_us=row["started_us"],
        ending=Ending(
            row["ending"],
            row["ended_at_ns"],
            row["phase"],
            _unescape_optional(row["exception"]),
            _unescape_optional(row["message"]),
        ),
        head=_unpack_head(row),
        chunks=chunks,
        arrivals_ns=arrivals,
        redacted=bool(row["redacted"]),
        usage_asked=bool(row["usage_asked"]),
    )


def _unpack_head(row: Mapping[str, Any]) -> ResponseHead | None:
    if row["status"] is None:
        return None
    headers = _unpack_headers(row["response_headers"])
    return ResponseHead(row["status"], headers, row["http_version"], row["reason"], row["head_at_ns"])


def _pack_body(body: bytes) -> tuple[str, bytes]:
    if len(body) >= _SHORTEST:
        pressed = _compress(body)
        if len(pressed) < len(body):
            return ZSTD, pressed
    return RAW, body


def _unpack_body(row: Mapping[str, Any], side: str) -> bytes:
    body, encoding = row[f"{side}_body"], row[f"{side}_encoding"]
    if body is None:
        raise StoreError(f"the {side} body of call {row.get('call_id')} was removed")
    if encoding not in (RAW, ZSTD):
        raise ValueError(f"unknown encoding {encoding!r}")
    return zstd.decompress(body) if encoding == ZSTD else bytes(body)


def _pack_structure(value: Headers | tuple[list[int], list[int]]) -> bytes:
    data = _encode(value)
    return data if len(data) < _SHORTEST else _compress(data)


def _unpack_structure(data: bytes) -> bytes:
    return zstd.decompress(data) if data[:4] == _ZSTD_MAGIC else data


def _unpack_headers(data: bytes) -> Headers:
    return _decode_headers(_unpack_structure(data))


def _pack_chunks(chunks: Sequence[bytes], arrivals: Sequence[int]) -> bytes | None:
    """Lengths, and arrivals as differences: small numbers take few bytes."""
    if not chunks and not arrivals:
        return None
    return _pack_structure((list(map(len, chunks)), [*arrivals[:1], *map(sub, arrivals[1:], arrivals)]))


def _unpack_chunks(packed: bytes | None, body: bytes) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
    if packed is None:
        return (), ()
    lengths, differences = _decode_chunks(_unpack_structure(packed))
    if sum(lengths) != len(body):
        raise ValueError(f"chunks of {sum(lengths)} bytes, but a body of {len(body)}")
    bounds = accumulate(lengths, initial=0)
    return tuple([body[start:end] for start, end in pairwise(bounds)]), tuple(accumulate(differences))


def _compress(data: bytes) -> bytes:
    return _own.zstd.compress(data, zstd.ZstdCompressor.FLUSH_FRAME)


def _escape(text: str | None) -> str | None:
    """Text that every database takes, and that `_unescape` turns back."""
    if text is None or _AWKWARD.search(text) is None:
        return text
    return _AWKWARD.sub(lambda found: f"\x1a{ord(found[0]):04x}", text)


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "\x1a" in text else text


def _unescape_optional(text: str | None) -> str | None:
    return None if text is None else _unescape(text)
