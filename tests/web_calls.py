"""A store for the page's tests: hostile texts, a stream that stands still, a conversation of several turns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from recorder.call import AnswerHalf, Choice, RequestHalf, Usage
from recorder.cassettes import Recorded
from recorder.cassettes.file import FileCassette
from recorder.exchange import Ending
from recorder.interchange.meaning import read_ended
from recorder.ledger import Store
from recorder.ledger.sink import Sink
from recorder.redact import Redactor
from recorder.settings import RedactionRules

from .ledger_calls import START_US, Read, a_call, an_exchange, store_calls
from .test_corpus_dialect import exchange_of, records

SCRIPT = "<script>alert(1)</script>"
HOSTILE = "019aa000-0000-7000-9000-000000000001"
STREAMED = "019aa000-0000-7000-9000-000000000002"
TURNS = tuple(f"019aa000-0000-7000-9000-00000000010{turn}" for turn in range(3))
_MS = 1_000_000


WALK = (
    "/?since=2020-01-01",
    "/?since=2020-01-01&model=nobody",
    "/calls",
    "/calls?q=%3Cscript%3Ealert(1)",
    "/calls?where=nonsense&col=tags&col=id",
    f"/calls/{HOSTILE}",
    f"/calls/{STREAMED}",
    "/conversation?session=trip-8",
    f"/compare?a={TURNS[0]}&b={TURNS[1]}",
    f"/compare?a={HOSTILE}",
    "/cassettes",
    "/cassettes/one?of=store:checkout",
    "/cassettes/one?of=file:broken.yaml",
    "/cassettes/differences?of=store:checkout&of=file:checkout.yaml",
    "/prices",
    "/prices/findings",
    "/nothing",
)
"""Addresses of all pages of these calls, and of the cassettes that `store_cassettes` makes."""


def store_cassettes(url: str, folder: Path) -> Path:
    """Cassettes of these calls in the store and in a folder, which is returned; one is broken, one of no good name."""
    store = Store(url)
    kept = [Recorded(store.exchange(id), id) for id in (HOSTILE, *TURNS)]
    for name in ("checkout", f"{SCRIPT}\u202e"):
        store.cassette(name).save(kept)
    louder = replace(kept[1].exchange, chunks=(kept[1].exchange.chunks[0].replace(b"inn", b"hostel"),))
    FileCassette(folder / "checkout.yaml").save([kept[0], Recorded(louder, "")])
    whole = (folder / "checkout.yaml").read_bytes()
    (folder / "broken.yaml").write_bytes(whole[:900])
    return folder


def store_corpus(url: str) -> list[str]:
    """Store the recorded traffic that lies beside this checkout; the ids of its calls."""
    redactor, sink = Redactor(RedactionRules()), Sink(url)
    exchanges = [exchange_of(record) for record in records().values()]
    ended = [
        read_ended(replace(exchange, started_us=START_US + number * 60_000_000), number, redactor)
        for number, exchange in enumerate(exchanges, 1)
    ]
    sink.store([Read(each.exchange, each.call) for each in ended])
    sink.close()
    return [each.call.id for each in ended]


def store_web_calls(url: str) -> None:
    """Store them all."""
    _store_hostile(url)
    _store_streamed(url)
    _store_turns(url)


def _store_hostile(url: str) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:text/html;base64,PHNjcmlwdD4="}}
    call = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": f'"</pre>{SCRIPT}'}}
    body = {
        "model": "small",
        "stop": SCRIPT,
        "messages": [
            {"role": "system", "content": f"{SCRIPT} \u202eevil\u202c \x1b[31mred"},
            {"role": "user", "content": [{"type": "text", "text": '"><img src=x onerror=alert(2)>'}, image]},
            {"role": "assistant", "content": None, "reasoning_content": f"so {SCRIPT}", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "{{ 7 * 7 }}"},
            {"role": "user", "content": "x" * 1_000_000},
        ],
    }
    tokens = [{"token": SCRIPT, "logprob": -0.7, "top_logprobs": [{"token": '"><b>', "logprob": -1}]}]
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": SCRIPT, "reasoning_content": "Because."},
        "logprobs": {"content": tokens},
        "finish_reason": "stop",
    }
    answer = json.dumps({"id": "c", "model": "small-1", "choices": [choice]}).encode()
    _store(url, HOSTILE, body, (answer,), (5 * _MS,), session_id=f"s-{SCRIPT}", tags={"feature": SCRIPT})


def _store_streamed(url: str) -> None:
    chunks, times, at = [], [], 300 * _MS
    for number in range(60):
        delta = {"reasoning_content": f"step {number} "} if number < 20 else {"content": f"word {number} "}
        event = {"choices": [{"index": 0, "delta": delta}]}
        chunks.append(b"data: " + json.dumps(event).encode() + b"\n\n")
        times.append(at)
        at += 1_500 * _MS if number == 40 else 20 * _MS
    half = AnswerHalf(
        complete=True,
        streamed=True,
        model="deepseek-reasoner",
        choices=(Choice(finish_reason="stop"),),
        usage=Usage(312, 128, None, 1811, 1466),
        first_chunk_ns=times[0],
        first_reasoning_ns=times[0],
        first_token_ns=times[20],
    )
    body = {
        "model": "deepseek-reasoner",
        "stream": True,
        "messages": [{"role": "user", "content": "Plan it."}],
    }
    request = RequestHalf(
        "chat", "deepseek", "api.deepseek.com", 443, "chat", "deepseek-reasoner", stream=True
    )
    _store(url, STREAMED, body, tuple(chunks), tuple(times), answer=half, request=request, duration_ns=at)


def _store_turns(url: str) -> None:
    messages: list[dict[str, Any]] = [{"role": "system", "content": "Be brief."}]
    for turn, id in enumerate(TURNS):
        messages = [*messages, {"role": "user", "content": f"Where do we sleep on day {turn}?"}]
        words = f"In inn {turn}."
        answer = json.dumps(
            {"choices": [{"index": 0, "message": {"role": "assistant", "content": words}}]}
        ).encode()
        _store(
            url,
            id,
            {"model": "small", "messages": messages},
            (answer,),
            (5 * _MS,),
            started_us=START_US + (turn + 1) * 1_000_000,
            session_id="trip-8",
            trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
        )
        messages = [*messages, {"role": "assistant", "content": words}]


def _store(
    url: str, id: str, body: dict[str, Any], chunks: tuple[bytes, ...], times: tuple[int, ...], **changes: Any
) -> None:
    exchange = an_exchange(
        json.dumps(body).encode(), chunks, arrivals_ns=times, ending=Ending("complete", times[-1])
    )
    store_calls(url, a_call(id=id, **changes), exchange=exchange)
