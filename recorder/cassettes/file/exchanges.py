"""A recording as the tree of its document, and back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from msgspec import UNSET, Struct

from ...body import decode_request, read_answer
from ...exchange import Ending, EndingKind, Exchange, Headers, Request, ResponseHead, endpoint, header
from ..source import Recorded
from .bodies import read_body, read_wire, write_body, write_wire
from .characters import spell, unspell
from .chunks import cut, write_chunks
from .document import (
    AskedFields,
    ChunkFields,
    Document,
    EndingFields,
    Misfit,
    RequestFields,
    ResponseFields,
)
from .headers import kept_request_headers, kept_response_headers, read_headers, without, write_headers
from .reasons import usual_reason
from .structure import Flow, Number, Open, Tree
from .times import MS, arrivals_of, read_arrivals, read_time, write_time, write_times


def write_recorded(recorded: Recorded, compared: Collection[bytes] = ()) -> dict[str, Tree]:
    """The tree of a recording: first what each recording changes, then what was asked and answered.

    `compared` are names of request headers that stay, whatever they are.
    """
    exchange = recorded.exchange
    response, chunks = (None, None) if exchange.head is None else _write_response(exchange, exchange.head)
    flags = {
        "lane": Number(recorded.lane) if recorded.lane else None,
        "credential": Number(recorded.credential) if recorded.credential else None,
        "redacted": exchange.redacted or None,
        "usage_asked": exchange.usage_asked or None,
    }
    tree = {
        "recorded": write_time(exchange.started_us),
        "times": write_times(exchange),
        "chunks": None if chunks is None else Flow(chunks),
        **flags,
        "request": _write_request(exchange.request, compared),
        "response": response,
        "ending": _write_ending(exchange.ending),
    }
    return {name: value for name, value in tree.items() if value is not None}


def read_recorded(document: Document) -> Recorded:
    """The recording that a document shows; raises Misfit."""
    asked = read_asked(document)
    exchange = read_exchange(asked, document.response, document.ending)
    return Recorded(exchange, "", document.lane, document.credential)


class Asked(Struct, frozen=True, gc=False):
    """What a document says before its answer; `end_ns` is None where that is when the last chunk came."""

    request: Request
    started_us: int
    head_ns: int
    arrivals_ns: tuple[int, ...]
    end_ns: int | None
    chunks: ChunkFields | None
    redacted: bool
    usage_asked: bool


def read_asked(fields: AskedFields) -> Asked:
    """What is asked in a document, and when what came; raises Misfit."""
    times = fields.times
    return Asked(
        read_request(fields.request),
        read_time(fields.recorded),
        times.head * MS,
        read_arrivals(times),
        None if times.end is None else times.end * MS,
        fields.chunks,
        fields.redacted,
        fields.usage_asked,
    )


def read_exchange(
    asked: Asked,
    response: ResponseFields | None,
    ending: EndingKind | EndingFields,
    events: list[bytes] | None = None,
    lasting: ResponseHead | None = None,
) -> Exchange:
    """The exchange that the parts of a document show; raises Misfit.

    `events` are those of the response where they were read, and `lasting` is its `lasting_head`.
    """
    head, chunks = (None, ()) if response is None else _read_response(asked, response, events, lasting)
    arrivals = arrivals_of(asked.arrivals_ns, len(chunks))
    ended_ns = asked.end_ns
    if ended_ns is None:
        ended_ns = arrivals[-1] if arrivals else asked.head_ns
    return Exchange(
        asked.request,
        asked.started_us,
        _read_ending(ending, ended_ns),
        head,
        chunks,
        arrivals,
        asked.redacted,
        asked.usage_asked,
    )


def lasting_head(fields: ResponseFields) -> ResponseHead | None:
    """The head of a response, whatever its body and times become; None where it tells of the body."""
    shown = fields.headers
    names = shown if isinstance(shown, dict) else [name for name, _ in shown]
    if fields.wire is not None or any(name.lower() == "content-length" for name in names):
        return None
    return _read_head(fields, _unwired(fields, shown, b"", "$.response")[0], 0)


def _write_request(request: Request, compared: Collection[bytes]) -> Tree:
    body = decode_request(request.body, header(request.headers, b"content-encoding"))
    shown, _ = write_body(body, streamed=False)
    if body != request.body:
        shown["wire"] = write_wire(request.body, body)
    tree = Open(method=spell(request.method), url=spell(request.url))
    if headers := kept_request_headers(request.headers, compared):
        tree["headers"] = write_headers(headers, len(request.body))
    return Open({**tree, **shown})


def read_request(fields: RequestFields) -> Request:
    """The request that a document shows; raises Misfit."""
    if not endpoint(url := unspell(fields.url))[1]:
        raise Misfit("$.request.url", "this is no URL")
    body, _ = read_body(fields, "$.request")
    headers, body = _unwired(fields, fields.headers, body, "$.request")
    return Request(unspell(fields.method), url, headers, body)


def _write_response(exchange: Exchange, head: ResponseHead) -> tuple[Tree, Tree]:
    """The response, and how its body was cut."""
    body, answer = exchange.body, read_answer(exchange)
    encoded = answer.encoded and answer.note is None
    readable = answer.data if encoded else body
    shown, events = write_body(readable, streamed=_is_stream(head.headers, readable))
    if encoded:
        shown["wire"] = write_wire(body, readable)
    version = head.http_version.decode("latin-1")
    reason = None if head.reason is None else head.reason.decode("latin-1")
    tree = Open(status=Number(head.status))
    if reason != usual_reason(head.status, version):
        tree["reason"] = reason
    if version != "HTTP/1.1":
        tree["http_version"] = version
    if headers := kept_response_headers(head.headers):
        tree["headers"] = write_headers(headers, len(body))
    return Open({**tree, **shown}), write_chunks(exchange.chunks, None if encoded else events)


def _read_response(
    asked: Asked, fields: ResponseFields, events: list[bytes] | None, lasting: ResponseHead | None
) -> tuple[ResponseHead, tuple[bytes, ...]]:
    if lasting is not None and events is not None and asked.chunks is None:  # an event a chunk
        head = lasting.status, lasting.headers, lasting.http_version, lasting.reason, asked.head_ns
        return ResponseHead(*head), tuple(events)
    headers, chunks = _read_chunks(asked, fields, events)
    return _read_head(fields, headers, asked.head_ns), chunks


def _read_head(fields: ResponseFields, headers: Headers, at_ns: int) -> ResponseHead:
    reason = fields.reason if fields.reason is not UNSET else usual_reason(fields.status, fields.http_version)
    version = _latin(fields.http_version, "$.response.http_version")
    reason_bytes = None if reason is None else _latin(reason, "$.response.reason")
    return ResponseHead(fields.status, headers, version, reason_bytes, at_ns)


def _read_chunks(
    asked: Asked, fields: ResponseFields, events: list[bytes] | None
) -> tuple[Headers, tuple[bytes, ...]]:
    if events is None:
        readable, events = read_body(fields, "$.response")
    else:
        readable = b"".join(events)
    headers, body = _unwired(fields, fields.headers, readable, "$.response")
    as_sent = fields.wire is None or body is not readable
    cuts = asked.chunks if as_sent else None
    if events is not None and body is readable and cuts is None:
        return headers, tuple(events)  # an event a chunk
    lengths = None if events is None or body is not readable else [*map(len, events)]
    return headers, cut(body, cuts, lengths)


def _unwired(
    fields: RequestFields | ResponseFields, shown: Any, readable: bytes, path: str
) -> tuple[Headers, bytes]:
    """Headers and body as they were on the wire, or without encoding where the readable body was edited."""
    wire = read_wire(fields, readable, path)
    body = readable if wire is None else wire
    try:
        headers = read_headers(shown, len(body))
    except UnicodeEncodeError as error:
        raise Misfit(f"{path}.headers", f"headers hold Latin-1 only: {error}") from error
    if fields.wire is not None and wire is None:
        headers = without(headers, b"content-encoding")
    return headers, body


def _write_ending(ending: Ending) -> Tree:
    if ending.phase is None and ending.exception is None and ending.message is None:
        return None if ending.kind == "complete" else ending.kind
    told = {"phase": ending.phase, "exception": ending.exception, "message": ending.message}
    return Open(kind=ending.kind, **{name: spell(text) for name, text in told.items() if text is not None})


def _read_ending(fields: EndingKind | EndingFields, at_ns: int) -> Ending:
    if not isinstance(fields, EndingFields):
        return Ending(fields, at_ns)
    exception, message = (
        None if text is None else unspell(text) for text in (fields.exception, fields.message)
    )
    return Ending(fields.kind, at_ns, fields.phase, exception, message)


def _is_stream(headers: Headers, body: bytes) -> bool:
    kind = header(headers, b"content-type") or b""
    return b"event-stream" in kind.lower() or body.startswith((b"data: ", b"event: "))


def _latin(text: str, path: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise Misfit(path, f"this holds Latin-1 only: {error}") from error
