"""Conversations that resend their history, as many programs have them; made anew, and always the same."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from msgspec.structs import replace

from recorder.body import read_answer
from recorder.call import Call
from recorder.dialects import dialect_for
from recorder.exchange import Ending, Exchange, Request, ResponseHead
from recorder.ids import id_text, new_id

from .ledger_calls import Read

_LETTERS = "etaoinshrdlucmfwypvbgk"
_COMMONNESS = [1 / (rank + 2) for rank in range(len(_LETTERS))]
START_US = 1_763_766_000_000_000


class Speakers:
    """Who talks: a vocabulary of made-up words, none of which is rare."""

    def __init__(self, seed: int = 1, vocabulary: int = 5_500) -> None:
        self.dice = random.Random(seed)
        self._words = ["".join(self._letters(self.dice.randint(2, 10))) for _ in range(vocabulary)]

    def _letters(self, number: int) -> list[str]:
        return self.dice.choices(_LETTERS, cum_weights=list(accumulate(_COMMONNESS)), k=number)

    def text(self, shortest: int, longest: int) -> str:
        """Some words."""
        return " ".join(self.dice.choices(self._words, k=self.dice.randint(shortest, longest) // 7))


def talk(conversations: int, turns: int, seed: int = 1) -> Iterator[tuple[int, bytes, bytes]]:
    """Request and answer of each turn of conversations that go on side by side, with the number of each."""
    speakers = Speakers(seed)
    system = {"role": "system", "content": "You know rivers. " + speakers.text(300, 300)}
    histories: list[list[dict[str, str]]] = [[system] for _ in range(conversations)]
    for _ in range(turns):
        for number, messages in enumerate(histories):
            messages.append({"role": "user", "content": speakers.text(150, 450)})
            asked = {"model": "deepseek-chat", "messages": messages, "temperature": 0.7}
            said = speakers.text(250, 850)
            messages.append({"role": "assistant", "content": said})
            yield number, compact({**asked, "messages": messages[:-1]}), compact(answer(speakers, said))


def answer(speakers: Speakers, said: str) -> dict[str, Any]:
    """What a server answers."""
    prompt = speakers.dice.randrange(100, 12_000)
    return {
        "id": f"chatcmpl-{speakers.dice.getrandbits(128):032x}",
        "object": "chat.completion",
        "created": START_US // 1_000_000,
        "model": "deepseek-chat",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"},
        ],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": len(said) // 4,
            "total_tokens": prompt + len(said) // 4,
            "prompt_tokens_details": {"cached_tokens": prompt // 64 * 64},
        },
    }


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def recorded(number: int, session: int, body: bytes, said: bytes) -> Read:
    """One such call as the writer gets it, with the headers that clients and servers send."""
    dice = random.Random(number)
    at_us = START_US + number * 250_000 + dice.randrange(200_000)
    names = ("Host", "Accept", "User-Agent", "X-Stainless-Lang", "X-Stainless-OS", "Authorization")
    values = ("api.deepseek.com", "application/json", "OpenAI/Python 3.54.0", "python", "Linux", "[redacted]")
    sent = tuple((name.encode(), value.encode()) for name, value in zip(names, values, strict=True))
    came = (
        (b"Date", b"Sun, 22 Nov 2026 05:17:%02d GMT" % (number % 60)),
        (b"Content-Type", b"application/json"),
        (b"Content-Length", b"%d" % len(said)),
        (b"x-ds-trace-id", b"%032x" % dice.getrandbits(128)),
        (b"Server", b"elb"),
    )
    exchange = Exchange(
        Request(
            "POST",
            "https://api.deepseek.com/chat/completions",
            (*sent, (b"Content-Length", b"%d" % len(body))),
            body,
        ),
        at_us,
        Ending("complete", dice.randrange(2_000_000_000, 5_000_000_000)),
        ResponseHead(200, came, reason=b"OK", at_ns=dice.randrange(500_000_000, 1_000_000_000)),
        (said,),
        (dice.randrange(1_000_000_000, 2_000_000_000),),
    )
    dialect = dialect_for("POST", "/chat/completions")
    assert dialect is not None
    half = dialect.read_request(exchange.request, "deepseek")
    meaning = dialect.read_answer(exchange, read_answer(exchange), half)
    id = id_text(new_id(at_us // 1000))
    call = Call(id, id, at_us, exchange.ending.at_ns, half, meaning, "ok", http_status=200)
    return Read(exchange, replace(call, session_id=f"s-{session}"))
