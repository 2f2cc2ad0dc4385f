"""The glance at a plain answer tells a span what the lenient reading would, or leaves the answer to that."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from recorder.call import AnswerHalf, Glance
from recorder.dialects.chat.chat import _read_whole
from recorder.dialects.chat.glance import read_glance
from recorder.telemetry.attributes import finish_reasons

from .test_corpus_dialect import CORPUS, body_of, records
from .test_whole import ANSWERS

CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}


def told(answer: Glance) -> tuple[Any, ...]:
    """What a span has of an answer."""
    names = answer.response_id, answer.model, answer.system_fingerprint, answer.service_tier
    how = answer.complete, answer.streamed, answer.error, answer.first_chunk_ns
    return answer.usage, finish_reasons(answer), how, [name or None for name in names]


def assert_alike(data: bytes) -> bool:
    """Whether the glance was enough; then both tell the same."""
    glance = read_glance(data)
    if glance is not None:
        assert told(glance) == told(_read_whole(data, 200, []))
    return glance is not None


@given(ANSWERS)
def test_both_readings_tell_the_same_of_odd_answers(answer: Any) -> None:
    assert_alike(json.dumps(answer).encode())


def test_a_glance_at_an_answer_as_usual_is_enough() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens_details": {"reasoning_tokens": 1}}
    answer = {"id": "c-1", "model": "m", "choices": [CHOICE], "usage": usage}
    assert assert_alike(json.dumps(answer).encode())


def test_choices_that_came_in_another_order_are_put_right() -> None:
    choices = [{**CHOICE, "index": 1}, {**CHOICE, "index": 0, "finish_reason": "length"}]
    data = json.dumps({"choices": choices}).encode()
    assert assert_alike(data)
    assert finish_reasons(read_glance(data) or AnswerHalf()) == ("length", "stop")


@pytest.mark.parametrize("text", [b'"\xff"', b'"\\ud800"', b"1e999", b"NaN"])
def test_text_that_no_span_has_may_be_odd(text: bytes) -> None:
    message = json.dumps(CHOICE).encode().replace(b'"Hi."', text)
    assert_alike(b'{"id": "c-1", "choices": [' + message + b"]}")


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the recorded traffic is not beside this checkout")
def test_a_glance_is_enough_for_most_real_answers() -> None:
    plain = [
        body_of(record["response"]) for record in records().values() if record["response"]["status"] == 200
    ]
    plain = [data for data in plain if data.startswith(b"{")]
    assert sum(map(assert_alike, plain)) > 0.9 * len(plain)
