"""Reports on most calls, made of all calls less a few, against those that count the calls one by one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.audit import report
from recorder.call import Call
from recorder.ledger import Store, answers_by_difference
from recorder.ledger.conditions import parse_conditions

from .ledger_calls import START_US, a_call, store_calls
from .test_rollups import CALLS, FILTERS, GROUPS, MOMENTS, emptied, from_rows, many


@many
@given(
    st.lists(CALLS, max_size=25),
    st.sampled_from(GROUPS),
    st.sampled_from([*FILTERS, {"where": parse_conditions(["duration_s>0.5", "error_type!=a"])}]),
    MOMENTS,
)
def test_all_calls_less_the_others_are_those_asked_for(
    url: str, some: list[Call], by: tuple[str, ...], filters: dict[str, Any], since_us: int | None
) -> None:
    emptied(url)
    store_calls(url, *some)
    asked: dict[str, Any] = {"since_us": since_us, **filters}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answers_by_difference, "share", lambda *question: 1.0)
        found = report(Store(url), by, **asked)
    assert found == from_rows(url, *by, **asked)


@pytest.mark.parametrize(
    ("condition", "least"), [("user_id=a", 0.85), ("user_id!=a", 0.05), ("user_id=c", 0.0)]
)
def test_a_share_is_judged_by_some_calls(
    url: str, monkeypatch: pytest.MonkeyPatch, condition: str, least: float
) -> None:
    store_calls(url, *[a_call(user_id="b" if number % 10 == 0 else "a") for number in range(400)])
    monkeypatch.setattr(answers_by_difference, "_FEW", 100)
    judged = answers_by_difference.share
    shares: list[float] = []

    def share(*question: Any) -> float:
        shares.append(judged(*question))
        return 0.0

    monkeypatch.setattr(answers_by_difference, "share", share)
    where = parse_conditions([condition, "duration_s>0"])
    report(Store(url), ("session",), START_US, None, where)
    assert least <= shares[0] <= least + 0.1


def test_a_number_beyond_all_is_compared_with_all_calls(url: str) -> None:
    store_calls(url, a_call())
    for operator, calls in (("=", 0), ("<", 1)):
        found = report(Store(url), ("model",), where=parse_conditions([f"http_status{operator}1e99999999"]))
        assert found.total.calls == calls
