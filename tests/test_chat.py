"""Chat completions: which requests they are, what they ask, what plain answers say."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.body import read_answer
from recorder.call import AnswerHalf, Choice, Message, RequestHalf, ToolCall, Usage
from recorder.dialects import SIGNIFICANT_HEADERS, Dialect, dialect_for
from recorder.dialects.chat import read_messages, read_tools
from recorder.dialects.chat.chunk import Chunk, ChunkChoice, Delta
from recorder.exchange import Ending, Exchange, Headers, Request, ResponseHead

URL = "https://gateway.corp.local/chat/completions"


def dialect_of(path: str, *also: str) -> Dialect:
    dialect = dialect_for("POST", path, also)
    assert dialect is not None
    return dialect


CHAT = dialect_of("/chat/completions")


def ask(body: Any, headers: Headers = (), url: str = URL) -> RequestHalf:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return CHAT.read_request(Request("POST", url, headers, data), "gateway")


def answered(
    body: Any, status: int = 200, headers: Headers = ((b"content-type", b"application/json"),)
) -> AnswerHalf:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    exchange = Exchange(
        Request("POST", URL), 0, Ending("complete", 9), ResponseHead(status, headers), (data,), (7,)
    )
    return CHAT.read_answer(exchange, read_answer(exchange), ask({"model": "m"}))


def said(**message: Any) -> Choice:
    """The only choice of an answer with this message."""
    (choice,) = answered({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).choices
    return choice


def used(usage: Any) -> AnswerHalf:
    return answered({"choices": [{"index": 0, "message": {"content": "x"}}], "usage": usage})


# Which dialect


@pytest.mark.parametrize(
    ("method", "path", "also", "name"),
    [
        ("POST", "/chat/completions", (), "chat"),
        ("POST", "/v1/chat/completions", (), "chat"),
        ("POST", "/v1/chat/completions/", (), "chat"),
        ("POST", "/openai/deployments/d/chat/completions?api-version=1", (), "chat"),
        ("POST", "/v1/chat/completions", ("*",), "chat"),
        ("GET", "/v1/chat/completions", (), None),
        ("GET", "/v1/chat/completions", ("*",), "plain"),
        ("POST", "/v1/chat/completions/chatcmpl-1", (), None),
        ("POST", "/v1/xchat/completions", (), "none"),
        ("POST", "/v1/embeddings", (), None),
        ("POST", "/v1/embeddings", ("/embeddings",), "plain"),
        ("POST", "/v1/embeddings/", ("/responses", "/embeddings"), "plain"),
        ("POST", "/v1/embeddings?x=/responses", ("/responses",), None),
    ],
)
def test_dialect_is_chosen_by_method_and_path(
    method: str, path: str, also: tuple[str, ...], name: str | None
) -> None:
    dialect = dialect_for(method, path, also)
    assert (dialect.name if dialect else None) == (None if name == "none" else name)


def test_gateways_id_header_is_significant() -> None:
    assert CHAT.significant_headers == (b"id",)
    assert SIGNIFICANT_HEADERS == (b"id",)


# Requests


def test_request_of_the_gateways_documentation() -> None:
    body = {
        "model": "deepseek-r1",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "max_tokens": 1024,
        "temperature": 0.7,
        "top_p": 1,
        "top_k": 50,
        "stop": None,
        "repetition_penalty": 1.1,
        "do_sample": True,
        "seed": 7,
        "system_prompt": "Be brief.",
    }
    half = ask(body, ((b"Host", b"gateway.corp.local"), (b"Id", b"018037b8-90fe"), (b"id", b"second")))
    assert (half.dialect, half.provider, half.operation) == ("chat", "gateway", "chat")
    assert (half.host, half.port) == ("gateway.corp.local", 443)
    assert (half.model, half.stream, half.system_prompt) == ("deepseek-r1", True, "Be brief.")
    assert half.model_id == "018037b8-90fe"
    assert half.parameters == {key: value for key, value in body.items() if key != "messages"}
    assert half.raw_messages is not None
    assert bytes(half.raw_messages) == b'[{"role": "user", "content": "hi"}]'
    assert half.notes == ()


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://localhost/chat/completions", ("localhost", 80)),
        ("http://localhost:11434/v1/chat/completions", ("localhost", 11434)),
        ("https://[::1]:8000/chat/completions", ("::1", 8000)),
        ("https://api.deepseek.com:bad/chat/completions", ("", 0)),
        ("", ("", 443)),
    ],
)
def test_host_and_port_come_from_the_url(url: str, place: tuple[str, int]) -> None:
    half = ask({"model": "m"}, url=url)
    assert (half.host, half.port) == place


def test_deployment_names_the_model_where_the_body_does_not() -> None:
    url = "https://unit.openai.azure.com/openai/deployments/my%20gpt/chat/completions?api-version=2024"
    assert ask({"messages": []}, url=url).model == "my gpt"
    assert ask({"model": "gpt-5"}, url=url).model == "gpt-5"


@pytest.mark.parametrize(
    ("body", "user_id"),
    [
        ({"user_id": "u-1", "user": "u-2"}, "u-1"),
        ({"user": "u-2", "safety_identifier": "u-3"}, "u-2"),
        ({"user_id": "", "safety_identifier": "u-3"}, "u-3"),
        ({"user_id": 5, "user": None}, None),
    ],
)
def test_user_id_is_the_first_text_of_its_names(body: dict[str, Any], user_id: str | None) -> None:
    assert ask(body).user_id == user_id


@pytest.mark.parametrize(
    ("retries", "attempt"), [(b"0", 1), (b"2", 3), (b"", 1), (b"-1", 1), (b"many", 1), (b"9" * 40, 1)]
)
def test_attempt_counts_from_the_retry_header(retries: bytes, attempt: int) -> None:
    assert ask({}, ((b"X-Stainless-Retry-Count", retries),)).attempt == attempt


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (b"", "request has no body"),
        (b"model=x", "request is not JSON"),
        (b'{"model": "x"', "request is not JSON"),
        (b'["x"]', "request is not a JSON object"),
        (b"[" * 100_000, "request is not JSON"),
        (b'{"model": 5}', "request's model is not text"),
        (b'{"stream": "true"}', "request's stream is neither true nor false"),
        (b'{"messages": "hi"}', "request's messages is not a list"),
        (b'{"tools": {}}', "request's tools is not a list"),
        (b'{"system_prompt": []}', "request's system_prompt is not text"),
    ],
)
def test_unreadable_requests_leave_none_and_a_note(body: bytes, note: str) -> None:
    half = ask(body)
    assert half.notes == (note,)
    assert (half.model, half.stream, half.system_prompt) == (None, False, None)
    assert (half.raw_messages, half.raw_tools, half.raw_functions) == (None, None, None)


def test_nulls_are_neither_values_nor_odd() -> None:
    half = ask({"model": None, "stream": None, "messages": None, "tools": None, "functions": None})
    assert half.notes == ()
    assert half.parameters == {"model": None, "stream": None}
    assert half.raw_tools is None


@pytest.mark.parametrize(
    "body",
    [
        b'\xef\xbb\xbf{"model":"m","temperature":0.5,"messages":[{"role":"user","content":"hi"}]}',
        b'\n\n {"model":"m","temperature":0.5,"messages":[{"role":"user","content":"hi"}]} \n',
    ],
)
def test_odd_json_of_requests_is_read(body: bytes) -> None:
    half = ask(body)
    assert half.parameters == {"model": "m", "temperature": 0.5}
    assert read_messages(half) == (Message(role="user", content="hi"),)


def test_text_of_a_request_can_always_be_encoded() -> None:
    half = ask(
        b'{"model":"m\\ud83d","user":"\\ud83d\\ude00","messages":[{"role":"user","content":"a\\ude00"}]}'
    )
    assert (half.model, half.user_id) == ("m\ufffd", "\U0001f600")
    assert read_messages(half)[0].content == "a\ufffd"


def test_compressed_request_is_read() -> None:
    half = ask(gzip.compress(b'{"model":"m"}'), ((b"content-encoding", b"gzip"),))
    assert half.model == "m"


@given(st.binary())
def test_no_request_is_too_odd_to_be_read(body: bytes) -> None:
    assert isinstance(ask(body), RequestHalf)


# Messages and tools


def test_messages_are_read_for_display() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    half = ask(
        {
            "messages": [
                {"role": "system", "content": "Be brief.", "name": "boss"},
                {"role": "user", "content": [{"type": "text", "text": "hi"}]},
                {"role": "assistant", "content": None, "reasoning_content": "Hm.", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "c1", "content": "3"},
                {"role": "assistant", "function_call": {"name": "old", "arguments": "{}"}},
            ]
        }
    )
    assert read_messages(half) == (
        Message(role="system", content="Be brief.", name="boss"),
        Message(role="user", content=[{"type": "text", "text": "hi"}]),
        Message(role="assistant", reasoning="Hm.", tool_calls=(ToolCall("c1", "add", "{}"),)),
        Message(role="tool", content="3", tool_call_id="c1"),
        Message(role="assistant", tool_calls=(ToolCall(None, "old", "{}"),)),
    )


def test_what_is_no_message_shows_as_its_content() -> None:
    half = ask({"messages": ["hi", 5, {"role": 7, "content": {"text": "x"}, "tool_calls": "no"}]})
    assert read_messages(half) == (
        Message(content="hi"),
        Message(content=[5]),
        Message(content=[{"text": "x"}]),
    )


def test_tools_come_before_legacy_functions() -> None:
    half = ask({"tools": [{"type": "function"}], "functions": [{"name": "old"}]})
    assert read_tools(half) == ({"type": "function"}, {"name": "old"})
    assert read_tools(ask({})) == read_messages(ask({})) == ()


# Plain answers


def test_answer_of_the_gateways_documentation() -> None:
    answer = answered(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1699014493,
            "model": "deepseek-r1",
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}
            ],
            "usage": {"prompt_tokens": 18, "completion_tokens": 156, "total_tokens": 174},
            "system_fingerprint": "fp-1",
            "service_tier": "default",
        }
    )
    assert answer == AnswerHalf(
        complete=True,
        response_id="chatcmpl-1",
        model="deepseek-r1",
        choices=(Choice(role="assistant", content="Hello.", finish_reason="stop"),),
        usage=Usage(input=18, output=156),
        raw_usage={"prompt_tokens": 18, "completion_tokens": 156, "total_tokens": 174},
        system_fingerprint="fp-1",
        service_tier="default",
    )


@pytest.mark.parametrize(
    ("message", "reasoning"),
    [
        ({"reasoning_content": "Hm."}, "Hm."),
        ({"reasoning": "Hm."}, "Hm."),
        ({"reasoning_text": "Hm.", "reasoning_opaque": "gAAA"}, "Hm."),
        ({"reasoning": "Hm.", "reasoning_content": "Hm."}, "Hm."),
        ({"reasoning": "Hm.", "reasoning_content": ""}, "Hm."),
        ({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]}, "Hm."),
        ({"content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "3"}]}, "Hm."),
        ({"content": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}]}, "Hm."),
        ({"content": [{"type": ["thinking"], "thinking": "Hm."}, {"type": "reasoning"}]}, None),
        ({"reasoning": "Hm.", "reasoning_details": [{"text": "Hm."}]}, "Hm."),
        ({"reasoning_details": [{"text": "Hm."}]}, None),
        ({"reasoning_content": ""}, None),
        ({"reasoning": {"effort": "low"}}, None),
        ({"reasoning_content": {"reasoningContent": {"reasoningText": {"text": "Hm."}}}}, "Hm."),
        ({"reasoning_content": {"signature": "s"}, "reasoning": "Hm."}, "Hm."),
    ],
)
def test_reasoning_goes_by_several_names(message: dict[str, Any], reasoning: str | None) -> None:
    assert said(**message).reasoning == reasoning


def test_content_of_parts_stays_as_sent() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "text", "text": "3"},
    ]
    assert said(content=parts).content == parts


def test_refusal_and_logprobs_are_read() -> None:
    logprobs = {"content": [{"token": "x", "logprob": -0.1}], "refusal": None}
    answer = answered({"choices": [{"message": {"content": None, "refusal": "No."}, "logprobs": logprobs}]})
    assert answer.choices == (Choice(refusal="No.", logprobs=logprobs),)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (
            {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}},
            ToolCall("c1", "add", '{"a":1}'),
        ),
        ({"id": "c1", "function": {"name": "add", "arguments": {"a": 1}}}, ToolCall("c1", "add", '{"a":1}')),
        ({"id": "c1", "function": {"name": "add", "arguments": None}}, ToolCall("c1", "add", "")),
        (
            {"id": "c1", "type": "custom", "custom": {"name": "sql", "input": "select 1"}},
            ToolCall("c1", "sql", "select 1", "custom"),
        ),
        (
            {"id": "c1", "function": {"name": "add", "arguments": "{}"}, "custom": {"name": "", "input": ""}},
            ToolCall("c1", "add", "{}"),
        ),
        ({}, ToolCall()),
    ],
)
def test_tool_calls_come_in_several_shapes(call: dict[str, Any], expected: ToolCall) -> None:
    assert said(tool_calls=[call]).tool_calls == (expected,)


def test_one_tool_call_that_is_in_no_list_is_read() -> None:
    call = {"type": "function", "function": {"name": "add", "arguments": "{}"}, "id": ""}
    assert said(tool_calls=call).tool_calls == (ToolCall(None, "add", "{}"),)


def test_legacy_function_call_is_read_unless_empty() -> None:
    assert said(function_call={"name": "add", "arguments": "{}"}).function_call == ToolCall(None, "add", "{}")
    assert said(function_call={"name": "", "arguments": ""}).function_call is None


def test_choices_are_in_the_order_of_their_indexes() -> None:
    answer = answered(
        {
            "choices": [
                {"index": 1, "message": {"content": "b"}, "finish_reason": ""},
                {"index": 0, "message": {"content": "a"}, "finish_reason": "length"},
            ]
        }
    )
    assert [choice.content for choice in answer.choices] == ["a", "b"]
    assert answer.finish_reasons == ("length", None)


@pytest.mark.parametrize("padding", [b"\n\n\n", b"\r\n \n", b"\xef\xbb\xbf"])
def test_padding_before_json_is_no_obstacle(padding: bytes) -> None:
    answer = answered(padding + b'{"choices":[{"message":{"content":"x"}}]}')
    assert answer.complete
    assert answer.choices == (Choice(content="x"),)


def test_text_of_an_answer_can_always_be_encoded() -> None:
    answer = answered(b'{"choices":[{"message":{"content":"\\ud83d\\ude00 \\ud83d"}}],"usage":{"x":NaN}}')
    assert answer.choices[0].content == "\U0001f600 \ufffd"


# Usage


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 1},
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
            Usage(10, 8, 1, 5, 3),
        ),
        ({"prompt_tokens": 10, "prompt_cache_hit_tokens": 8, "prompt_tokens_details": None}, Usage(10, 8)),
        (
            {
                "prompt_tokens": 10,
                "prompt_cache_hit_tokens": 8,
                "prompt_tokens_details": {"cached_tokens": 0},
            },
            Usage(10, 0),
        ),
        ({"prompt_tokens": 10, "cached_tokens": 4}, Usage(10, 4)),
        ({"prompt_tokens": 10, "num_cached_tokens": 4}, Usage(10, 4)),
        ({"prompt_tokens_details": {"cache_creation_tokens": 2}}, Usage(cache_write=2)),
        ({"prompt_tokens_details": {"cache_creation_input_tokens": 2}}, Usage(cache_write=2)),
        (
            {"prompt_tokens_details": {"cache_creation_input_tokens": 2}, "prompt_tokens": 3.0},
            Usage(3, cache_write=2),
        ),
        ({"cache_creation_input_tokens": 2}, Usage(cache_write=2)),
        ({"completion_tokens": 5, "reasoning_tokens": 3}, Usage(output=5, reasoning=3)),
        ({"prompt_tokens": 10.0, "completion_tokens": 0}, Usage(10, output=0)),
        ({}, Usage()),
    ],
)
def test_usage_goes_by_several_names(usage: dict[str, Any], expected: Usage) -> None:
    answer = used(usage)
    assert answer.usage == expected
    assert answer.raw_usage == usage
    assert answer.notes == ()


@pytest.mark.parametrize("count", [True, -1, "7", 1.5, [], 2**63])
def test_counts_that_are_none_leave_none_and_a_note(count: Any) -> None:
    answer = used({"prompt_tokens": count, "prompt_tokens_details": {"cached_tokens": count}})
    assert answer.usage == Usage()
    assert answer.notes == (
        "usage.prompt_tokens is not a count",
        "usage.prompt_tokens_details.cached_tokens is not a count",
    )


def test_usage_that_is_no_object_is_noted() -> None:
    assert used(12).usage is None
    assert used(12).notes == ("usage is not an object",)
    assert used(None).notes == ()


def test_counts_that_contradict_each_other_are_noted() -> None:
    answer = used({"prompt_tokens": 5, "completion_tokens": 2, "cached_tokens": 9, "reasoning_tokens": 148})
    assert answer.usage == Usage(5, 9, None, 2, 148)
    assert answer.notes == (
        "usage: more tokens cached than put in",
        "usage: completion_tokens does not include the reasoning tokens",
    )


# Errors


@pytest.mark.parametrize(
    ("status", "body", "type", "message"),
    [
        (
            401,
            {"error": {"message": "Bad key", "type": "auth", "code": "invalid_api_key"}},
            "invalid_api_key",
            "Bad key",
        ),
        (
            400,
            {"error": {"message": "Bad", "type": "invalid_request_error", "code": None}},
            "invalid_request_error",
            "Bad",
        ),
        (429, {"error": {"message": "Slow down", "code": 429}}, "429", "Slow down"),
        (429, {"error": {"message": "Slow down", "code": "too many requests!"}}, "429", "Slow down"),
        (500, {"error": {"message": "", "code": True}}, "500", '{"error":{"message":"","code":true}}'),
        (500, {"error": "boom"}, "500", "boom"),
        (401, {"message": "Unauthorized", "request_id": "r"}, "401", "Unauthorized"),
        (
            400,
            {"object": "error", "message": "Too long", "type": "BadRequestError", "code": 400},
            "400",
            "Too long",
        ),
        (
            422,
            {"detail": [{"loc": ["body", "n"], "msg": "too big", "type": "int"}]},
            "422",
            "body.n: too big",
        ),
        (
            422,
            {"object": "error", "message": {"detail": [{"loc": ["n"], "msg": "too big"}]}},
            "422",
            "n: too big",
        ),
        (
            429,
            [{"error": {"code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED"}}],
            "RESOURCE_EXHAUSTED",
            "Quota",
        ),
        (500, {"error": {"code": 500, "message": "Down", "status": "error"}}, "500", "Down"),
        (
            403,
            {"success": False, "errors": [{"code": 10000, "message": "Authentication"}]},
            "10000",
            "Authentication",
        ),
        (422, {"error": "Too long", "error_type": "validation"}, "validation", "Too long"),
        (400, {"error_code": "BAD_REQUEST", "message": "Odd"}, "BAD_REQUEST", "Odd"),
        (429, {"detail": {"error": "busy"}}, "429", "busy"),
        (400, {"base_resp": {"status_code": 2013, "status_msg": "invalid params"}}, "2013", "invalid params"),
        (503, b"upstream connect error", "503", "upstream connect error"),
        (502, b"", "502", "HTTP 502 without a body"),
        (502, b"<html>" + b"x" * 9999, "502", "<html>" + "x" * 494),
        (500, {}, "500", "an error without a message"),
        (500, {"hello": 1}, "500", '{"hello":1}'),
        (500, b'"overloaded"', "500", "overloaded"),
        (500, b"null", "500", "an error without a message"),
    ],
)
def test_error_of_a_failed_request(status: int, body: Any, type: str, message: str) -> None:
    error = answered(body, status).error
    assert error is not None
    assert (error.type, error.message) == (type, message)


@pytest.mark.parametrize(
    ("body", "type", "message"),
    [
        (
            {"error": {"message": "Filtered", "type": None, "code": "content_filter"}},
            "content_filter",
            "Filtered",
        ),
        ({"error": {"message": "Odd"}}, "_OTHER", "Odd"),
        ({"error": "overloaded today"}, "_OTHER", "overloaded today"),
        ({"error": True, "message": "no"}, "_OTHER", "no"),
        ({"message": "No such model", "code": "model_not_found"}, "model_not_found", "No such model"),
        ({"object": "error", "message": "No", "type": "NotFoundError"}, "NotFoundError", "No"),
        (
            {"type": "error", "error": {"type": "overloaded_error", "message": "Full"}},
            "overloaded_error",
            "Full",
        ),
        ({"detail": "Not Found"}, "_OTHER", "Not Found"),
        ([{"error": {"code": 400, "message": "Bad"}}], "400", "Bad"),
        ({"error_code": 17, "error_msg": "Daily limit"}, "17", "Daily limit"),
        (
            {"error_code": 50001, "text": "Out of memory"},
            "50001",
            '{"error_code":50001,"text":"Out of memory"}',
        ),
        (
            {"choices": None, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}},
            "1008",
            "insufficient balance",
        ),
        ({"choices": [{"index": 0, "error": {"code": 502, "message": "Upstream"}}]}, "502", "Upstream"),
    ],
)
def test_error_under_status_200(body: Any, type: str, message: str) -> None:
    answer = answered(body)
    assert answer.error is not None
    assert (answer.error.type, answer.error.message) == (type, message)
    assert answer.complete
    assert answer.notes == ()


@pytest.mark.parametrize(
    "extra",
    [
        {"error": None},
        {"error": {}},
        {"error": ""},
        {"error": False},
        {"message": "hi", "code": 0},
        {"base_resp": {"status_code": 0, "status_msg": "success"}},
        {"base_resp": "fine"},
    ],
)
def test_no_error_where_there_is_none(extra: dict[str, Any]) -> None:
    assert answered({"choices": [{"message": {"content": "x"}}], **extra}).error is None


@pytest.mark.parametrize("code", [0, "0", 200, None], ids=repr)
def test_code_of_success_is_no_error(code: Any) -> None:
    assert answered({"code": code, "message": "Success", "data": {}}).error is None


# What cannot be read


@pytest.mark.parametrize(
    ("body", "complete", "note"),
    [
        (b"", False, "answer is empty"),
        (b"\n\n", False, "answer is empty"),
        (b'{"choices":[{"mess', False, "answer is not JSON"),
        (b"hello", False, "answer is not JSON"),
        (b"[" * 100_000, False, "answer is not JSON"),
        (b"[]", True, "answer is not a JSON object"),
        (b"{}", True, "answer has no choices"),
        (b'{"choices":{}}', True, "choices is not a list"),
        (b'{"choices":[5,{"message":{}}]}', True, "a choice is not an object"),
        (b'{"choices":[{"message":5}]}', True, "message is not an object"),
        (b'{"choices":[{"message":{"content":5}}]}', True, "content is neither text nor parts"),
        (b'{"choices":[{"message":{"tool_calls":{}}}]}', True, "tool_calls is not a list"),
        (b'{"choices":[{"message":{"tool_calls":[5]}}]}', True, "a tool call is not an object"),
        (b'{"choices":[{"message":{}}],"id":5}', True, "id is not text"),
    ],
)
def test_unreadable_answers_leave_a_note(body: bytes, complete: bool, note: str) -> None:
    answer = answered(body)
    assert answer.complete == complete
    assert note in answer.notes
    assert answer.error is None


def test_damaged_compression_is_noted() -> None:
    body = gzip.compress(b'{"choices":[]}')
    answer = answered(body[:4] + b"??" + body[6:-9], headers=((b"content-encoding", b"gzip"),))
    assert answer.notes


def test_no_response_is_no_answer() -> None:
    exchange = Exchange(
        Request("POST", URL), 0, Ending("error", 9, "request", "httpx.ConnectError", "refused")
    )
    assert CHAT.read_answer(exchange, read_answer(exchange), ask({})) == AnswerHalf()


NAMES = [*Delta.__struct_fields__, *ChunkChoice.__struct_fields__, *Chunk.__struct_fields__]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*NAMES, "name", "arguments", "type", "text", "thinking", "function", "code", "detail"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from([200, 500]))
def test_no_answer_is_too_odd_to_be_read(value: Any, status: int) -> None:
    assert (answered(value, status).error is not None) >= (status == 500)


# The plain dialect


def test_plain_dialect_reads_what_any_json_api_has() -> None:
    plain = dialect_of("/v1/embeddings", "/embeddings")
    body = b'{"model":"e-1","input":"' + b"long " * 100 + b'","dimensions":8,"user":"u-1"}'
    half = plain.read_request(Request("POST", "https://api.openai.com/v1/embeddings", (), body), "openai")
    assert (half.dialect, half.operation, half.model, half.user_id) == ("plain", "embeddings", "e-1", "u-1")
    assert half.parameters == {"model": "e-1", "dimensions": 8, "user": "u-1"}
    data = b'{"model":"e-1","data":[],"usage":{"prompt_tokens":8,"total_tokens":8}}'
    exchange = Exchange(Request("POST", URL), 0, Ending("complete", 9), ResponseHead(200), (data,), (7,))
    answer = plain.read_answer(exchange, read_answer(exchange), half)
    assert (answer.complete, answer.model, answer.usage) == (True, "e-1", Usage(8))


def test_plain_dialect_finds_nothing_odd_in_other_bodies() -> None:
    plain = dialect_of("/files", "*")
    half = plain.read_request(Request("GET", "https://api.openai.com/v1/files"), "openai")
    exchange = Exchange(
        Request("GET", URL), 0, Ending("closed_early", 9), ResponseHead(200), (b"\x00\x01",), (7,)
    )
    answer = plain.read_answer(exchange, read_answer(exchange), half)
    assert (half.operation, half.notes, answer) == (None, (), AnswerHalf())


@pytest.mark.parametrize(
    ("body", "type"), [(b'{"error":{"code":"gone","message":"x"}}', "gone"), (b"x", "404")]
)
def test_plain_dialect_reads_errors(body: bytes, type: str) -> None:
    plain = dialect_of("/files", "*")
    exchange = Exchange(Request("GET", URL), 0, Ending("complete", 9), ResponseHead(404), (body,), (7,))
    answer = plain.read_answer(exchange, read_answer(exchange), ask({}))
    assert answer.error is not None
    assert (answer.error.type, answer.error.message) == (type, "x")


def test_plain_dialect_times_the_first_event_of_a_stream() -> None:
    plain = dialect_of("/responses", "*")
    head = ResponseHead(200, ((b"content-type", b"text/event-stream"),))
    chunks = (b": wait\n\n", b'event: response.created\ndata: {"type":"x"}\n\n', b"data: {}\n\n")
    exchange = Exchange(Request("POST", URL), 0, Ending("complete", 9), head, chunks, (1, 2, 3))
    answer = plain.read_answer(exchange, read_answer(exchange), ask({}))
    assert (answer.streamed, answer.first_chunk_ns, answer.first_token_ns) == (True, 2, None)
