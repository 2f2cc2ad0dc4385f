"""The quick reading of plain answers says what the lenient one says, or leaves the answer to it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.dialects.chat.chat import _read_whole
from recorder.dialects.chat.whole import read_usual

from .test_corpus_dialect import CORPUS, body_of, records

ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, "", "text", 0, 1, 1.0, 2.5, True, [], {}, [{"type": "text", "text": "a"}], "\ud800"]
)
CALLS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "id": ODD,
            "index": ODD,
            "function": st.fixed_dictionaries({"name": ODD, "arguments": ODD}),
        },
    )
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            (
                "role",
                "content",
                "reasoning_content",
                "reasoning",
                "reasoning_text",
                "refusal",
                "function_call",
            ),
            ODD,
        ),
        "reasoning_details": ODD,
        "tool_calls": CALLS | ODD,
    },
)
CHOICES = st.fixed_dictionaries(
    {},
    optional={"message": MESSAGES | ODD, "index": ODD, "finish_reason": ODD, "logprobs": ODD, "error": ODD},
)
USAGES = st.dictionaries(
    st.sampled_from(["prompt_tokens", "completion_tokens", "total_tokens", "prompt_cache_hit_tokens"]), ODD
)
ANSWERS = st.fixed_dictionaries(
    {"choices": st.lists(CHOICES, max_size=3) | ODD},
    optional={
        **dict.fromkeys(
            ("id", "model", "system_fingerprint", "service_tier", "error", "errors", "code"), ODD
        ),
        "base_resp": ODD | st.fixed_dictionaries({"status_code": ODD}),
        "usage": USAGES | ODD,
    },
)


def assert_alike(data: bytes) -> bool:
    """Whether the quick reading took the answer; then both are the same."""
    usual = read_usual(data, [])
    if usual is not None:
        assert usual == _read_whole(data, 200, [])
    return usual is not None


@given(ANSWERS)
def test_both_readings_agree_on_odd_answers(answer: Any) -> None:
    assert_alike(json.dumps(answer).encode())


def test_an_answer_as_usual_is_read_at_once() -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}
    answer = {"id": "c-1", "model": "m", "choices": [choice], "usage": {"prompt_tokens": 3}}
    assert assert_alike(json.dumps(answer).encode())


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the recorded traffic is not beside this checkout")
def test_most_real_answers_are_read_at_once_and_alike() -> None:
    plain = [
        body_of(record["response"]) for record in records().values() if record["response"]["status"] == 200
    ]
    plain = [data for data in plain if data.startswith(b"{")]
    assert sum(map(assert_alike, plain)) > 0.9 * len(plain)
