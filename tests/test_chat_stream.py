"""Streamed chat completions: assembled into what the plain answer would have been."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from recorder.body import read_answer
from recorder.call import AnswerHalf, CallError, Choice, RequestHalf, ToolCall, Usage
from recorder.dialects import dialect_for
from recorder.dialects.chat.chunk import Chunk, ChunkChoice, Delta, decode_chunk, read_chunk
from recorder.exchange import Ending, Exchange, Headers, Request, ResponseHead

REQUEST = Request("POST", "https://api.deepseek.com/chat/completions")
STREAM: Headers = ((b"Content-Type", b"text/event-stream; charset=utf-8"),)
DONE = b"data: [DONE]\n\n"


def read(*chunks: bytes, headers: Headers = STREAM, status: int = 200, n: int | None = None) -> AnswerHalf:
    """The answer whose chunks came in at 10, 20, 30 … ns."""
    dialect = dialect_for("POST", "/chat/completions")
    assert dialect is not None
    exchange = Exchange(
        REQUEST,
        0,
        Ending("closed_early", 999),
        ResponseHead(status, headers),
        chunks,
        tuple(range(10, 10 * len(chunks) + 10, 10)),
    )
    parameters = {} if n is None else {"n": n}
    half = RequestHalf("chat", "deepseek", "api.deepseek.com", 443, stream=True, parameters=parameters)
    return dialect.read_answer(exchange, read_answer(exchange), half)


def event(value: Any) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def chunk(delta: Any = None, finish: str | None = None, index: int = 0, **fields: Any) -> bytes:
    """One chunk with one choice."""
    choice = {"index": index, "delta": delta or {}, "finish_reason": finish, "logprobs": None}
    return event(
        {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m-1", "choices": [choice], **fields}
    )


def only(*chunks: bytes) -> Choice:
    (choice,) = read(*chunks, DONE).choices
    return choice


def timeless(answer: AnswerHalf) -> AnswerHalf:
    """All but the times."""
    return structs.replace(answer, first_chunk_ns=None, first_reasoning_ns=None, first_token_ns=None)


# Assembling


def test_deepseeks_stream_is_assembled() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 4, "prompt_cache_hit_tokens": 0}
    answer = read(
        b": keep-alive\n\n",
        chunk({"role": "assistant", "content": ""}, system_fingerprint="fp-1"),
        chunk({"content": None, "reasoning_content": "Hm"}),
        chunk({"content": None, "reasoning_content": "."}),
        chunk({"content": "Hel", "reasoning_content": None}),
        chunk({"content": "lo"}),
        chunk({"content": ""}, "stop", usage=usage, service_tier="flex"),
        DONE,
    )
    assert answer == AnswerHalf(
        complete=True,
        streamed=True,
        response_id="chatcmpl-1",
        model="m-1",
        choices=(Choice(0, "assistant", "Hello", "Hm.", finish_reason="stop"),),
        usage=Usage(5, 0, None, 4),
        raw_usage=usage,
        system_fingerprint="fp-1",
        service_tier="flex",
        first_chunk_ns=30,
        first_reasoning_ns=30,
        first_token_ns=50,
    )


def test_reasoning_under_both_names_is_not_doubled() -> None:
    assert (
        only(chunk({"reasoning": "a", "reasoning_content": "a"}), chunk({"reasoning": "b"})).reasoning == "ab"
    )


def test_reasoning_details_are_set_aside() -> None:
    text = {"type": "reasoning.text", "id": "r-1", "index": 0}
    answer = read(
        chunk({"content": "", "reasoning_details": [{**text, "text": "The user"}]}),
        chunk({"reasoning_details": [{"type": "reasoning.summary", "summary": " asks."}]}),
        chunk({"content": "Hi", "reasoning_details": [{"type": "reasoning.encrypted", "data": "gAAA"}]}),
        DONE,
    )
    assert answer.choices[0].reasoning is None
    assert answer.asides == ("The user asks.",)  # where redaction looks for secrets in pieces


def test_reasoning_of_copilot_is_read() -> None:
    answer = read(chunk({"content": "", "reasoning_text": "Hm"}), chunk({"reasoning_text": "."}), DONE)
    assert answer.choices[0].reasoning == "Hm."
    assert (answer.first_reasoning_ns, answer.first_token_ns) == (10, None)


def test_reasoning_as_an_object_is_read() -> None:
    pieces = [{"text": "Hm"}, {"text": "."}, {"signature": "s"}]
    answer = read(*(chunk({"reasoning_content": piece}) for piece in pieces), DONE)
    assert answer.choices[0].reasoning == "Hm."
    assert answer.first_reasoning_ns == 10
    assert only(chunk({"reasoning_content": {"signature": "s"}, "reasoning": "Hm."})).reasoning == "Hm."


def test_reasoning_beside_its_details_is_not_doubled() -> None:
    details = [{"type": "reasoning.text", "text": "Hm"}]
    assert only(chunk({"reasoning": "Hm", "reasoning_details": details})).reasoning == "Hm"


def test_content_that_is_only_null_is_none() -> None:
    assert only(chunk({"role": "assistant", "content": None})).content is None
    assert only(chunk({"role": "assistant", "content": ""})).content == ""


def thinking(text: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}


def test_parts_and_text_become_the_list_of_the_plain_answer() -> None:
    choice = only(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": [thinking("Let me ")]}),
        chunk({"content": [thinking("see.")]}),
        chunk({"content": [{"type": "text", "text": "It "}]}),
        chunk({"content": "is "}),
        chunk({"content": [{"type": "text", "text": "3"}, {"type": "reference", "reference_ids": [1]}]}),
        chunk({"content": "."}),
    )
    assert choice.content == [
        thinking("Let me see."),
        {"type": "text", "text": "It is 3"},
        {"type": "reference", "reference_ids": [1]},
        {"type": "text", "text": "."},
    ]
    assert choice.reasoning == "Let me see."


def test_like_parts_of_one_list_stay_apart() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert only(chunk({"content": parts})).content == parts


def test_joined_parts_keep_what_else_they_carry() -> None:
    first, last = {"type": "thinking", "thinking": "a"}, {"type": "thinking", "thinking": "b", "closed": True}
    choice = only(chunk({"content": [first]}), chunk({"content": [last]}))
    assert choice.content == [{"type": "thinking", "thinking": "ab", "closed": True}]


def test_reasoning_parts_are_thinking_too() -> None:
    def reasoning(text: str, **more: str) -> dict[str, Any]:
        return {"type": "reasoning", "summary": [{"type": "summary_text", "text": text, **more}]}

    answer = read(
        chunk({"content": [reasoning("Let me ")]}),
        chunk({"content": [reasoning("see.")]}),
        chunk({"content": [reasoning("", signature="s-1")]}),
        chunk({"content": [{"type": "text", "text": "3"}]}),
        DONE,
    )
    (choice,) = answer.choices
    assert choice.content == [reasoning("Let me see.", signature="s-1"), {"type": "text", "text": "3"}]
    assert choice.reasoning == "Let me see."
    assert (answer.first_reasoning_ns, answer.first_token_ns) == (10, 40)


def test_refusals_are_joined() -> None:
    assert only(chunk({"refusal": "I can"}), chunk({"refusal": "not."})).refusal == "I cannot."


def test_legacy_function_call_is_joined() -> None:
    choice = only(
        chunk({"function_call": {"name": "add", "arguments": ""}}),
        chunk({"function_call": {"arguments": '{"a":'}}),
        chunk({"function_call": {"arguments": "1}"}}, "function_call"),
    )
    assert choice.function_call == ToolCall(None, "add", '{"a":1}')


def test_token_lists_of_logprobs_are_joined() -> None:
    def tokens(*names: str) -> dict[str, Any]:
        return {"content": [{"token": name, "logprob": -0.5} for name in names], "refusal": None}

    chunks = [
        event({"choices": [{"index": 0, "delta": {"content": "x"}, "logprobs": logprobs}]})
        for logprobs in (tokens("a"), tokens("b", "c"), None, {"content": None}, tokens())
    ]
    assert only(*chunks).logprobs == tokens("a", "b", "c")


def test_choices_interleave() -> None:
    answer = read(
        chunk({"content": "b"}, index=1),
        chunk({"content": "a"}, index=0),
        event(
            {"choices": [{"index": 1, "delta": {"content": "B"}}, {"index": 0, "delta": {"content": "A"}}]}
        ),
        chunk({}, "length", index=1),
        chunk({}, "stop", index=0),
    )
    assert [choice.content for choice in answer.choices] == ["aA", "bB"]
    assert answer.finish_reasons == ("stop", "length")
    assert answer.complete


def test_choices_without_index_are_told_by_position() -> None:
    pieces = [event({"choices": [{"delta": {"content": text}}]}) for text in "ab"]
    assert only(*pieces).content == "ab"


def test_finish_reason_survives_later_nulls_and_empty_ones() -> None:
    assert only(chunk({}, "stop"), chunk({}, None), chunk({}, "")).finish_reason == "stop"
    assert only(chunk({"content": "x"}, "")).finish_reason is None


def test_message_beside_deltas_is_not_doubled() -> None:
    def both(delta: str, whole: str, finish: str | None = None) -> bytes:
        message = {"role": "assistant", "content": whole}
        return event(
            {
                "choices": [
                    {"index": 0, "delta": {"content": delta}, "message": message, "finish_reason": finish}
                ]
            }
        )

    choice = only(both("Hel", "Hel"), both("lo", "Hello"), both("", "Hello", "stop"))
    assert choice == Choice(0, "assistant", "Hello", finish_reason="stop")


def test_message_instead_of_the_last_delta_gives_only_what_is_missing() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    message = {"role": "assistant", "content": "Hello", "reasoning_content": "Hm.", "tool_calls": [call]}
    last = event({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
    choice = only(chunk({"content": "Hel"}), chunk({"content": "lo"}), last)
    assert choice == Choice(
        0, "assistant", "Hello", "Hm.", tool_calls=(ToolCall("c1", "add", "{}"),), finish_reason="stop"
    )


def test_message_alone_is_the_answer() -> None:
    answer = read(
        event({"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}), DONE
    )
    assert answer.choices == (Choice(content="Hi", finish_reason="stop"),)
    assert answer.first_token_ns == 10


def test_id_is_the_first_and_model_the_last_that_is_not_empty() -> None:
    answer = read(
        event({"id": "", "model": "", "choices": [], "prompt_filter_results": []}),
        chunk({"content": "x"}, id="one", model="router"),
        chunk({"content": "y"}, id="two", model="gpt-5-mini"),
        chunk({}, "stop", id="two", model=""),
    )
    assert (answer.response_id, answer.model) == ("one", "gpt-5-mini")
    assert answer.first_chunk_ns == 20


def test_halves_of_an_emoji_in_two_deltas_are_joined() -> None:
    pieces = [
        b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % half
        for half in (b"\\ud83d", b"\\ude00")
    ]
    assert only(*pieces).content == "\U0001f600"
    assert only(pieces[0]).content == "\ufffd"


# Tool calls


def calls(*deltas: list[Any]) -> tuple[ToolCall, ...]:
    return only(*(chunk({"tool_calls": pieces}) for pieces in deltas)).tool_calls


def piece(
    arguments: str | None = None, name: str | None = None, id: str | None = None, **more: Any
) -> dict[str, Any]:
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    return {**({"id": id, "type": "function"} if id else {}), "function": function, **more}


A, B = ToolCall("a", "add", '{"x":1}'), ToolCall("b", "sub", '{"y":2}')


@pytest.mark.parametrize(
    "deltas",
    [
        pytest.param(
            [
                [piece("", "add", "a", index=0)],
                [piece('{"x":', index=0)],
                [piece("1}", index=0)],
                [piece("", "sub", "b", index=1)],
                [piece('{"y":2}', index=1)],
            ],
            id="pieces with index",
        ),
        pytest.param(
            [
                [piece("", "add", "a", index=0), piece("", "sub", "b", index=1)],
                [piece('{"x":', index=0), piece('{"y":', index=1)],
                [piece("2}", index=1)],
                [piece("1}", index=0)],
            ],
            id="pieces that interleave",
        ),
        pytest.param(
            [[piece('{"y":2}', "sub", "b", index=1)], [piece('{"x":1}', "add", "a", index=0)]],
            id="whole, second first",
        ),
        pytest.param(
            [[piece('{"x":1}', "add", "a", index=0), piece('{"y":2}', "sub", "b", index=1)]],
            id="whole, in one delta",
        ),
        pytest.param(
            [[piece('{"x":1}', "add", "a", index=0)], [piece('{"y":2}', "sub", "b", index=0)]],
            id="whole, all at index 0",
        ),
        pytest.param(
            [[piece('{"x":1}', "add", "a", index=0), piece('{"y":2}', "sub", "b", index=0)]],
            id="whole, all at index 0, in one delta",
        ),
        pytest.param(
            [[piece('{"x":1}', "add", "a"), piece('{"y":2}', "sub", "b")]], id="whole, without index"
        ),
        pytest.param(
            [[piece('{"x":', "add", "a")], [piece("1}")], [piece('{"y":', "sub", "b")], [piece("2}")]],
            id="pieces without index, id in the first",
        ),
        pytest.param(
            [
                [piece('{"x":', "add", "a", index=0)],
                [piece("1}", "add", "a", index=0)],
                [piece('{"y":', "sub", "b", index=1)],
                [piece("2}", "sub", "b", index=1)],
            ],
            id="id and name repeated",
        ),
        pytest.param(
            [
                [piece("", "add", "a")],
                [piece("", "sub", "b")],
                [piece('{"x":1}', id="a")],
                [piece('{"y":2}', id="b")],
            ],
            id="pieces told by id alone",
        ),
        pytest.param(
            [
                [piece('{"x":', "add", "a", index=0)],
                [piece("1}", id="invented", index=0)],
                [piece('{"y":', "sub", "b", index=1)],
                [piece("2}", id="invented too", index=1)],
            ],
            id="an id invented for every piece",
        ),
        pytest.param(
            [
                [piece("", "ad", "a", index=0)],
                [piece("", "d", index=0)],
                [piece('{"x":1}', index=0)],
                [piece('{"y":2}', "sub", "b", index=1)],
            ],
            id="a name in pieces",
        ),
    ],
)
def test_tool_calls_are_the_same_however_they_are_sent(deltas: list[list[Any]]) -> None:
    assert calls(*deltas) == (A, B)


def test_whole_calls_without_index_and_id_stay_apart() -> None:
    first, second = piece('{"x":1}', "add"), piece('{"x":2}', "add")
    expected = (ToolCall(None, "add", '{"x":1}'), ToolCall(None, "add", '{"x":2}'))
    assert calls([first, second]) == expected
    assert calls([first], [second]) == expected


def test_one_id_for_all_calls_does_not_make_them_one() -> None:
    first, second = piece('{"x":1}', "add", "null"), piece('{"y":2}', "sub", "null")
    expected = (ToolCall("null", "add", '{"x":1}'), ToolCall("null", "sub", '{"y":2}'))
    assert calls([first, second]) == calls([first], [second]) == expected
    assert calls([{**first, "index": 0}], [{**second, "index": 0}]) == expected
    assert calls([first, first]) == (expected[0], expected[0])


def test_id_that_comes_late_belongs_to_the_call() -> None:
    assert calls([piece("", "add", index=0)], [piece('{"x":1}', id="a", index=0)]) == (A,)
    assert calls([piece("", "add")], [piece('{"x":1}', id="a")]) == (A,)


def test_custom_tool_calls_are_joined() -> None:
    first = {"index": 0, "id": "c", "type": "custom", "custom": {"name": "sql", "input": "select"}}
    assert calls([first], [{"index": 0, "custom": {"input": " 1"}}]) == (
        ToolCall("c", "sql", "select 1", "custom"),
    )


def test_a_piece_that_is_in_no_list_is_one_of_a_call() -> None:
    pieces = (piece('{"x":', "add", index=0, id=""), piece("1}", "", index=0, id=""))
    assert only(*(chunk({"tool_calls": each}) for each in pieces)).tool_calls == (
        ToolCall(None, "add", '{"x":1}'),
    )


def test_what_is_no_tool_call_is_noted() -> None:
    answer = read(chunk({"tool_calls": [5, piece("{}", "add", "a")]}), chunk({"tool_calls": {"a": 1}}), DONE)
    assert answer.choices[0].tool_calls == (ToolCall("a", "add", "{}"),)
    assert answer.notes == ("tool_calls is not a list", "a tool call is not an object")


# Usage


def use(usage: Any, **fields: Any) -> bytes:
    return event({"choices": [], "usage": usage, **fields})


def test_stages_of_usage_are_merged_field_by_field() -> None:
    answer = read(
        chunk(
            {"content": "x"},
            "stop",
            usage={"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": None},
        ),
        use({"prompt_tokens": 9, "completion_tokens": None, "prompt_tokens_details": {"cached_tokens": 8}}),
        use({"prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": None}}),
        use(None),
        DONE,
    )
    assert answer.usage == Usage(9, 8, output=2)
    assert answer.raw_usage == {
        "prompt_tokens": 9,
        "completion_tokens": 2,
        "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
    }


def test_last_of_cumulative_usages_counts() -> None:
    stages = [chunk({"content": "x"}, usage={"prompt_tokens": 9, "completion_tokens": n}) for n in (1, 2, 3)]
    assert read(*stages, DONE).usage == Usage(9, output=3)


def test_early_zeros_are_nothing() -> None:
    zeros = {"prompt_tokens": 0, "completion_tokens": 0, "prompt_tokens_details": {"cached_tokens": 0}}
    assert read(chunk({"content": "x"}, usage=zeros)).usage is None
    assert read(chunk({"content": "x"}, usage=zeros), use({"prompt_tokens": 9})).usage == Usage(9)
    assert read(use({"prompt_tokens": 9}), chunk({}, "stop", usage=zeros)).usage == Usage(9)
    assert read(chunk({}, "stop", usage=zeros)).usage == Usage(0, 0, output=0)


def test_usage_of_groq_and_moonshot_counts_where_there_is_none_at_the_top() -> None:
    aside = {"prompt_tokens": 3, "completion_tokens": 1}
    groq = event({"choices": [], "x_groq": {"id": "r", "usage": aside}})
    moonshot = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": aside}]})
    assert read(groq).usage == read(moonshot).usage == Usage(3, output=1)
    assert read(groq, use({"prompt_tokens": 4})).usage == Usage(4)


def test_no_usage_is_none() -> None:
    assert read(chunk({"content": "x"}, "stop"), DONE).usage is None
    assert read(use("many")).notes[0] == "usage is not an object"


# The end, and errors


def test_stream_is_complete_with_its_marker_or_all_finish_reasons() -> None:
    assert read(chunk({"content": "x"}), DONE).complete
    assert read(DONE).complete
    assert read(chunk({"content": "x"}, "stop")).complete
    assert not read(chunk({"content": "x"}, "stop"), chunk({"content": "y"}, index=1)).complete
    assert not read(chunk({"content": "x"})).complete
    assert not read(event({"choices": []})).complete
    assert not read().complete


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (event({"error": {"message": "Full", "code": "overloaded"}}), CallError("overloaded", "Full")),
        (event({"error": {"message": "Full", "code": 502}, "choices": []}), CallError("502", "Full")),
        (event({"error": "Full"}), CallError("_OTHER", "Full")),
        (event([{"error": {"message": "Full", "code": 429}}]), CallError("429", "Full")),
        (
            event({"object": "error", "message": "Full", "type": "ServerError", "code": None}),
            CallError("ServerError", "Full"),
        ),
        (event({"message": "Full", "code": "full"}), CallError("full", "Full")),
        (
            event({"choices": None, "base_resp": {"status_code": 1039, "status_msg": "Full"}}),
            CallError("1039", "Full"),
        ),
        (event({"choices": [], "x_groq": {"id": "r", "error": "Full"}}), CallError("_OTHER", "Full")),
        (b"event: error\n" + event({"message": "Full"}), CallError("_OTHER", "Full")),
        (
            b"event: error\n" + event({"error": {"message": "Full", "type": "server"}}),
            CallError("server", "Full"),
        ),
        (b"event: error\ndata: Full\n\n", CallError("_OTHER", "Full")),
        (b"event: error\ndata\n\n", CallError("_OTHER", "an error without a message")),
        (
            event({"choices": [{"index": 0, "delta": {}, "error": {"code": 502, "message": "Full"}}]}),
            CallError("502", "Full"),
        ),
    ],
)
def test_error_inside_a_stream(sent: bytes, error: CallError) -> None:
    answer = read(b": wait\n\n", chunk({"content": ""}), sent)
    assert answer.error == error
    assert not answer.complete
    assert answer.notes == ()
    assert (answer.first_chunk_ns, answer.first_token_ns) == (30, None)


def test_error_chunk_may_bring_usage_too() -> None:
    answer = read(
        chunk({}, "length"),
        chunk({}, error={"code": 400, "message": "Limit"}, usage={"prompt_tokens": 43}),
        DONE,
    )
    assert (answer.error, answer.usage) == (CallError("400", "Limit"), Usage(43))
    assert answer.complete


def test_first_error_counts() -> None:
    assert read(*(event({"error": {"message": text}}) for text in "ab")).error == CallError("_OTHER", "a")


def test_failed_request_may_be_answered_by_a_stream() -> None:
    assert read(event({"error": {"message": "Slow down"}}), status=429).error == CallError("429", "Slow down")
    assert read(b"data: hello\n\n", status=503).error == CallError("503", "data: hello")


@pytest.mark.parametrize(
    "sent", [event({"error": None, "choices": []}), event({"type": "ping"}), b"event: ping\ndata: {}\n\n"]
)
def test_no_error_where_there_is_none(sent: bytes) -> None:
    assert read(sent, chunk({"content": "x"}, "stop")).error is None


# Times


def test_times_start_with_the_event_that_completes_them() -> None:
    answer = read(
        b": OPENROUTER PROCESSING\n\n",
        b"\n\n",
        event({"choices": [], "prompt_filter_results": []}),
        chunk({"role": "assistant", "content": "", "reasoning": None}),
        use({"prompt_tokens": 1}),
        chunk({"reasoning": "Hm"}),
        chunk({"content": "x"}),
        DONE,
    )
    assert (answer.first_chunk_ns, answer.first_reasoning_ns, answer.first_token_ns) == (60, 60, 70)


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "x"},
        {"content": [{"type": "text", "text": "x"}]},
        {"content": [{"type": "image_url", "image_url": {}}]},
        {"refusal": "No."},
        {"tool_calls": [piece("", "add", "a", index=0)]},
        {"function_call": {"name": "add"}},
        {"audio": {"id": "a1", "data": "UklGRg=="}},
    ],
)
def test_answer_starts_with_anything_for_the_reader(delta: dict[str, Any]) -> None:
    answer = read(chunk({"role": "assistant", "content": ""}), chunk(delta))
    assert (answer.first_chunk_ns, answer.first_reasoning_ns, answer.first_token_ns) == (20, None, 20)


@pytest.mark.parametrize(
    "delta",
    [
        {"content": None},
        {"content": []},
        {"content": [{"type": "text", "text": ""}]},
        {"function_call": {"name": "", "arguments": ""}},
        {"tool_calls": []},
        {"audio": {"id": "a1"}},
        {"reasoning": "", "refusal": ""},
    ],
)
def test_empty_deltas_start_nothing(delta: dict[str, Any]) -> None:
    answer = read(chunk(delta))
    assert (answer.first_chunk_ns, answer.first_reasoning_ns, answer.first_token_ns) == (None, None, None)


def test_thinking_parts_are_reasoning() -> None:
    answer = read(
        chunk({"content": [thinking("Hm")]}),
        chunk({"content": [thinking("."), {"type": "text", "text": "x"}]}),
    )
    assert (answer.first_chunk_ns, answer.first_reasoning_ns, answer.first_token_ns) == (10, 10, 20)


def test_finish_reason_alone_starts_the_chunks() -> None:
    answer = read(chunk({"content": ""}), chunk({}, "stop"))
    assert (answer.first_chunk_ns, answer.first_token_ns) == (20, None)


def test_event_in_two_chunks_comes_with_the_second() -> None:
    sent = chunk({"content": "x"})
    assert read(sent[:-1], sent[-1:] + sent, sent).first_token_ns == 20


# Telling streams from plain answers


@pytest.mark.parametrize(
    "start", [b"", b": hi\n\n", b"event: message\n", b"\n\n", b"\xef\xbb\xbf", b"id: 1\n", b"retry: 5\r\n"]
)
@pytest.mark.parametrize("headers", [(), ((b"content-type", b"application/json"),), STREAM])
def test_stream_is_known_by_its_bytes(start: bytes, headers: Headers) -> None:
    answer = read(start + chunk({"content": "x"}, "stop"), headers=headers)
    assert answer.streamed
    assert answer.choices == (Choice(content="x", finish_reason="stop"),)


@pytest.mark.parametrize("headers", [(), STREAM])
def test_json_in_place_of_a_stream_is_read_as_json(headers: Headers) -> None:
    answer = read(b'\n{"choices":[{"message":{"content":"x"}}]}', headers=headers)
    assert not answer.streamed
    assert answer.choices == (Choice(content="x"),)
    assert answer.first_chunk_ns is None


def test_empty_stream_has_no_choices() -> None:
    answer = read(b": bye\n\n")
    assert answer == AnswerHalf(streamed=True, notes=("answer has no choices",))


# The wire's oddities


BODY = {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}]}


@pytest.mark.parametrize(
    "sent",
    [
        b"\xef\xbb\xbf" + event(BODY) + DONE,
        (event(BODY) + DONE).replace(b"\n", b"\r\n"),
        (event(BODY) + DONE).replace(b"\n", b"\r"),
        (event(BODY) + DONE).replace(b"data: ", b"data:"),
        b"id: 1\nretry: 50\nfoo: bar\nfoo\n" + event(BODY) + b"id: 2\n" + DONE,
        b'data: {"choices":[{"index":0,\ndata: "delta":{"content":"x"},\ndata: "finish_reason":"stop"}]}\n\n'
        + DONE,
        b" data: {}\n\n" + event(BODY) + b"data: [DONE] \n\n",
        b"\n\n\n" + event(BODY) + b"\n\n" + DONE,
        event(BODY) + b"data: [DONE]",
        event({**BODY, "unknown": [1, {"a": None}], "created": "yesterday"}) + DONE,
        event(BODY).replace(b'"x"', b'"x", "extra": NaN') + DONE,
    ],
)
def test_odd_but_legal_streams_are_read_alike(sent: bytes) -> None:
    answer = read(sent)
    assert answer.choices == (Choice(content="x", finish_reason="stop"),)
    assert answer.complete
    assert answer.notes == ()


def test_cut_off_event_is_noted_and_not_read() -> None:
    answer = read(chunk({"content": "x"}), chunk({"content": "y"})[:-20])
    assert answer.choices == (Choice(content="x"),)
    assert answer.notes == ("1 of the stream's events: not JSON",)
    assert not answer.complete


def test_broken_events_are_counted_and_skipped() -> None:
    answer = read(b"data: {oops\n\n", chunk({"content": "x"}, "stop"), b"data: <html>\n\n", DONE)
    assert answer.choices[0].content == "x"
    assert answer.notes == ("2 of the stream's events: not JSON",)


@pytest.mark.parametrize(
    ("sent", "note"),
    [
        (event(5), "an event is not a JSON object"),
        (event({"choices": 5}), "choices is not a list"),
        (event({"choices": [5]}), "a choice is not an object"),
        (event({"choices": [{"delta": 5}]}), "delta is not an object"),
        (event({"choices": [{"message": 5}]}), "message is not an object"),
        (chunk({"content": 5}), "content is neither text nor parts"),
        (chunk({"reasoning": {"a": 1}}), "reasoning is not text"),
        (chunk({"refusal": 5}), "refusal is not text"),
        (chunk({"role": 5}), "role is not text"),
        (event({"choices": [{"finish_reason": 5}]}), "finish_reason is not text"),
        (event({"choices": [], "id": 5}), "id is not text"),
        (event({"choices": [], "model": 5}), "model is not text"),
    ],
)
def test_wrong_types_are_noted_and_the_rest_is_read(sent: bytes, note: str) -> None:
    answer = read(sent, chunk({"role": "assistant", "content": "x"}), chunk({"content": "y"}, "stop"))
    assert answer.choices == (Choice(0, "assistant", "xy", finish_reason="stop"),)
    assert (answer.response_id, answer.model) == ("chatcmpl-1", "m-1")
    assert answer.notes == (note,)


NAMES = [*Delta.__struct_fields__, *ChunkChoice.__struct_fields__, *Chunk.__struct_fields__]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "x", "stop"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [*NAMES, "name", "arguments", "type", "text", "thinking", "function", "code", "detail"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
CHOICES = st.fixed_dictionaries(
    {
        "index": st.integers(0, 2) | VALUES,
        "delta": st.fixed_dictionaries({"content": VALUES, "tool_calls": VALUES}) | VALUES,
    },
    optional={
        "finish_reason": VALUES,
        "message": VALUES,
        "logprobs": VALUES,
        "error": VALUES,
        "usage": VALUES,
    },
)
CHUNKS = st.fixed_dictionaries(
    {"choices": st.lists(CHOICES, max_size=2) | VALUES},
    optional={
        "id": VALUES,
        "model": VALUES,
        "usage": VALUES,
        "error": VALUES,
        "x_groq": VALUES,
        "object": VALUES,
    },
)


@given(st.lists(CHUNKS | VALUES, max_size=5), st.sampled_from([200, 500]))
def test_no_stream_is_too_odd_to_be_read(values: list[Any], status: int) -> None:
    answer = read(*map(event, values), status=status)
    assert (answer.error is not None) >= (status == 500)


@given(CHUNKS)
def test_both_decoders_read_alike(value: dict[str, Any]) -> None:
    data = json.dumps(value).encode()
    notes: list[str] = []
    lenient = read_chunk(data, notes)
    if not notes:
        assert decode_chunk(data) == lenient


@given(st.lists(CHUNKS, max_size=4), st.booleans())
def test_lenient_reading_makes_no_difference(values: list[dict[str, Any]], crlf: bool) -> None:
    plain = b"".join(map(event, values))
    odd = b"".join(map(event, ({**value, "odd": float("nan")} for value in values)))
    left, right = read(odd), read(plain.replace(b"\n", b"\r\n") if crlf else plain)
    assert (left.error and left.error.type) == (right.error and right.error.type)
    assert timeless(structs.replace(left, error=None)) == timeless(structs.replace(right, error=None))


# Properties


EXAMPLE = b"".join(
    [
        b": keep-alive\r\n\r\n",
        chunk({"role": "assistant", "content": ""}),
        chunk({"reasoning_content": "Grüße"}),
        chunk({"content": "日本 \u2028"}),
        b"event: message\nid: 7\n" + chunk({"tool_calls": [piece("{}", "add", "a", index=0)]}),
        chunk({}, "tool_calls", usage={"prompt_tokens": 1, "completion_tokens": 2}),
        event({"error": {"message": "late", "code": "late"}}),
        DONE,
    ]
)


@given(st.lists(st.integers(0, len(EXAMPLE)), max_size=12))
def test_chunks_change_nothing_but_times(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(EXAMPLE)]
    chunks = [EXAMPLE[start:end] for start, end in pairwise(edges)]
    answer = read(*chunks)
    assert timeless(answer) == timeless(read(EXAMPLE))
    assert answer.first_chunk_ns is not None
    assert answer.first_reasoning_ns is not None
    assert answer.first_token_ns is not None
    assert answer.first_chunk_ns <= answer.first_reasoning_ns <= answer.first_token_ns


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
WHOLE: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    role=st.just("assistant"),
    content=st.none() | TEXT,
    reasoning_content=st.none() | TEXT,
    refusal=st.none() | TEXT,
    tool_calls=st.lists(
        st.builds(dict, id=TEXT, name=TEXT, arguments=TEXT), max_size=3, unique_by=lambda call: call["id"]
    ),
)


@given(
    st.lists(st.tuples(WHOLE, st.sampled_from(["stop", "length", None])), min_size=1, max_size=3),
    st.randoms(),
)
def test_stream_made_from_a_plain_answer_assembles_into_the_same_choices(
    messages: list[tuple[dict[str, Any], str | None]], random: Any
) -> None:
    streams, whole = [], []
    for index, (message, finish) in enumerate(messages):
        sent = {**message, "tool_calls": [called(call) for call in message["tool_calls"]]}
        whole.append({"index": index, "message": sent, "finish_reason": finish})
        streams.append(
            [chunk(delta, index=index) for delta in deltas_of(message)] + [chunk({}, finish, index)]
        )
    chunks = []
    while streams:
        stream = random.choice(streams)
        chunks.append(stream.pop(0))
        streams = [stream for stream in streams if stream]
    assert read(*chunks, DONE).choices == read(json.dumps({"choices": whole}).encode()).choices


def called(call: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": call["id"],
        "type": "function",
        "function": {"name": call["name"], "arguments": call["arguments"]},
    }


def deltas_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    """A message in deltas of one character."""
    deltas: list[dict[str, Any]] = [{"role": message["role"]}]
    for name in ("reasoning_content", "content", "refusal"):
        deltas += [{name: character} for character in message[name] or ""]
    for index, call in enumerate(message["tool_calls"]):
        deltas.append({"tool_calls": [piece("", call["name"], call["id"], index=index)]})
        deltas += [{"tool_calls": [piece(character, index=index)]} for character in call["arguments"]]
    return deltas


def test_stream_is_complete_only_with_as_many_choices_as_were_asked_for() -> None:
    first = chunk({"content": "a"}, "stop", 0)
    second = chunk({"content": "b"}, "stop", 1)
    assert not read(first, n=2).complete
    assert read(first, second, n=2).complete
    assert read(first, DONE, n=2).complete
