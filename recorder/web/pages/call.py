"""One call: what was said, how it came, what it cost and why."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from ...audit.listing import attempts
from ...audit.reading import Reading, read_body, read_call
from ...audit.stream import read_pieces
from ...errors import PriceError, StoreError
from ...ledger import PriceList
from ..picture import picture
from ..site import Site, site_of
from ..snippets import KINDS, snippet

if TYPE_CHECKING:
    from ...call import Choice
    from ...exchange import Headers
    from ...ledger import Store
    from ...pricing import Price

_SHOWN_FIRST = 2
_SHOWN_LAST = 20
_MOST_TOKENS = 2_000
_ALTERNATIVES = 5


class Token(Struct, frozen=True):
    """One token of an answer, how likely it was, and what else could have stood there."""

    text: str
    shade: int
    title: str


def call(request: Request) -> Response:
    """The page of one call."""
    site, query = site_of(request), request.query_params
    reading = read_call(site.store, site.store.find(request.path_params["id"]))
    row, wire = dict(reading.row), reading.wire
    for name in ("tags", "notes", "finish_reasons"):
        row[name] = json.loads(row[name]) if row[name] else None
    pieces = () if wire is None else read_pieces(wire.exchange)
    messages = () if wire is None else wire.messages
    skipped = 0 if query.get("all") else max(0, len(messages) - _SHOWN_FIRST - _SHOWN_LAST)
    return site.render(
        request,
        "call.html",
        title=f"Call {row['id'][-8:]}",
        row=row,
        reading=reading,
        wire=wire,
        tokens_per_s=_speed(row),
        messages=list(enumerate(messages, 1)),
        skipped=range(_SHOWN_FIRST, _SHOWN_FIRST + skipped),
        parameters=_parameters(reading),
        choices=[] if wire is None else [(choice, _tokens(choice)) for choice in wire.answer.choices],
        body=_body(reading) if site.content else None,
        picture=picture(pieces, reading.moments) if pieces else None,
        stream=len(pieces) > 1,
        headers=_headers(reading),
        price=_price(site.store, row),
        attempts=attempts(site.store, row),
        kinds=KINDS,
    )


def body(request: Request) -> Response:
    """One body, byte for byte, as a file."""
    site = _with_content(request)
    side = request.url.path.rpartition("/")[2]
    id = site.store.find(request.path_params["id"])
    exchange = site.store.exchange(id)
    data = exchange.request.body if side == "request" else exchange.body
    name = f"{id[-8:]}-{side}.bin"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type="application/octet-stream", headers=headers)


def pieces(request: Request) -> Response:
    """The chunks with their times, for playing them."""
    site = _with_content(request)
    exchange = site.store.exchange(site.store.find(request.path_params["id"]))
    return JSONResponse([[piece.at_s, piece.kind, piece.text] for piece in read_pieces(exchange)])


def copy(request: Request) -> Response:
    """The call as curl, Python or a cassette."""
    site, kind = _with_content(request), request.path_params["kind"]
    if kind not in KINDS:
        raise HTTPException(404)
    return PlainTextResponse(snippet(site.store.exchange(site.store.find(request.path_params["id"])), kind))


def _with_content(request: Request) -> Site:
    site = site_of(request)
    if not site.content:
        raise HTTPException(403, "This page was started with --no-content: what was said is not shown.")
    return site


def _speed(row: Mapping[str, Any]) -> float | None:
    starts = [at for at in (row["first_reasoning_s"], row["first_token_s"]) if at is not None]
    if not starts or not row["output_tokens"] or row["output_tokens"] < 2:
        return None
    seconds = row["duration_s"] - min(starts)
    return (row["output_tokens"] - 1) / seconds if seconds > 0.01 else None


def _parameters(reading: Reading) -> list[tuple[str, str]]:
    if reading.wire is None:
        return []
    return [
        (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))
        for name, value in reading.wire.request.parameters.items()
    ]


def _body(reading: Reading) -> str | None:
    """An answer without choices, as it came."""
    wire = reading.wire
    return (
        None if wire is None or wire.answer.choices or not wire.exchange.chunks else read_body(wire.exchange)
    )


def _headers(reading: Reading) -> list[tuple[str, list[tuple[str, str]]]]:
    if reading.wire is None:
        return []
    exchange = reading.wire.exchange
    found = [("Request headers", _readable(exchange.request.headers))]
    if exchange.head is not None:
        found.append(("Response headers", _readable(exchange.head.headers)))
    return found


def _readable(headers: Headers) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _price(store: Store, row: Mapping[str, Any]) -> Price | None:
    """The row of the price book that the cost is from."""
    if not row["price_id"]:
        return None
    try:
        return PriceList(store.url).find(row["price_id"])
    except (PriceError, StoreError):
        return None


def _tokens(choice: Choice) -> list[Token]:
    logprobs = choice.logprobs if isinstance(choice.logprobs, dict) else {}
    listed = logprobs.get("content")
    return list(_readable_tokens(listed[:_MOST_TOKENS])) if isinstance(listed, list) else []


def _readable_tokens(listed: list[Any]) -> Iterator[Token]:
    for each in listed:
        if not isinstance(each, dict) or not isinstance(each.get("token"), str):
            continue
        share = _share(each.get("logprob"))
        others = each.get("top_logprobs")
        titles = [
            f"{other['token']!r} {_share(other.get('logprob')) or 0:.1%}"
            for other in (others if isinstance(others, list) else ())[:_ALTERNATIVES]
            if isinstance(other, dict) and isinstance(other.get("token"), str)
        ]
        own = "unknown" if share is None else f"{share:.1%}"
        yield Token(
            each["token"], 0 if share is None else min(9, int((1 - share) * 10)), " · ".join([own, *titles])
        )


def _share(logprob: Any) -> float | None:
    if isinstance(logprob, bool) or not isinstance(logprob, int | float) or math.isnan(logprob):
        return None
    return math.exp(min(0.0, max(-700.0, logprob)))
