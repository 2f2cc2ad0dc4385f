from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import bindparam, func, select

from recorder.errors import StoreError
from recorder.ledger.access import writing
from recorder.ledger.conditions import Condition, clause, parse_conditions
from recorder.ledger.database import open_database
from recorder.ledger.store import Store
from recorder.ledger.tables import calls

from .databases import execute
from .ledger_calls import START_US, a_call, store_calls

START = Decimal(START_US) / 10**6


def found(url: str, *texts: str) -> list[int]:
    """The numbers of the calls that fit, in the order in which they were stored."""
    return [row["seq"] for row in Store(url).calls(where=parse_conditions(texts), newest_first=False)]


@pytest.fixture
def stored(url: str) -> str:
    """Three calls: one that is all known, one that failed, and one of which little is known."""
    store_calls(
        url,
        a_call(started_us=START_US, user_id="u-7", session_id='a "b"', tags={"feature": "search", "n": 1}),
        a_call(
            started_us=START_US + 1,
            outcome="error",
            http_status=429,
            duration_ns=2_500_000_000,
            tags={"n": True},
        ),
        a_call(started_us=START_US + 2, http_status=None, user_id="none", tags={"a=b": "x", "feature": None}),
    )
    execute(url, "UPDATE calls SET cost_pico = 123456789012345, currency = 'EUR' WHERE seq = 1")
    execute(url, "UPDATE calls SET cost_pico = 200000000, currency = 'USD' WHERE seq = 2")
    execute(url, "UPDATE calls SET request_model = ?, response_model = NULL WHERE seq = 2", "Small%_1")
    execute(url, "UPDATE calls SET cost_pico = NULL, currency = NULL WHERE seq = 3")
    return url


@pytest.mark.parametrize(
    ("text", "seqs"),
    [
        ("outcome=error", [2]),
        ("outcome == error", [2]),
        ("outcome!=error", [1, 3]),
        ("http_status>=400", [2]),
        ("http_status<400", [1]),
        ("http_status=none", [3]),
        ("http_status!=none", [1, 2]),
        ("http_status!=429", [1, 3]),
        ("http_status=429.0", [2]),
        ("http_status=428.5", []),
        ("http_status!=428.5", [1, 2, 3]),
        ("http_status<=1e99999999", [1, 2]),
        ("http_status>1e99999999", []),
        ("http_status>-3000000000", [1, 2]),
        ("duration_s>=2.5", [2]),
        ("duration_s>2.4999999", [2]),
        ("duration_s>2.5", []),
        ("duration_s<=0.005", [1, 3]),
        ("cost=123.456789012345", [1]),
        ("cost>=0.0002", [1, 2]),
        ("cost=none", [3]),
        ("cost_usd>0", [2]),
        ("cost_usd=none", [1, 3]),
        ("user_id=none", [2]),
        ('user_id="none"', [3]),
        ("user_id!=u-7", [2, 3]),
        ('session_id=a "b"', [1]),
        ("usage_source=none", []),
        ("model^=Small%", [2]),
        ("model^=small", [1, 3]),
        ("model~%_", [2]),
        ("model~SMALL", []),
        ("model!~%_", [1, 3]),
        ("user_id!~u-", [2, 3]),
        ("stream=no", [1, 2, 3]),
        ("replayed=true", []),
        ("tag.feature=search", [1]),
        ("tag.feature!=search", [2, 3]),
        ("tag.feature=none", [2, 3]),
        ("tag.feature!=none", [1]),
        ("tag.feature~ear", [1]),
        ("tag.feature^=sea", [1]),
        ("tag.feature!~ear", [2, 3]),
        ("tag.n=1", [1]),
        ("tag.n=true", [2]),
        ('tag."a=b"=x', [3]),
        (f"started_at={START + Decimal('0.000001')}", [2]),
        (f"started_at>{START}", [2, 3]),
        (f"started_at<={START}", [1]),
        ("started_at>=1h", []),
        ("started_at<2020-01-01T00:00:00+01:00", []),
        ("id>019aa000", [1, 2, 3]),
        ("id^=019AA", []),
    ],
)
def test_a_condition_finds_its_calls(stored: str, text: str, seqs: list[int]) -> None:
    assert found(stored, text) == seqs


def test_tags_are_found_however_their_json_spells_them(stored: str) -> None:
    spelled = '{"\\u0066eature": "sea\\u0072ch", "nested": {"feature": "x"}}'
    execute(stored, "UPDATE calls SET tags = ? WHERE seq = 3", spelled)
    assert found(stored, "tag.feature=search") == [1, 3]
    assert found(stored, "tag.feature!=search") == [2]
    assert found(stored, "tag.feature=x") == []


def test_all_conditions_must_hold(stored: str) -> None:
    assert found(stored, "duration_s<1", "user_id!=none") == [1, 3]
    assert found(stored, "duration_s<1", "user_id!=none", "http_status=200") == [1]


