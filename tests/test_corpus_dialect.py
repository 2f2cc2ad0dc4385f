"""Real traffic, read by the dialect and by a second, naive reading that shares no code with it."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from recorder.body import read_answer
from recorder.call import AnswerHalf, RequestHalf
from recorder.dialects import dialect_for, provider_for
from recorder.dialects.chat import read_messages, read_tools
from recorder.exchange import Ending, Exchange, Request, ResponseHead

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"

pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the recorded traffic is not beside this checkout"
)


@cache
def records() -> dict[str, dict[str, Any]]:
    found = {}
    for path in sorted(CORPUS.glob("*.jsonl")):
        if not path.name.startswith("other_"):
            with path.open(encoding="utf-8", newline="\n") as lines:
                found.update({record["id"]: record for record in map(json.loads, lines)})
    return found


def body_of(side: dict[str, Any]) -> bytes:
    if side["body"] is None:
        return b""
    if side["body_encoding"] == "base64":
        return base64.b64decode(side["body"])
    return str(side["body"]).encode("utf-8", "surrogatepass")


def exchange_of(record: dict[str, Any]) -> Exchange:
    """The record as an exchange of one chunk; its bodies are decompressed, so the encoding goes."""
    request, response = record["request"], record["response"]
    body = body_of(response)
    return Exchange(
        Request(request["method"], request["url"], headers_of(request), body_of(request)),
        0,
        Ending("complete", 9),
        ResponseHead(response["status"], headers_of(response)),
        (body,) if body else (),
        (7,) if body else (),
    )


def headers_of(side: dict[str, Any]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple(
        (name.encode("latin-1"), value.encode("latin-1", "replace"))
        for name, values in side["headers"].items()
        for value in values
        if name.lower() != "content-encoding"
    )


@cache
def read(id: str) -> tuple[RequestHalf, AnswerHalf]:
    exchange = exchange_of(records()[id])
    url = urlsplit(exchange.request.url)
    dialect = dialect_for(exchange.request.method, url.path)
    assert dialect is not None
    half = dialect.read_request(exchange.request, provider_for(url.hostname or "", url.port, {}))
    return half, dialect.read_answer(exchange, read_answer(exchange), half)


def answers() -> Iterator[tuple[str, AnswerHalf, Expected]]:
    for id, record in records().items():
        yield id, read(id)[1], Expected(body_of(record["response"]))


class Expected:
    """What a patient reader makes of a body with nothing but json and a loop over lines."""

    def __init__(self, body: bytes) -> None:
        self.documents = list(self._documents(body.decode("utf-8", "replace")))
        self.choices: dict[int, dict[str, Any]] = {}
        self.usage: dict[str, Any] = {}
        self.error = False
        for document in self.documents:
            self._add(document)

    def _documents(self, text: str) -> Iterator[Any]:
        try:
            yield json.loads(text)
        except ValueError:
            for line in text.split("\n"):
                if line.startswith("data:") and "[DONE]" not in line:
                    yield json.loads(line.removeprefix("data:").strip())

    def _add(self, document: Any) -> None:
        if isinstance(document, list):
            document = document[0]
        self.error = self.error or bool(document.get("error"))
        for choice in document.get("choices") or []:
            known = self.choices.setdefault(
                choice["index"], {"text": "", "thoughts": "", "tools": {}, "finish": None}
            )
            known["finish"] = choice.get("finish_reason") or known["finish"]
            self._add_message(known, choice.get("delta") or choice.get("message") or {})
        usage = document.get("usage") or (document.get("x_groq") or {}).get("usage") or {}
        self.usage.update({key: value for key, value in usage.items() if value is not None})

    def _add_message(self, known: dict[str, Any], message: dict[str, Any]) -> None:
        content = message.get("content") or ""
        parts: list[Any] = content if isinstance(content, list) else [{"type": "text", "text": content}]
        for part in parts:
            if part["type"] == "thinking":
                known["thoughts"] += "".join(item["text"] for item in part["thinking"])
            else:
                known["text"] += part["text"]
        known["thoughts"] += message.get("reasoning_content") or message.get("reasoning") or ""
        for position, call in enumerate(message.get("tool_calls") or []):
            function = call["function"]
            tool = known["tools"].setdefault(
                call.get("index", position), {"id": None, "name": "", "arguments": ""}
            )
            tool["id"] = call.get("id") or tool["id"]
            tool["name"] = function.get("name") or tool["name"]  # some repeat it
            tool["arguments"] += function.get("arguments") or ""

    def count(self, *path: str) -> int | None:
        value: Any = self.usage
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        assert value is None or type(value) is int
        return value


def text_of(content: Any) -> str:
    if isinstance(content, list):
        return "".join(part["text"] for part in content if part["type"] == "text")
    return content or ""


def test_corpus_is_there_as_a_whole() -> None:
    assert len(records()) == 891


def test_tokens_are_those_of_a_naive_reading() -> None:
    for id, answer, expected in answers():
        usage = answer.usage
        if not expected.usage:
            assert usage is None, id
            continue
        assert usage is not None, id
        assert usage.input == expected.count("prompt_tokens"), id
        assert usage.output == expected.count("completion_tokens"), id
        cached = expected.count("prompt_tokens_details", "cached_tokens")
        for name in ("prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens"):
            cached = expected.count(name) if cached is None else cached
        assert usage.cached == cached, id
        assert usage.reasoning == expected.count("completion_tokens_details", "reasoning_tokens"), id
        assert answer.raw_usage == expected.usage | {
            key: None for key in answer.raw_usage if key not in expected.usage
        }


def test_finish_reasons_are_those_of_a_naive_reading() -> None:
    for id, answer, expected in answers():
        reasons = [choice["finish"] for _, choice in sorted(expected.choices.items())]
        assert list(answer.finish_reasons) == reasons, id


def test_texts_are_those_of_a_naive_reading() -> None:
    for id, answer, expected in answers():
        assert [choice.index for choice in answer.choices] == sorted(expected.choices), id
        for choice in answer.choices:
            known = expected.choices[choice.index]
            assert text_of(choice.content) == known["text"], id
            assert (choice.reasoning or "") == known["thoughts"], id


def test_tool_calls_are_those_of_a_naive_reading() -> None:
    for id, answer, expected in answers():
        for choice in answer.choices:
            calls = [
                {"id": call.id, "name": call.name, "arguments": call.arguments} for call in choice.tool_calls
            ]
            assert calls == list(expected.choices[choice.index]["tools"].values()), id


def test_errors_are_those_of_a_naive_reading() -> None:
    for id, answer, expected in answers():
        failed = expected.error or records()[id]["response"]["status"] >= 400
        assert (answer.error is not None) == failed, id
        assert answer.error is None or answer.error.message, id


def test_answers_are_complete_but_for_those_cut_off_by_an_error() -> None:
    incomplete = [id for id, answer, _ in answers() if not answer.complete and answer.error is None]
    assert incomplete == ["346c4e1d5b824616"]  # an echo service, whose answer is plain text


def test_streams_are_told_from_plain_answers() -> None:
    assert all(read(id)[1].streamed == record["stream"] for id, record in records().items())


def test_streamed_answers_have_times_and_plain_ones_have_none() -> None:
    for id, answer, expected in answers():
        spoken = any(choice["text"] or choice["tools"] for choice in expected.choices.values())
        thought = any(choice["thoughts"] for choice in expected.choices.values())
        assert answer.first_token_ns == (7 if answer.streamed and spoken else None), id
        assert answer.first_reasoning_ns == (7 if answer.streamed and thought else None), id
        assert answer.first_chunk_ns == (7 if answer.streamed else None), id


def test_requests_are_those_of_a_plain_json_reading() -> None:
    for id, record in records().items():
        half = read(id)[0]
        if record["request"]["body"] is None:
            assert half.notes == ("request has no body",), id
            continue
        body = json.loads(body_of(record["request"]))
        long = {"messages", "tools", "functions"}
        assert half.parameters == {key: value for key, value in body.items() if key not in long}, id
        assert half.notes == (), id
        assert half.stream == bool(body.get("stream")), id
        assert half.model is not None, id
        assert [message.role for message in read_messages(half)] == [m["role"] for m in body["messages"]], id
        assert list(read_tools(half)) == (body.get("tools") or []) + (body.get("functions") or []), id


def test_notes_are_few_and_known() -> None:
    notes = Counter(note for id in records() for note in read(id)[1].notes)
    assert notes == {
        "answer has no choices": 1,
        "answer is not JSON": 1,
        "usage: completion_tokens does not include the reasoning tokens": 26,
    }


def error_type(id: str) -> str | None:
    error = read(id)[1].error
    return None if error is None else error.type


def test_error_chunk_after_comments_under_status_200() -> None:
    answer = read("d9946ae9f3ebd357")[1]
    assert error_type("d9946ae9f3ebd357") == "400"
    assert answer.usage is not None
    assert answer.usage.output == 10
    assert answer.finish_reasons == ("length",)


def test_error_event_under_status_200() -> None:
    answer = read("e5e9c8c61135d7f5")[1]
    assert error_type("e5e9c8c61135d7f5") == "tool_use_failed"
    assert not answer.complete
    assert answer.choices[0].reasoning


def test_error_in_the_stream_then_done() -> None:
    answer = read("fea9a62d06c18ad0")[1]
    assert error_type("fea9a62d06c18ad0") == "model_error"
    assert answer.complete
    assert answer.finish_reasons == (None,)


def test_padded_json_of_deepseek() -> None:
    answer = read("f09a56b31bae875d")[1]
    assert not answer.streamed
    assert answer.complete
    assert answer.choices[0].content


def test_first_chunk_of_azure_without_id_and_model() -> None:
    answer = read("38bb07b0bb9ac697")[1]
    assert answer.model == "gpt-5-mini-2025-08-07"
    assert (answer.response_id or "").startswith("chatcmpl-")


def test_error_body_under_status_200() -> None:
    assert error_type("8d8ac31790b14eaf") == "content_filter"


def test_stream_asked_and_json_error_answered() -> None:
    request, answer = read("fc46a99e86f8d13f")
    assert request.stream
    assert not answer.streamed
    assert error_type("fc46a99e86f8d13f") == "429"


def test_changing_ids_leave_the_first() -> None:
    assert read("7d220cad9fbca314")[1].response_id == "chatcmpl-ec08ee4b2cd84124b8f4f469"


def test_content_of_parts_with_thinking() -> None:
    choice = read("efcaf9a918c35d2d")[1].choices[0]
    assert isinstance(choice.content, list)
    assert (choice.reasoning or "").startswith("**Analogizing")


def test_streamed_parts_and_text_become_one_list() -> None:
    content = read("7df973778dcad1d6")[1].choices[0].content
    assert isinstance(content, list)
    assert [part["type"] for part in content] == ["thinking", "text"]


def test_empty_finish_reason_is_none() -> None:
    choice = read("02d63995372d1f79")[1].choices[0]
    assert choice.finish_reason is None
    assert choice.function_call is None


def test_line_with_a_leading_space_is_no_event() -> None:
    body = body_of(records()["bc696b04aa88580a"]["response"])
    answer = read("bc696b04aa88580a")[1]
    assert answer.complete
    assert body.count(b"data: {") == 5
    assert answer.choices[0].tool_calls


def test_totals_that_do_not_add_up_stay_as_reported() -> None:
    answer = read("e46c24ac35934f20")[1]
    assert answer.usage is not None
    assert (answer.usage.input, answer.usage.output, answer.usage.reasoning) == (436, 68, 148)


def test_plain_text_of_a_proxy() -> None:
    answer = read("53e0a07e340fc410")[1]
    assert error_type("53e0a07e340fc410") == "503"
    assert answer.error is not None
    assert answer.error.message.startswith("upstream connect error")
