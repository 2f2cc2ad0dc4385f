"""What tests of cassette files share: recordings of every kind, and what a file keeps of them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from recorder.cassettes.file.headers import kept_request_headers, kept_response_headers
from recorder.cassettes.source import Recorded
from recorder.exchange import Ending, Exchange, Headers, Request, ResponseHead

_MS = 1_000_000

HOSTILE = st.text(
    st.one_of(
        st.sampled_from(
            "\t\n\r \x00\x07\x1a\x1b\x7f\x85\x9f\u2028\u2029\ufeff\ufffe\uffff#-:|>&*!%@`'\"\\{}[],?~é漢😀a1"
        ),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=40,
)
NAMES = st.one_of(
    st.sampled_from(
        ["model", "content", "role", "n", "yes", "null", "<<", "a b", "x-y", "", "1", "- a", "# b", "---"]
    ),
    HOSTILE,
)
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), HOSTILE
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=12,
)
_STYLES: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"separators": (",", ":"), "ensure_ascii": False},
        {"separators": (",", ":")},
        {},
        {"ensure_ascii": False},
        {"indent": 2},
        {"indent": 4, "ensure_ascii": False},
        {"indent": "\t"},
    ]
)
_ODD_JSON = st.sampled_from(
    [
        b'{"a":1,"a":2}', b'{"a":1.0,"b":1e5,"c":-0,"d":0.10,"e":123456789012345678901234567890}', b'{"a":NaN}',
        b'{"a":"\\ud800"}', b'{"a":"\\ud83d\\ude00 \\u00E9 \\/ \\u003c"}', b'\n \n{"a": 1}\r\n', b'{"a":1}{"b":2}',
        b"[]", b"{}", b'"text"', b"17", b"null", b"{", b'\xef\xbb\xbf{"a":1}', b'{"a":"\xff"}', b"[" * 300 + b"]" * 300,
        b'{"\\u0061":1,"a":2}', b'{"a" :1}', b'{"a":"<b>&amp;\\u2028"}', b'{"a":"\\u003cb\\u003e\\u0026 \\u2028"}',
        b'{"k":"' + b"x" * 5000 + b'"}', b'{"' + b"k" * 2000 + b'":1}',
    ]
)  # fmt: skip


@st.composite
def json_bodies(draw: st.DrawFn) -> bytes:
    return json.dumps(draw(VALUES), **draw(_STYLES)).encode() + draw(st.sampled_from([b"", b"\n", b"\r\n "]))


_DATA = st.one_of(json_bodies(), st.just(b"[DONE]"), HOSTILE.map(str.encode), _ODD_JSON)
_EVENTS = st.one_of(
    _DATA.map(lambda data: b"data: " + data + b"\n\n"),
    _DATA.map(lambda data: b"event: delta\ndata: " + data + b"\n\n"),
    _DATA.map(lambda data: b"data: " + data + b"\r\n\r\n"),
    st.sampled_from(
        [b": OPENROUTER\n\n", b"id: 7\ndata: x\n\n", b"data: a\ndata: b\n\n", b"data:x\n\n", b"\n", b"retry: 1\n\n",
         b"data"]
    ),
)  # fmt: skip
STREAMS = st.lists(_EVENTS, max_size=8).map(b"".join)
BODIES = st.one_of(st.binary(max_size=60), HOSTILE.map(str.encode), json_bodies(), _ODD_JSON, STREAMS)


@st.composite
def chunkings(draw: st.DrawFn, body: bytes) -> tuple[bytes, ...]:
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=6)))
    return tuple(body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True))


_LATIN = st.text(st.characters(max_codepoint=255), max_size=12).map(lambda text: text.encode("latin-1"))
HEADERS = st.lists(
    st.tuples(
        st.one_of(_LATIN, st.sampled_from([b"id", b"Content-Type", b"x-a", b"date", b"content-length"])),
        _LATIN,
    ),
    max_size=5,
).map(tuple)
_TEXTS = st.one_of(st.none(), HOSTILE, st.text(st.characters(), max_size=10))
_TIMES = st.integers(0, 10**6).map(lambda ms: ms * _MS)


@st.composite
def recordings(draw: st.DrawFn) -> Recorded:
    """Any recording that a file can hold, with times to the millisecond."""
    body = draw(BODIES)
    chunks = draw(st.one_of(st.just((body,) if body else ()), chunkings(body)))
    kind = st.sampled_from([(b"content-type", b"text/event-stream"), (b"content-type", b"application/json")])
    head = ResponseHead(
        draw(st.integers(100, 599)),
        (draw(kind), *draw(HEADERS)),
        draw(st.sampled_from([b"HTTP/1.1", b"HTTP/2", b"HTTP/1.0"])),
        draw(st.sampled_from([None, b"", b"OK", b"N\xf6"])),
        draw(_TIMES),
    )
    answered = draw(st.booleans())
    exchange = Exchange(
        Request(
            draw(st.sampled_from(["POST", "GET"])),
            draw(st.text(st.characters(), max_size=20)),
            draw(HEADERS),
            draw(BODIES),
        ),
        draw(st.integers(0, 4 * 10**15)),
        Ending(
            draw(st.sampled_from(["complete", "closed_early", "abandoned", "error", "cancelled"])),
            draw(_TIMES),
            draw(st.sampled_from([None, "request", "response"])),
            draw(_TEXTS),
            draw(_TEXTS),
        ),
        head if answered else None,
        chunks if answered else (),
        tuple(draw(_TIMES) for _ in chunks) if answered else (),
        draw(st.booleans()),
        draw(st.booleans()),
    )
    return Recorded(exchange, "", draw(st.integers(0, 9)), draw(st.integers(0, 9)))


def kept(recorded: Recorded) -> Recorded:
    """What a file keeps: times to the millisecond, no volatile headers, no id of a call."""
    exchange = recorded.exchange
    head = exchange.head
    if head is not None:
        head = replace(head, headers=kept_response_headers(head.headers), at_ns=_rounded(head.at_ns))
    exchange = replace(
        exchange,
        request=replace(exchange.request, headers=kept_request_headers(exchange.request.headers)),
        head=head,
        arrivals_ns=tuple(_rounded(arrival) for arrival in exchange.arrivals_ns),
        ending=replace(exchange.ending, at_ns=_rounded(exchange.ending.at_ns)),
    )
    return Recorded(exchange, "", recorded.lane, recorded.credential)


def chat(
    question: str = "Hi",
    answer: str = "Hello\nthere.",
    *,
    headers: Headers = (
        (b"content-type", b"application/json"),
        (b"content-length", b"0"),
        (b"date", b"today"),
    ),
    started_us: int = 1_700_000_000_000_000,
) -> Recorded:
    """A plain call and its answer."""
    asked = json.dumps(
        {"model": "m", "messages": [{"role": "user", "content": question}]}, separators=(",", ":")
    )
    answered = json.dumps({"choices": [{"message": {"role": "assistant", "content": answer}}]}).encode()
    headers = tuple(
        (name, str(len(answered)).encode() if name == b"content-length" else value) for name, value in headers
    )
    return Recorded(
        Exchange(
            Request(
                "POST",
                "https://llm.test/chat/completions",
                ((b"id", b"m-1"), (b"user-agent", b"x")),
                asked.encode(),
            ),
            started_us,
            Ending("complete", 90 * _MS),
            ResponseHead(200, headers, b"HTTP/1.1", b"OK", 80 * _MS),
            (answered,),
            (90 * _MS,),
        ),
        "",
    )


def stream(*texts: str) -> Recorded:
    """A streamed answer, an event a chunk."""
    events = [
        b"data: "
        + json.dumps({"choices": [{"delta": {"content": text}}]}, separators=(",", ":")).encode()
        + b"\n\n"
        for text in texts
    ]
    events.append(b"data: [DONE]\n\n")
    recorded = chat(headers=((b"content-type", b"text/event-stream"),))
    arrivals = tuple((90 + place) * _MS for place in range(len(events)))
    ending = Ending("closed_early", arrivals[-1])
    return replace(
        recorded,
        content=replace(recorded.exchange, chunks=tuple(events), arrivals_ns=arrivals, ending=ending),
    )


def _rounded(ns: int) -> int:
    return (ns + _MS // 2) // _MS * _MS
