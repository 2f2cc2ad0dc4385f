"""An exchange as the fields of a JSON object, and back, exactly."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate, pairwise
from typing import Annotated

from msgspec import Meta, Struct

from ..exchange import Ending, EndingKind, Exchange, Headers, Phase, Request, ResponseHead
from .exact_text import Spelled, spell, spell_text, unspell, unspell_text

_Pairs = list[tuple[Spelled, Spelled]]
_Int = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
_Long = Annotated[int, Meta(ge=-(2**62), le=2**62)]


class RequestFields(Struct, frozen=True, forbid_unknown_fields=True):
    """What was sent."""

    method: Spelled
    url: Spelled
    headers: _Pairs
    body: Spelled | None = None


class HeadFields(Struct, frozen=True, forbid_unknown_fields=True):
    """The head of the response."""

    status: _Int
    http_version: Spelled
    reason: Spelled | None
    headers: _Pairs
    at_ns: _Long


class EndingFields(Struct, frozen=True, forbid_unknown_fields=True):
    """How the exchange ended."""

    kind: EndingKind
    at_ns: _Long
    phase: Phase | None
    exception: Spelled | None
    message: Spelled | None


class ExchangeFields(Struct, frozen=True, forbid_unknown_fields=True):
    """An exchange; `chunks` are the lengths in bytes of the pieces in which the body came.

    A body that is absent stands elsewhere.
    """

    started_us: _Long
    request: RequestFields
    head: HeadFields | None
    chunks: list[Annotated[int, Meta(ge=0)]]
    arrivals_ns: list[_Long]
    ending: EndingFields
    redacted: bool
    usage_asked: bool
    body: Spelled | None = None


def exchange_fields(exchange: Exchange) -> ExchangeFields:
    """The fields of an exchange."""
    request = exchange.request
    return ExchangeFields(
        started_us=exchange.started_us,
        request=RequestFields(
            spell_text(request.method), spell_text(request.url), _pairs(request.headers), spell(request.body)
        ),
        head=None if exchange.head is None else _head_fields(exchange.head),
        chunks=list(map(len, exchange.chunks)),
        arrivals_ns=list(exchange.arrivals_ns),
        ending=_ending_fields(exchange.ending),
        redacted=exchange.redacted,
        usage_asked=exchange.usage_asked,
        body=spell(exchange.body),
    )


def read_exchange(fields: ExchangeFields) -> Exchange:
    """The exchange that has these fields; raises ValueError."""
    request = fields.request
    return Exchange(
        request=Request(
            unspell_text(request.method),
            unspell_text(request.url),
            _headers(request.headers),
            unspell(request.body or ""),
        ),
        started_us=fields.started_us,
        ending=_read_ending(fields.ending),
        head=None if fields.head is None else _read_head(fields.head),
        chunks=_cut(unspell(fields.body or ""), fields.chunks),
        arrivals_ns=tuple(fields.arrivals_ns),
        redacted=fields.redacted,
        usage_asked=fields.usage_asked,
    )


def _head_fields(head: ResponseHead) -> HeadFields:
    return HeadFields(
        head.status,
        spell(head.http_version),
        None if head.reason is None else spell(head.reason),
        _pairs(head.headers),
        head.at_ns,
    )


def _read_head(fields: HeadFields) -> ResponseHead:
    return ResponseHead(
        fields.status,
        _headers(fields.headers),
        unspell(fields.http_version),
        None if fields.reason is None else unspell(fields.reason),
        fields.at_ns,
    )


def _ending_fields(ending: Ending) -> EndingFields:
    return EndingFields(
        ending.kind,
        ending.at_ns,
        ending.phase,
        None if ending.exception is None else spell_text(ending.exception),
        None if ending.message is None else spell_text(ending.message),
    )


def _read_ending(fields: EndingFields) -> Ending:
    return Ending(
        fields.kind,
        fields.at_ns,
        fields.phase,
        None if fields.exception is None else unspell_text(fields.exception),
        None if fields.message is None else unspell_text(fields.message),
    )


def _pairs(headers: Headers) -> _Pairs:
    return [(spell(name), spell(value)) for name, value in headers]


def _headers(pairs: Iterable[tuple[Spelled, Spelled]]) -> Headers:
    return tuple([(unspell(name), unspell(value)) for name, value in pairs])


def _cut(body: bytes, lengths: list[int]) -> tuple[bytes, ...]:
    if sum(lengths) != len(body):
        raise ValueError(f"its chunks have {sum(lengths)} bytes, and its body has {len(body)}")
    return tuple([body[start:end] for start, end in pairwise(accumulate(lengths, initial=0))])
