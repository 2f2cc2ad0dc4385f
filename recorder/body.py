"""Bodies with their content encoding undone, whole or chunk by chunk."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from itertools import accumulate
from typing import Any

import msgspec

from .exchange import Exchange, header

_MAX_DECODED = 256 * 1024 * 1024

Step = Callable[[bytes], bytes]


class Undecodable(ValueError):
    """A body's content encoding could not be undone."""


class Answer(msgspec.Struct, frozen=True):
    """A response body with its content encoding undone.

    `ends` gives for each chunk of the exchange the offset in `data` up to which it had been decoded
    when that chunk was in; None while nobody asked (an identity body computes it on demand).
    `note` says what could not be decoded; `data` then holds what could, or all as received if nothing could.
    """

    data: bytes
    ends: tuple[int, ...] | None = None
    encoded: bool = False
    note: str | None = None


def read_answer(exchange: Exchange) -> Answer:
    """Undo the content encoding of an exchange's response body."""
    head = exchange.head
    encoding = header(head.headers, b"content-encoding") if head is not None else None
    if not encoding:
        return Answer(exchange.body)
    names = [name.strip().lower() for name in encoding.decode("latin-1").split(",")]
    if not (names := [name for name in names if name in _FACTORIES]):  # clients ignore what they do not know
        return Answer(exchange.body)
    pieces: list[bytes] = []
    ends: list[int] = []
    size, note = 0, None
    try:
        steps = [_decompressor(name) for name in reversed(names)]
        for chunk in exchange.chunks:
            for step in steps:
                chunk = step(chunk)
            pieces.append(chunk)
            size += len(chunk)
            ends.append(size)
            if size > _MAX_DECODED:
                raise Undecodable(f"body grows beyond {_MAX_DECODED} bytes when decoded")
    except Undecodable as error:
        note = str(error)
        ends += [size] * (len(exchange.chunks) - len(ends))
    if note is not None and not size:
        return Answer(exchange.body, note=note)
    return Answer(b"".join(pieces), tuple(ends), encoded=True, note=note)


def chunk_ends(exchange: Exchange, answer: Answer) -> tuple[int, ...]:
    """For each chunk, the offset in the decoded body that it reaches to."""
    return answer.ends if answer.ends is not None else tuple(accumulate(map(len, exchange.chunks)))


def decode_request(body: bytes, encoding: bytes | None) -> bytes:
    """Undo a request body's content encoding; the body itself where that fails or none is named."""
    if not encoding:
        return body
    try:
        for name in reversed(encoding.decode("latin-1").lower().split(",")):
            if name.strip() in _FACTORIES:
                body = _decompressor(name.strip())(body)
    except Undecodable:
        pass
    return body


def _decompressor(name: str) -> Step:
    """A function that decodes one chunk after another; raises Undecodable."""
    step, failure = _FACTORIES[name]()

    def decode(chunk: bytes) -> bytes:
        try:
            return step(chunk)
        except failure as error:
            raise Undecodable(f"body is not valid {name}: {error}") from error

    return decode


def _gzip() -> tuple[Step, type[Exception]]:
    return _members(lambda: zlib.decompressobj(zlib.MAX_WBITS | 16), b"\x1f\x8b"), zlib.error


def _deflate() -> tuple[Step, type[Exception]]:
    """Both readings of `deflate`: with the zlib wrapper (RFC 9110) and, as some servers send it, raw."""
    chosen: Any = None
    seen = b""

    def decode(chunk: bytes) -> bytes:
        nonlocal chosen, seen
        if chosen is None:
            chunk = seen = seen + chunk
            if len(seen) < 2:
                return b""
            wrapped = seen[0] & 0x0F == 8 and int.from_bytes(seen[:2], "big") % 31 == 0
            chosen = zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
        return bytes(chosen.decompress(chunk))

    return decode, zlib.error


def _brotli() -> tuple[Step, type[Exception]]:
    try:
        import brotli
    except ImportError:
        raise Undecodable("body is brotli-encoded; run: pip install 'llm-flight-recorder[brotli]'") from None
    return brotli.Decompressor().process, brotli.error


def _zstd() -> tuple[Step, type[Exception]]:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return _members(zstd.ZstdDecompressor, b"\x28\xb5\x2f\xfd"), zstd.ZstdError


def _members(new: Callable[[], Any], magic: bytes) -> Step:
    """Decode concatenated members (gzip) or frames (zstd), which begin with `magic`; what else follows is padding."""
    current = new()

    def decode(chunk: bytes) -> bytes:
        nonlocal current
        out = []
        while chunk:
            if current.eof:
                if not chunk.startswith(magic):
                    break
                current = new()
            out.append(current.decompress(chunk))
            chunk = current.unused_data if current.eof else b""
        return b"".join(out)

    return decode


_FACTORIES: dict[str, Callable[[], tuple[Step, type[Exception]]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
