"""Two cassettes compared."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.cassettes import Recorded
from recorder.interchange.comparison import compare_cassettes

from .ledger_calls import an_exchange


def asked(question: str, answer: str = "Yes.") -> Recorded:
    """A recording of one question and its answer."""
    body = json.dumps({"model": "small", "messages": [{"role": "user", "content": question}]}).encode()
    choices = [{"index": 0, "message": {"content": answer}, "finish_reason": "stop"}]
    return Recorded(an_exchange(body, (json.dumps({"choices": choices}).encode(),)), "")


QUESTIONS = st.lists(st.sampled_from("abc"), max_size=6)


@settings(max_examples=40, deadline=None)
@given(QUESTIONS, st.randoms())
def test_order_of_different_requests_does_not_count(questions: list[str], random: object) -> None:
    left = [asked(question) for question in questions]
    right = list(left)
    random.shuffle(right)  # type: ignore[attr-defined]
    found = compare_cassettes(left, right)
    assert (found.equal, found.same) == (True, len(left))


@settings(max_examples=40, deadline=None)
@given(QUESTIONS, QUESTIONS)
def test_every_entry_is_told_once(first: list[str], second: list[str]) -> None:
    left, right = [asked(each) for each in first], [asked(each) for each in second]
    found = compare_cassettes(left, right)
    paired = found.same + len(found.changed)
    assert paired + len(found.removed) == len(left)
    assert paired + len(found.added) == len(right)


def test_repeated_requests_are_paired_in_their_order() -> None:
    left = [asked("a", "One."), asked("a", "Two.")]
    right = [asked("a", "One."), asked("a", "Three.")]
    (changed,) = compare_cassettes(left, right).changed
    assert (changed.left.number, changed.text) == (2, ("-Two.", "+Three."))


def test_changed_request_is_paired_with_the_nearest() -> None:
    left = [asked("What is the capital of Japan?"), asked("b")]
    right = [asked("b"), asked("What is the capital of France?")]
    (changed,) = compare_cassettes(left, right).changed
    assert (changed.left.number, changed.right.number) == (1, 2)
    assert [each.path for each in changed.request] == ["$.messages[0].content"]


def test_spacing_of_the_body_and_chunks_do_not_count() -> None:
    left = asked("a")
    exchange = left.exchange
    spaced = an_exchange(exchange.request.body.replace(b":", b" : "), (exchange.body[:9], exchange.body[9:]))
    assert compare_cassettes([left], [Recorded(spaced, "", 3, 1)]).equal
