"""The local upstream: what it answers, and that scripted answers arrive exactly as scripted."""

from __future__ import annotations

import importlib
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from recorder.demo.upstream import Step, Upstream

KEY = {"Authorization": "Bearer test"}
GATEWAY = KEY | {"id": "018037b8-90fe-47f6-b131-33de9fbe79ab"}
TOOL = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"properties": {"city": {"type": "string"}}}},
}


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(params=["httpx", "httpx2"])
def library(request: pytest.FixtureRequest) -> Any:
    return importlib.import_module(request.param)


@pytest.fixture
def client(library: Any, upstream: Upstream) -> Iterator[Any]:
    with library.Client(base_url=upstream.base_url, headers=KEY, timeout=5.0) as client:
        yield client


def ask(model: str = "deepseek-chat", **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "How is it in Paris"}], **more}


def stream(client: Any, **more: Any) -> list[dict[str, Any]]:
    """The events of a streamed answer, after checking how it ends."""
    body = client.post("/chat/completions", json=ask(stream=True, **more)).text
    *events, done, rest = body.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events if not event.startswith(":")]


def joined(events: list[dict[str, Any]], name: str) -> str:
    return "".join(event["choices"][0]["delta"].get(name) or "" for event in events)


def read_into(received: list[bytes], client: Any, **options: Any) -> list[bytes]:
    with client.stream("POST", "/chat/completions", json=ask(), **options) as response:
        for chunk in response.iter_raw():
            received.append(chunk)  # noqa: PERF402 - what came before an error counts
    return received


@pytest.mark.parametrize("path", ["/chat/completions", "/v1/chat/completions"])
def test_chat_answers_with_text_and_usage(client: Any, upstream: Upstream, path: str) -> None:
    answer = client.post(path, json=ask()).json()
    usage = answer["usage"]
    assert answer["id"] == "chatcmpl-demo-0001"
    assert answer["choices"][0]["message"]["content"].startswith("Your text has 5 words")
    assert usage["prompt_tokens"] == usage["prompt_cache_hit_tokens"] + usage["prompt_cache_miss_tokens"] == 9
    assert (upstream.requests[0].json(), upstream.requests[0].header("AUTHORIZATION")) == (
        ask(),
        "Bearer test",
    )


def test_stream_carries_the_same_answer_and_its_usage_last(client: Any) -> None:
    answer = client.post("/chat/completions", json=ask()).json()
    events = stream(client)
    assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert joined(events, "content") == answer["choices"][0]["message"]["content"]
    assert [event.get("usage") for event in events if "usage" in event] == [answer["usage"]]
    assert events[-1]["choices"][0]["finish_reason"] == "stop"


def test_reasoning_comes_before_the_answer(client: Any) -> None:
    events = stream(client, model="deepseek-reasoner")
    kinds = ["r" if event["choices"][0]["delta"].get("reasoning_content") else "c" for event in events[1:]]
    assert "".join(kinds).lstrip("r").strip("c") == ""
    assert events[-1]["usage"]["completion_tokens_details"]["reasoning_tokens"] == kinds.count("r") > 0


def test_tool_call_is_streamed_in_pieces(client: Any) -> None:
    deltas = [event["choices"][0]["delta"] for event in stream(client, tools=[TOOL])]
    calls = [delta["tool_calls"][0] for delta in deltas if "tool_calls" in delta]
    assert (calls[0]["function"]["name"], len(calls) > 2) == ("weather", True)
    assert json.loads("".join(call["function"]["arguments"] for call in calls)) == {"city": "Paris"}


def test_answer_is_cut_at_max_tokens(client: Any) -> None:
    answer = client.post("/chat/completions", json=ask(max_tokens=3)).json()
    assert (answer["choices"][0]["finish_reason"], answer["usage"]["completion_tokens"]) == ("length", 3)


@pytest.mark.parametrize("asked", [False, True])
def test_gateway_streams_usage_only_when_asked(library: Any, upstream: Upstream, asked: bool) -> None:
    with library.Client(base_url=upstream.gateway_url, headers=GATEWAY) as client:
        events = stream(client, model="deepseek-r1", stream_options={"include_usage": asked})
    assert [event["choices"] for event in events if event.get("usage")] == [[]] * asked


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 401), ({"Authorization": "Basic x"}, 401), (KEY, 400), (GATEWAY, 200)]
)
def test_gateway_wants_a_token_and_an_id(
    library: Any, upstream: Upstream, headers: dict[str, str], status: int
) -> None:
    url = upstream.gateway_url + "/chat/completions"
    assert library.post(url, json=ask("deepseek-r1"), headers=headers).status_code == status