def test_a_date_is_a_whole_day_of_local_time(stored: str) -> None:
    day = datetime.fromtimestamp(START_US // 10**6).date()
    before, after = day - timedelta(1), day + timedelta(1)
    assert found(stored, f"started_at={day}") == found(stored, f"started_at<={day}") == [1, 2, 3]
    assert found(stored, f"started_at>{before}", f"started_at<{after}") == [1, 2, 3]
    assert found(stored, f"started_at>{day}") == found(stored, f"started_at<{day}") == []


def test_values_are_never_taken_for_sql(stored: str) -> None:
    for hostile in ("' OR 1=1 --", '"; DROP TABLE calls; --', "%", "_", "\\", "\x00"):
        for operator in ("=", "^=", "~"):
            assert found(stored, f"provider{operator}x{hostile}") == []
            assert found(stored, f"tag.x{hostile}{operator}y") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("outcome", "is no condition; write COLUMN=VALUE"),
        ("=x", "is no condition"),
        ("usr_id=7", r"no column 'usr_id' \(did you mean 'user_id'\?\); it has: id, started_at, "),
        ("colour=red", r"no column 'colour'; it has: .*, and tag.NAME for each tag"),
        (
            "input_tokens=many",
            "input_tokens is a number, and 'many' is none, nor none, which stands for unknown",
        ),
        ("attempt=none", "attempt is a number, and 'none' is none$"),
        ("cost>nan", "cost is a number"),
        ("provider>=x", "provider is a text, which >= cannot compare; use one of = != "),
        ("cost~1", "cost is a number, which ~ cannot compare; use one of = != <"),
        ("user_id>none", "use one of = !="),
        ("outcome=eror", "outcome is one of ok, error, .*, and never 'eror'"),
        ("started_at>=soon", "'soon' is no time; write 7d"),
        ("started_at!=2026-11-01", "started_at is a time, which != cannot compare"),
        ("tag.n>=3", "tag.n is a text"),
    ],
)
def test_what_is_no_condition_is_refused_in_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_conditions([text])


def test_conditions_made_by_hand_are_checked_too(stored: str) -> None:
    for condition in (Condition("colour", "=", "red"), Condition("cost", "=", "red")):
        with pytest.raises(StoreError):
            Store(stored).calls(where=[condition])


@pytest.fixture
def eight(url: str) -> str:
    """A store of eight calls."""
    store_calls(url, *(a_call() for _ in range(8)))
    return url


def count_of(url: str, numbers: list[int], condition: Condition) -> int:
    """How many of these numbers of tokens a condition finds."""
    database = open_database(url)
    with writing(database) as connection:
        connection.execute(calls.update().values(input_tokens=None))
        rows = [{"of": seq, "number": number} for seq, number in enumerate(numbers, 1)]
        change = calls.update().where(calls.c.seq == bindparam("of"))
        connection.execute(change.values(input_tokens=bindparam("number")), rows)
        query = select(func.count()).where(
            clause(condition, sqlite=database.is_sqlite), calls.c.input_tokens.is_not(None)
        )
        return int(connection.scalar(query) or 0)


_DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)


@given(
    numbers=st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3), min_size=1, max_size=8),
    operator=st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
    asked=_DECIMALS | st.decimals(-3, 3, places=1),
)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_numbers_are_compared_exactly(eight: str, numbers: list[int], operator: Any, asked: Decimal) -> None:
    compare = {
        "=": asked.__eq__,
        "!=": asked.__ne__,
        "<": asked.__gt__,
        "<=": asked.__ge__,
        ">": asked.__lt__,
        ">=": asked.__le__,
    }[operator]
    expected = sum(compare(Decimal(number)) for number in numbers)
    assert count_of(eight, numbers, Condition("input_tokens", operator, asked)) == expected


def test_the_attempts_of_an_operation_are_found_by_an_index(sqlite_url: str) -> None:
    calls_of_one = (a_call(operation_id="o-1"), a_call(operation_id="o-1"))
    alone = a_call()
    store_calls(sqlite_url, *calls_of_one, msgspec.structs.replace(alone, operation_id=alone.id))
    assert found(sqlite_url, "operation_id=o-1") == [1, 2]
    assert found(sqlite_url, f"operation_id={alone.id}") == [3]
    asked = clause(Condition("operation_id", "=", "o-1"), sqlite=True)
    query = select(calls).where(asked).order_by(calls.c.started_us).limit(50)
    with open_database(sqlite_url).read() as connection:
        compiled = query.compile(connection, compile_kwargs={"render_postcompile": True})
        values = tuple(compiled.params[name] for name in compiled.positiontup or ())
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values)
        assert any("ix_calls_operation_id" in str(step) for step in plan)
