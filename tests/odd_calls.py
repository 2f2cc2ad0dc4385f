"""Calls with whatever a provider, a model or a caller could put into them, each told by its host."""

from __future__ import annotations

import json
from typing import Any, Final

import httpx2

import recorder

LONG: Final = "model-" + "x" * 20_000
_DEEP: Final = b"[" * 3_000 + b"]" * 3_000


def _answer(**fields: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
    return json.dumps({"id": "c-1", "model": "m", "choices": [choice], **fields}).encode()


def _usage(text: str) -> bytes:
    return _answer(usage=None).replace(b'"usage": null', b'"usage": %b' % text.encode())


def _counted(count: str) -> bytes:
    details = f'{{"cached_tokens":{count},"cache_write_tokens":{count}}}'
    return _usage(
        f'{{"prompt_tokens":{count},"completion_tokens":{count},"total_tokens":{count},'
        f'"prompt_tokens_details":{details},"completion_tokens_details":{{"reasoning_tokens":{count}}}}}'
    )


def _costing(cost: str) -> bytes:
    return _usage(f'{{"prompt_tokens":3,"completion_tokens":4,"cost":{cost}}}')


COUNTS: Final = (
    *("9223372036854775807", "9223372036854775808", "18446744073709551616", "281474976710656", "1e400"),
    *(
        "-1",
        "-0",
        "0",
        "1.5",
        "7.0",
        '"12"',
        "true",
        "NaN",
        "Infinity",
        "-Infinity",
        "[]",
        "{}",
        "1" + "0" * 400,
    ),
)
COSTS: Final = (
    *(
        '"0.5"',
        '"abc"',
        '" 1e-3 "',
        "-1",
        "1e300",
        "9.3e6",
        "NaN",
        "Infinity",
        "true",
        "{}",
        '"NaN"',
        '"1e999"',
    ),
    *("1e-30", "0", '""', '"\u0661"', '"0x10"', '"1_000"'),
)
COST_HEADERS: Final = ("0.25", "NaN", "inf", "-1", "1e400", "0,5", "", "abc", "9" * 4_000, "1_0")
TEXTS: Final = (
    *(
        "a\x00b",
        "\ud800",
        "\udc00\ud800",
        "\x1b[31mred\x1b[0m\x07",
        "<b>&amp;</b>",
        "100%_of",
        "O'Br\"ien; DROP TABLE calls",
    ),
    *(
        "\u202eabc",
        "Müller",
        "MÜLLER",
        "",
        " ",
        "\ufeff",
        "e\u0301",
        "\U0001f600" * 300,
        LONG,
        "a\nb\tc\r",
        "\ufffe\uffff",
    ),
)
NUMBERS: Final = (5, None, True, ["a"], {"a": 1}, 1e300)

ANSWERS: Final = (
    *map(_counted, COUNTS),
    *map(_costing, COSTS),
    *(_answer(model=text, id=text, system_fingerprint=text, service_tier=text) for text in TEXTS),
    *(_answer(model=value, id=value, service_tier=value, usage=value) for value in NUMBERS),
    *(
        _answer(choices=[{"index": 2**70, "message": {"content": text}, "finish_reason": text}])
        for text in TEXTS
    ),
    *(_answer(error={"code": text, "message": text, "type": text}) for text in TEXTS),
    *(
        b"",
        b"null",
        b"{",
        b"\xef\xbb\xbf" + _answer(),
        _answer() + b"}",
        b"\xff\xfe\x00",
        _DEEP,
        b"NaN",
        b"\x00",
    ),
    _answer(choices=[{"message": {"content": "x"}, "logprobs": {"content": [{"logprob": float("-inf")}]}}]),
    b'{"model":"a","model":"b","choices":[],"choices":[{"message":{"content":"\\ud83d"}}]}',
    b"".join(
        b'data: {"model":"m\\u0000","choices":[{"delta":{"content":"%b"}}]}\n\n' % piece
        for piece in (b"\\ud83d", b"\\ude00", b"\\u0000")
    ),
)
REQUESTS: Final[tuple[Any, ...]] = (
    *({"model": text, "user": text, "messages": [{"role": text, "content": text}]} for text in TEXTS),
    *({"model": value, "user": value, "messages": value, "stream": value, "n": value} for value in NUMBERS),
    *(b"", b"null", b"[]", b"{", b"\xff", _DEEP, b'{"model":NaN}', b'{"model":"\\ud800"}', b"\x00"),
)


def make_odd_calls(rec: recorder.Recorder) -> list[str]:
    """One call for each oddity; the hosts, by which rows are told apart."""
    hosts: list[str] = []

    def call(asked: Any, answer: bytes, *headers: tuple[bytes, bytes], **tags: Any) -> None:
        hosts.append(f"odd-{len(hosts)}.test")
        body = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
        reply = httpx2.Response(
            200, content=answer, headers=[(b"content-type", b"application/json"), *headers]
        )
        client = rec.wrap(httpx2.Client(transport=httpx2.MockTransport(lambda request: reply)))
        with recorder.tags(**tags):
            client.post(f"https://{hosts[-1]}/chat/completions", content=body)

    asked = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    for answer in ANSWERS:
        call(asked, answer)
    for request in REQUESTS:
        call(request, _answer(usage={"prompt_tokens": 1, "completion_tokens": 2}))
    for cost in COST_HEADERS:
        call(asked, _answer(), (b"x-litellm-response-cost", cost.encode()))
    for text in TEXTS:
        call(asked, _answer(), (b"x-odd", text.encode("utf-8", "replace").translate(None, b"\r\n\x00")))
        call(asked, _answer(), session_id=text, user_id=text, feature=text, **({text: text} if text else {}))
    for value in (
        2**70,
        float("nan"),
        float("inf"),
        -0.0,
        ["a", {"b": "\x00"}],
        {"a": {"b": [1]}},
        b"\xff",
        object(),
    ):
        call(asked, _answer(), feature=value, team=5)
    return hosts
