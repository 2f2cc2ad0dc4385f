"""Recordings made from recordings: the same exchange failing, refused, cut short or split otherwise."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Unpack

from msgspec.structs import replace

from ..errors import CassetteError
from ..exchange import Ending, Exchange, Headers, Phase, ResponseHead
from .chunking import cut, decoded, event_ends, rechunked, without_headers
from .variation import CUTS, MESSAGES, Changes, Variation, exception_name, variation

_BODY_HEADERS = (b"content-length", b"content-type", b"content-encoding", b"transfer-encoding")


def vary(exchange: Exchange, **changes: Unpack[Changes]) -> Exchange:
    """This exchange, changed; `Changes` says how.

    Raises SettingsError for changes that no exchange can have, CassetteError for those that this one
    cannot, such as failing after more chunks than it has.
    """
    return varied(exchange, variation(changes))


def varied(exchange: Exchange, change: Variation) -> Exchange:
    """This exchange, changed; raises CassetteError for what it cannot have."""
    if change.error is not None and _cut_of(change) is None:
        return _failed_before(exchange, change)
    if change.status is not None or change.body is not None:
        exchange = _answered(exchange, change)
    elif exchange.head is None:
        raise CassetteError(
            f"the recording is an error without a response ({exchange.ending.exception}), "
            "of which only error, status and body can be changed"
        )
    if change.headers or change.retry_after is not None:
        exchange = _with_headers(exchange, change)
    return _cut_and_split(exchange, change)


def _cut_of(change: Variation) -> tuple[str, int] | None:
    return next(((name, at) for name in CUTS if (at := getattr(change, name)) is not None), None)


def _failed_before(exchange: Exchange, change: Variation) -> Exchange:
    """No response, but an error at the time when the head came, or whatever came instead."""
    at = exchange.head.at_ns if exchange.head is not None else exchange.ending.at_ns
    return replace(
        exchange, head=None, chunks=(), arrivals_ns=(), ending=_error(change, "ReadError", at, "request")
    )


def _cut_and_split(exchange: Exchange, change: Variation) -> Exchange:
    """Events are counted before splitting, chunks after it."""
    name, at = _cut_of(change) or ("", 0)
    end: Ending | None = None
    if name.endswith("event"):
        exchange = decoded(exchange)
        ends = [0, *event_ends(exchange)]
        _check_reach(name, at, len(ends) - 1, "events")
        exchange, end = cut(exchange, ends[at]), _ending(exchange, change, ends[at])
    if change.rechunk is not None:
        exchange = rechunked(exchange, change.rechunk)
    if name.endswith("chunk"):
        _check_reach(name, at, len(exchange.chunks), "chunks")
        end = _ending(exchange, change, sum(map(len, exchange.chunks[:at])))
        exchange = replace(exchange, chunks=exchange.chunks[:at], arrivals_ns=exchange.arrivals_ns[:at])
    if end is None:
        return exchange
    head = exchange.head
    if end.kind == "complete" and head is not None:  # a clean end is none where more was promised
        head = replace(head, headers=without_headers(head.headers, b"content-length"))
    return replace(exchange, head=head, ending=end)


def _check_reach(name: str, at: int, count: int, unit: str) -> None:
    if at > count:
        raise CassetteError(
            f"{name}={at} is beyond the answer, which has {count} {unit}; {name} is 0 to {count}"
        )


def _ending(exchange: Exchange, change: Variation, kept: int) -> Ending:
    """The end after so many bytes, at the time when more had come."""
    at, reached = exchange.ending.at_ns, 0
    for chunk, arrival in zip(exchange.chunks, exchange.arrivals_ns, strict=True):
        reached += len(chunk)
        if reached > kept:
            at = arrival
            break
    if change.close_after_chunk is not None or change.close_after_event is not None:
        return Ending("complete", at)
    return _error(change, "ReadError", at, "response")


def _error(change: Variation, default: str, at_ns: int, phase: Phase) -> Ending:
    name = exception_name(change.error or default)
    message = MESSAGES.get(name.rpartition(".")[2], "") if change.message is None else change.message
    return Ending("error", at_ns, phase, name, message)


def _answered(exchange: Exchange, change: Variation) -> Exchange:
    """The answer with another status, and another body where one is given or the status asks for one."""
    head = exchange.head or ResponseHead(200, at_ns=exchange.ending.at_ns)
    if change.status is not None:
        head = replace(head, status=change.status, reason=None)
    body, kind = _body(change)
    if body is None:
        if exchange.head is None:
            raise CassetteError(
                "the recording is an error without a response; give the body that answers instead"
            )
        return replace(exchange, head=head)
    headers = without_headers(head.headers, *_BODY_HEADERS)
    kind = kind or next(
        (value for name, value in head.headers if name.lower() == b"content-type"), b"text/plain"
    )
    headers += ((b"content-type", kind), (b"content-length", str(len(body)).encode()))
    return replace(
        exchange,
        head=replace(head, headers=headers),
        chunks=(body,),
        arrivals_ns=(head.at_ns,),
        ending=Ending("complete", head.at_ns),
        usage_asked=False,
    )


def _body(change: Variation) -> tuple[bytes | None, bytes]:
    """The body and its type, which is empty for a body that says nothing of it."""
    body = change.body
    if body is None and (change.status or 200) >= 400:
        body = _refusal(change.status or 400, change.message)
    if body is None or isinstance(body, bytes):
        return body, b""
    if isinstance(body, str):
        return body.encode(), b""
    return json.dumps(body).encode(), b"application/json"


def _refusal(status: int, message: str | None) -> dict[str, object]:
    """What OpenAI and those who speak its protocol answer instead."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = f"Error {status}"
    kinds = {
        401: "authentication_error",
        403: "permission_error",
        404: "not_found_error",
        429: "rate_limit_exceeded",
    }
    kind = kinds.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"error": {"message": message or phrase, "type": kind, "code": kind}}


def _with_headers(exchange: Exchange, change: Variation) -> Exchange:
    """The answer's headers, those given replaced or added."""
    if exchange.head is None:
        return exchange
    given = dict(change.headers or {})
    if change.retry_after is not None:
        given["retry-after"] = (
            f"{change.retry_after:g}" if isinstance(change.retry_after, float) else str(change.retry_after)
        )
    new: Headers = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in given.items())
    kept = without_headers(exchange.head.headers, *(name.lower() for name, _ in new))
    return replace(exchange, head=replace(exchange.head, headers=kept + new))
