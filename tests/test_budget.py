"""Budgets: kept in the store, and checked against what calls cost."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from recorder.audit import standing
from recorder.audit.budget import period_of
from recorder.call import Call
from recorder.cli.main import app
from recorder.ledger import Budgets, Store
from recorder.ledger.budgets import Budget
from recorder.ledger.database import open_database
from recorder.ledger.rollups import restore, withdraw
from recorder.ledger.tables import calls

from .ledger_calls import a_call, store_calls

DOLLAR = 10**12


def invoke(url: str, *words: str) -> Result:
    return CliRunner().invoke(app, ["budget", *words, "--store", url], env={"COLUMNS": "80"})


def spent(url: str, *made: Call, pico: int = DOLLAR, currency: str = "USD") -> None:
    """Store calls that cost so much each."""
    store_calls(url, *made)
    new = calls.c.id.in_([call.id for call in made])
    with open_database(url).write() as connection:
        withdraw(connection, new)
        connection.execute(calls.update().where(new).values(cost_pico=pico, currency=currency))
        restore(connection, new)


def now_us() -> int:
    return time.time_ns() // 1000


def moment(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 10**6  # type: ignore[misc,arg-type]


def test_a_budget_is_kept_and_removed(url: str) -> None:
    budgets = Budgets(url)
    budget = Budget("search", 50 * DOLLAR, "USD", "day", {"user_id": "u"}, {"feature": "search"})
    budgets.set(Budget("search", 1))
    budgets.set(budget)
    assert budgets.all() == [budget]
    budgets.remove("search")
    assert budgets.all() == []


def test_what_counts_is_of_the_period_and_of_the_calls_named(url: str) -> None:
    at = moment(2026, 11, 20, 12)
    spent(url, *(a_call(started_us=at, user_id=user, tags={"f": tag}) for user in "ab" for tag in "xy"))
    spent(url, a_call(started_us=at - 86_400 * 10**6, user_id="a", tags={"f": "x"}))
    spent(url, a_call(started_us=at, user_id="a"), currency="CNY")
    store = Store(url)
    day = standing(store, Budget("b", 10 * DOLLAR, "USD", "day", {"user_id": "a"}), at)
    assert (day.spent_pico, day.elsewhere, day.unpriced) == (2 * DOLLAR, (("CNY", DOLLAR),), 0)
    assert (day.share, day.projected_pico, day.over) == (0.2, 4 * DOLLAR, False)
    both = {"user_id": "a"}, {"f": "x"}
    assert standing(store, Budget("b", DOLLAR, "USD", "month", *both), at).spent_pico == 2 * DOLLAR
    assert standing(store, Budget("b", DOLLAR, "USD", "month", *both), at).over


@pytest.mark.parametrize(
    ("period", "begins", "ends"),
    [
        ("day", (2026, 12, 31), (2027, 1, 1)),
        ("month", (2026, 12, 1), (2027, 1, 1)),
    ],
)
def test_periods_are_those_of_the_calendar(period: str, begins: Any, ends: Any) -> None:
    assert period_of(period, moment(2026, 12, 31, 23, 59, 59)) == (moment(*begins), moment(*ends))


def test_the_exit_code_says_whether_a_budget_is_over(sqlite_url: str) -> None:
    spent(sqlite_url, a_call(started_us=now_us()))
    store_calls(sqlite_url, a_call(started_us=now_us()))
    invoke(sqlite_url, "set", "enough", "--limit", "1")
    assert invoke(sqlite_url, "check").exit_code == 0
    invoke(sqlite_url, "set", "little", "--limit", "0.999999999999", "--per", "month")
    result = invoke(sqlite_url, "check")
    assert result.exit_code == 1
    assert "little is over its limit" in result.stdout
    assert "1 call unpriced" in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    assert invoke(sqlite_url, "check", "enough").exit_code == 0


def test_json_has_exact_amounts(sqlite_url: str) -> None:
    spent(sqlite_url, a_call(started_us=now_us()), pico=1)
    invoke(sqlite_url, "set", "b", "--limit", "0.5")
    (found,) = json.loads(invoke(sqlite_url, "check", "--format", "json").stdout)
    assert (found["name"], found["limit"], found["over"]) == ("b", 0.5, False)
    assert "0.000000000001" in invoke(sqlite_url, "check", "--format", "json").stdout
    assert json.loads(invoke(sqlite_url, "list", "--format", "json").stdout)[0]["per"] == "month"


@pytest.mark.parametrize(
    "words",
    [
        ("check",),
        ("check", "nothing"),
        ("set", "b", "--limit", "much"),
        ("set", " ", "--limit", "1"),
        ("set", "b", "--limit", "-1"),
        ("set", "b", "--limit", "1", "--per", "year"),
        ("set", "b", "--limit", "1", "--tag", "feature"),
    ],
)
def test_what_cannot_be_done_is_exit_code_2(sqlite_url: str, words: tuple[str, ...]) -> None:
    store_calls(sqlite_url, a_call())
    assert invoke(sqlite_url, *words).exit_code == 2


def test_a_store_that_is_not_there_is_not_over_its_budget(sqlite_url: str) -> None:
    result = invoke(sqlite_url, "check")
    assert (result.exit_code, result.stdout) == (2, "")
