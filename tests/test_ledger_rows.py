from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from recorder.call import AnswerHalf, CallError, Choice, Usage
from recorder.ledger.rows import call_row
from recorder.ledger.tables import calls

from .ledger_calls import a_call, an_exchange


def row_of(**changes: Any) -> dict[str, Any]:
    return call_row(a_call(**changes), an_exchange())


def test_a_row_has_all_columns_but_the_number() -> None:
    assert {"seq", *row_of()} == set(calls.c.keys())


def test_times_are_whole_microseconds() -> None:
    row = row_of()
    assert (row["duration_us"], row["first_byte_us"], row["first_token_us"]) == (5_000, 4_000, None)


def test_unknown_stays_unknown() -> None:
    row = row_of(answer=AnswerHalf(), http_status=None)
    names = (
        "input_tokens",
        "cached_tokens",
        "output_tokens",
        "http_status",
        "error_type",
        "cost_pico",
        "currency",
    )
    assert [row[name] for name in names] == [None] * len(names)
    assert (row["usage_source"], row["cost_source"], row["finish_reasons"]) == ("none", "none", "[]")


def test_finish_reasons_keep_the_order_of_choices_and_its_gaps() -> None:
    answer = AnswerHalf(
        choices=(Choice(0, finish_reason="stop"), Choice(1), Choice(2, finish_reason="length"))
    )
    assert json.loads(row_of(answer=answer)["finish_reasons"]) == ["stop", None, "length"]


@pytest.mark.parametrize("number", [2**70, -1, 2**63, 1.5, "12"])
def test_what_cannot_be_a_count_is_unknown(number: Any) -> None:
    row = row_of(answer=AnswerHalf(usage=Usage(number, 1)))
    assert (row["input_tokens"], row["cached_tokens"], row["usage_source"]) == (None, 1, "provider")


def test_text_is_what_every_database_takes() -> None:
    row = row_of(error=CallError("bad\x00type", "no \udc80 text"), user_id="naïve 🦆")
    assert (row["error_type"], row["error_message"], row["user_id"]) == (
        "badtype",
        "no \ufffd text",
        "naïve 🦆",
    )


def test_a_model_that_is_no_text_is_kept_as_text() -> None:
    weird: Any = ["small", 1]
    assert row_of(request=replace(a_call().request, model=weird))["request_model"] == "['small', 1]"


def test_long_texts_are_cut() -> None:
    row = row_of(session_id="s" * 10_000, error=CallError("e", "m" * 10_000))
    assert (len(row["session_id"]), len(row["error_message"])) == (500, 8_000)


def test_long_names_that_begin_alike_stay_apart() -> None:
    first, second = (row_of(user_id="\N{DUCK}" * 600 + end)["user_id"] for end in ("a", "\ud800"))
    assert len(first) == len(second) == 500
    assert first[:400] == second[:400]
    assert first != second


@pytest.mark.parametrize(
    ("tags", "kept"),
    [
        ({}, {}),
        ({"feature": "search", "n": 1}, {"feature": "search", "n": 1}),
        ({"a\x00b": "c\x00d"}, {"ab": "cd"}),
        ({"a": ["\udc80", {"b": "\x00"}]}, {"a": ["\ufffd", {"b": ""}]}),
        ({"object": {1, 2}}, {"object": [1, 2]}),
        ({("a", 1): 2}, {"('a', 1)": 2}),
    ],
)
def test_tags_are_a_json_object(tags: dict[Any, Any], kept: dict[str, Any]) -> None:
    assert json.loads(row_of(tags=tags)["tags"]) == kept


def test_a_replayed_and_redacted_call_is_marked() -> None:
    row = call_row(a_call(replayed=True, cassette="checkout"), an_exchange(redacted=True))
    assert (row["replayed"], row["redacted"], row["cassette"]) == (1, 1, "checkout")