@pytest.mark.parametrize(
    ("request_", "status", "message"),
    [
        ({"json": ask("gpt")}, 400, "Model Not Exist"),
        ({"json": ask() | {"messages": []}}, 400, "Empty input messages"),
        ({"content": b"[]"}, 400, "Failed to parse the request body as JSON"),
        ({"json": ask(), "headers": {"Authorization": ""}}, 401, "Authentication Fails (governor)"),
    ],
)
def test_refusals_read_like_the_real_ones(
    client: Any, request_: dict[str, Any], status: int, message: str
) -> None:
    response = client.post("/chat/completions", **request_)
    assert (response.status_code, response.json()["error"]["message"]) == (status, message)


def test_rate_limit_hits_each_key_once(client: Any) -> None:
    keys = ["rate-limit-once", "rate-limit-once", "rate-limit-once-2", "rate-limit-once-2"]
    responses = [client.post("/chat/completions", json=ask(), headers={"x-demo": key}) for key in keys]
    assert [response.status_code for response in responses] == [429, 200, 429, 200]
    assert responses[0].headers["retry-after"] == "0"


def test_padding_comes_before_the_body(client: Any) -> None:
    response = client.post("/chat/completions", json=ask(), headers={"x-demo": "padding"})
    assert response.content.startswith(b"\n\n\n{")
    assert response.json()["object"] == "chat.completion"


def test_slow_answer_times_out_and_does_not_hold_up_stop(
    library: Any, client: Any, upstream: Upstream
) -> None:
    with pytest.raises(library.ReadTimeout):
        client.post("/chat/completions", json=ask(), headers={"x-demo": "slow"}, timeout=0.05)
    started = time.monotonic()
    upstream.stop()
    assert time.monotonic() - started < 1.0


def test_every_chunk_arrives_as_it_was_scripted(client: Any, upstream: Upstream) -> None:
    text = 'data: {"content": "—€𝄞"}\n\n'.encode() * 400
    chunks = tuple(bytes([byte]) for byte in text)
    assert len(chunks) > 10_000
    upstream.script(Step.of_events(*chunks))
    assert read_into([], client) == list(chunks)


def test_steps_are_served_in_turn_and_then_the_usual_answer(client: Any, upstream: Upstream) -> None:
    upstream.script(Step(418, (("X-Odd", "a"), ("x-odd", "b")), (b"", b"tea")), Step.of_json({}, 503))
    responses = [client.post("/anything", json=ask()) for _ in range(3)]
    assert [response.status_code for response in responses] == [418, 503, 404]
    assert responses[0].headers.raw == [
        (b"X-Odd", b"a"),
        (b"x-odd", b"b"),
        (b"Transfer-Encoding", b"chunked"),
    ]
    assert responses[0].content == b"tea"


@pytest.mark.parametrize("transfer", ["chunked", "length"])
@pytest.mark.parametrize(
    ("then", "error"), [("reset", "ReadError"), ("cut", "RemoteProtocolError"), ("hang", "ReadTimeout")]
)
def test_body_that_breaks_off_arrives_up_to_there(
    library: Any, client: Any, upstream: Upstream, then: Any, error: str, transfer: Any
) -> None:
    upstream.script(Step(body=(b"x" * 1000,) * 2000, then=then, transfer=transfer))
    received: list[bytes] = []
    with pytest.raises(getattr(library, error)):
        read_into(received, client, timeout=0.3 if then == "hang" else 5.0)
    assert len(b"".join(received)) == 2_000_000


def test_client_that_leaves_early_harms_nobody(
    client: Any, upstream: Upstream, capfd: pytest.CaptureFixture[str]
) -> None:
    upstream.script(Step(body=(b"x" * 100_000,) * 200))
    with client.stream("POST", "/chat/completions") as response:
        next(response.iter_raw())
    assert client.post("/chat/completions", json=ask()).status_code == 200
    assert capfd.readouterr() == ("", "")


def test_body_sent_in_chunks_is_read(client: Any, upstream: Upstream) -> None:
    client.post("/chat/completions", content=iter([b'{"a":', b" 1}"]))
    assert upstream.requests[0].json() == {"a": 1}


def test_stop_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    with Upstream():
        assert set(threading.enumerate()) > before
    for thread in set(threading.enumerate()) - before:
        thread.join(2.0)
    assert set(threading.enumerate()) <= before
