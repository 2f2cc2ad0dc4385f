"""Bodies with their content encoding undone, whole or chunk by chunk."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from itertools import accumulate
from typing import Any

import msgspec

from .exchange import Exchange, header, header_values

_MAX_DECODED = 256 * 1024 * 1024

_ZSTD_SKIPPABLE = tuple(bytes((low, 0x2A, 0x4D, 0x18)) for low in range(0x50, 0x60))  # RFC 8878, 3.1.2

Step = Callable[[bytes], bytes]


class Undecodable(ValueError):
    """A body's content encoding could not be undone."""


class Answer(msgspec.Struct, frozen=True):
    """A response body with its content encoding undone.

    `ends` gives for each chunk of the exchange the offset in `data` up to which it had been decoded
    when that chunk was in; None while nobody asked (an identity body computes it on demand).
    `note` says what could not be decoded; `data` then holds what could, or all as received if nothing could.
    `hidden` says that what follows the encoded body as padding may be encoded text again.
    """

    data: bytes
    ends: tuple[int, ...] | None = None
    encoded: bool = False
    note: str | None = None
    hidden: bool = False


def read_answer(exchange: Exchange) -> Answer:
    """Undo the content encoding of an exchange's response body."""
    head = exchange.head
    if head is None or header(head.headers, b"content-encoding") is None:
        return Answer(exchange.body)
    encoding = b",".join(header_values(head.headers, b"content-encoding"))
    names = [name.strip().lower() for name in encoding.decode("latin-1").split(",")]
    if not (names := [name for name in names if name in _FACTORIES]):  # clients ignore what they do not know
        return Answer(exchange.body)
    pieces: list[bytes] = []
    ends: list[int] = []
    size, note = 0, None
    steps: list[_Decoder] = []
    try:
        steps = [_Decoder(name) for name in reversed(names)]
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
    hidden = any(step.hidden for step in steps)
    return Answer(b"".join(pieces), tuple(ends), encoded=True, note=note, hidden=hidden)


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
                body = _Decoder(name.strip())(body)
    except Undecodable:
        pass
    return body


class _Decoder:
    """Decodes one chunk after another; raises Undecodable."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._step, self._failure = _FACTORIES[name]()

    def __call__(self, chunk: bytes) -> bytes:
        try:
            return self._step(chunk)
        except self._failure as error:
            raise Undecodable(f"body is not valid {self._name}: {error}") from error

    @property
    def hidden(self) -> bool:
        """Whether something that looks encoded stands behind the end of what was decoded."""
        return isinstance(self._step, _Members) and self._step.hidden


def _gzip() -> tuple[Step, type[Exception]]:
    return _Members(lambda: zlib.decompressobj(zlib.MAX_WBITS | 16), b"\x1f\x8b"), zlib.error


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
    return _Members(zstd.ZstdDecompressor, b"\x28\xb5\x2f\xfd", *_ZSTD_SKIPPABLE), zstd.ZstdError


class _Members:
    """Decodes concatenated members (gzip) or frames (zstd), which begin with a magic; what else follows is padding."""

    def __init__(self, new: Callable[[], Any], *magics: bytes) -> None:
        self._new = new
        self._magics = magics
        self._current = new()
        self._held = b""
        self._padded = False
        self.hidden = False

    def __call__(self, chunk: bytes) -> bytes:
        chunk, self._held = self._held + chunk, b""
        out = []
        while chunk:
            if self._current.eof and not self._padded:
                if any(magic.startswith(chunk) for magic in self._magics):  # cut within it, perhaps
                    self._held = chunk
                    break
                self._padded = not chunk.startswith(self._magics)
            if self._padded:
                self.hidden = self.hidden or any(magic in chunk for magic in self._magics)
                break
            if self._current.eof:
                self._current = self._new()
            out.append(self._current.decompress(chunk))
            chunk = self._current.unused_data if self._current.eof else b""
        return b"".join(out)


_FACTORIES: dict[str, Callable[[], tuple[Step, type[Exception]]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
