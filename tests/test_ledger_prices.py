"""The price book in a store: filled, changed, applied to calls as they come, and to those of the past."""

from __future__ import annotations

import json
import logging
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from recorder.audit import report
from recorder.call import AnswerHalf, Call, RequestHalf, Usage
from recorder.errors import PriceError, StoreNotFound
from recorder.exchange import ResponseHead
from recorder.ledger import PriceList, Store, schema
from recorder.ledger.database import open_database
from recorder.ledger.pricer import Pricer
from recorder.ledger.repricing import Difference
from recorder.ledger.sink import Sink
from recorder.ledger.writer import Writer
from recorder.pricing import Pages, curated
from recorder.pricing.plain import read_holidays

from .ledger_calls import a_call, an_exchange, put_calls, record, store_calls
from .prices import a_price, us

CORP = {"model": "small-1", "host": "model.test", "currency": "EUR", "input": "0.2", "output": "0.8"}
CORP_PICO = 12 * 200_000 + 5 * 800_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.db"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def prices(url: str) -> PriceList:
    return PriceList(url)


def deepseek(at: str, usage: Usage | None = None, model: str = "deepseek-chat", **changes: Any) -> Call:
    answer = AnswerHalf(complete=True, model=model, usage=usage or Usage(10_000, 8_000, None, 2_000))
    request = RequestHalf("chat", "deepseek", "api.deepseek.com", 443, "chat", model)
    return a_call(started_us=us(at), request=request, answer=answer, **changes)


def execute(path: Path, sql: str, *values: Any) -> list[Any]:
    connection = sqlite3.connect(path)
    with connection:
        rows = connection.execute(sql, values).fetchall()
    connection.close()
    return rows


def test_a_new_store_has_the_curated_book(url: str, prices: PriceList) -> None:
    with pytest.raises(StoreNotFound):
        prices.pages()
    store_calls(url, a_call())
    key = lambda row: row.id  # noqa: E731
    assert sorted(prices.pages().prices, key=key) == sorted(curated().prices, key=key)
    assert prices.pages().holidays == curated().holidays


def test_calls_are_priced_when_they_are_stored(url: str, path: Path) -> None:
    store_calls(url, deepseek("2025-11-01T12:00"), a_call(), deepseek("2025-11-01", replayed=True))
    rows = execute(
        path,
        "SELECT cost, currency, cost_usd, cost_source, replayed FROM v_calls ORDER BY replayed, started_at",
    )
    assert rows == [
        (0.001624, "USD", 0.001624, "book:deepseek-v3.2/deepseek-chat", 0),
        (None, None, None, "none", 0),
        (0.001624, "USD", 0.001624, "book:deepseek-v3.2/deepseek-chat", 1),
    ]
    notes = execute(path, "SELECT price_id, cost_note FROM calls ORDER BY replayed, started_us")
    assert notes[:2] == [
        ("deepseek-v3.2/deepseek-chat", ""),
        (None, "unpriced: no row for model small-1 at provider corp"),
    ]


def test_a_reported_cost_is_stored_and_stays(url: str, path: Path, prices: PriceList) -> None:
    head = ResponseHead(200, ((b"x-litellm-response-cost", b"0.000217"),))
    store_calls(url, deepseek("2025-11-01"), exchange=an_exchange(head=head))
    assert execute(path, "SELECT cost_pico, currency, cost_source FROM calls") == [
        (217_000_000, "USD", "provider")
    ]
    assert prices.reprice(since_us=None).checked == 0


def test_a_row_that_is_set_holds_from_the_next_call_on(url: str, path: Path, prices: PriceList) -> None:
    sink = Sink(url)
    sink.store([record(a_call())])
    prices.set("corp", CORP)
    sink.store([record(a_call())])
    prices.remove("corp")
    sink.store([record(a_call())])
    sink.close()
    assert execute(path, "SELECT cost_pico FROM calls ORDER BY seq") == [(None,), (CORP_PICO,), (None,)]


def test_the_user_s_changes_survive_an_import_and_can_be_taken_back(prices: PriceList) -> None:
    id = "deepseek-v3.2/deepseek-chat"
    prices.set(id, {"input": "0.25"})
    assert prices.refresh().kept == 1
    assert prices.find(id).input == Decimal("0.25")
    assert prices.refresh(reset=True).changed == 1
    assert prices.find(id).own is False
    prices.set(id, {"input": "0.25"})
    assert prices.remove(id) == next(row for row in curated().prices if row.id == id)


def test_an_import_brings_rows_up_to_date(prices: PriceList, path: Path) -> None:
    prices.refresh()
    execute(path, "DELETE FROM prices WHERE id = 'deepseek-v3/deepseek-chat'")
    execute(path, "UPDATE prices SET input = '9' WHERE id = 'deepseek-r1/deepseek-reasoner'")
    execute(path, "UPDATE prices SET id = 'gone' WHERE id = 'deepseek-flash/deepseek-flash'")
    execute(path, "DELETE FROM holidays WHERE year = 2026")
    done = prices.refresh()
    assert (done.added, done.changed, done.removed, done.kept) == (2, 1, 1, 0)
    assert {row.id for row in prices.pages().prices} == {row.id for row in curated().prices}
    assert prices.pages().holidays == curated().holidays


def test_an_account_is_billed_in_one_currency(url: str, path: Path, prices: PriceList) -> None:
    prices.switch("deepseek", "CNY")
    execute(path, "DELETE FROM prices WHERE id LIKE 'deepseek-flash%'")
    prices.refresh()
    assert {row.currency for row in prices.pages().prices if row.enabled} == {"CNY"}
    store_calls(url, deepseek("2026-11-20T12:00", model="deepseek-flash"))
    assert execute(path, "SELECT cost_pico, currency FROM calls") == [(10_160_000_000, "CNY")]
    with pytest.raises(PriceError, match="no rows of deepseek in EUR; there are: CNY, USD"):
        prices.switch("deepseek", "EUR")


def test_holidays_of_ones_own_are_kept(prices: PriceList) -> None:
    year = read_holidays({"country": "CN", "year": 2026, "days": ["2026-12-31"]})
    more = read_holidays({"country": "CN", "year": 2027, "days": ["2027-01-01..2027-01-03"]})
    prices.add(Pages((), (year, more)))
    prices.refresh()
    found = {each.year: each for each in prices.pages().holidays}
    assert found[2026].own
    assert len(found[2027].days) == 3


@pytest.mark.parametrize(
    ("id", "changes", "complaint"),
    [
        ("new", {"input": "1"}, "a row needs a model"),
        ("new", {"model": "m"}, "a row needs a rate"),
        ("new", {"model": "m", "input": "dear"}, "'dear' is no rate"),
        ("deepseek-v3.2/deepseek-chat", {"to": us("2020-01-01")}, "has to end after it begins"),
    ],
)
def test_a_row_that_cannot_be_used_is_not_written(
    prices: PriceList, id: str, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(PriceError, match=complaint):
        prices.set(id, changes)
    assert len(prices.refresh().__struct_fields__) == 4
    assert not any(row.own for row in prices.pages().prices)


def test_a_row_broken_by_hand_is_left_out_and_found(
    url: str, path: Path, prices: PriceList, caplog: pytest.LogCaptureFixture
) -> None:
    prices.refresh()
    execute(path, "UPDATE prices SET hours = 'at noon' WHERE id = 'deepseek-v3/deepseek-chat'")
    with caplog.at_level(logging.WARNING):
        store_calls(url, deepseek("2025-11-01"))
    assert "left out of the price book: row deepseek-v3/deepseek-chat" in caplog.text
    assert execute(path, "SELECT cost_pico FROM calls") == [(1_624_000_000,)]
    assert [each.kind for each in prices.check(us("2026-11-20")) if each.problem] == ["unusable"]


def test_a_call_that_cannot_be_priced_is_stored(
    url: str, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("recorder.ledger.pricer.subject_of", broken)
    store_calls(url, a_call())
    assert execute(path, "SELECT cost_pico, cost_source FROM calls") == [(None, "none")]
    assert "a mistake of ours" in caplog.text


def test_the_book_is_read_again_only_when_it_changed(
    url: str, prices: PriceList, monkeypatch: pytest.MonkeyPatch
) -> None:
    prices.refresh()
    reads: list[object] = []
    monkeypatch.setattr("recorder.ledger.pricer.load_book", reads.append)
    pricer, database = Pricer(), open_database(url)
    for change in (None, None, "remove", "set"):
        if change == "set":
            prices.set("corp", CORP)
        with database.read() as connection:
            pricer.refresh(connection)
            pricer._book = pricer._book or object()  # type: ignore[assignment]  # as if it had been read
    assert len(reads) == 2


def test_repricing_keeps_what_it_was_and_why(url: str, path: Path, prices: PriceList) -> None:
    call = deepseek("2025-11-01")
    store_calls(url, call, a_call(), deepseek("2025-11-02", replayed=True))
    prices.set("deepseek-v3.2/deepseek-chat", {"input": "0.38"})
    prices.set("corp", CORP)
    done = prices.reprice(since_us=None)
    assert (done.checked, done.changed, done.priced, done.unpriced) == (3, 3, 1, 0)
    assert done.differences == {
        ("deepseek-chat", "USD"): Difference(2, 1_624_000_000, 1_824_000_000),
        ("small-1", "EUR"): Difference(1, None, CORP_PICO),
    }
    (change,) = prices.changes(call.id)
    assert change["former_cost_pico"] == 1_624_000_000
    assert change["cost_pico"] == 1_824_000_000
    assert change["reason"] == "book:deepseek-v3.2/deepseek-chat has other rates than before"
    assert Store(url).call(call.id)["cost"] == 0.001824


def test_repricing_again_changes_nothing(url: str, path: Path, prices: PriceList) -> None:
    store_calls(url, *(deepseek("2025-11-01") for _ in range(3)))
    prices.set("deepseek-v3.2/deepseek-chat", {"to": us("2025-10-01")})
    first, again = prices.reprice(since_us=None), prices.reprice(since_us=None)
    assert (first.changed, first.unpriced, again.changed) == (3, 3, 0)
    assert execute(path, "SELECT DISTINCT cost_pico, currency, cost_source FROM calls") == [
        (None, None, "none")
    ]
    assert execute(path, "SELECT DISTINCT reason FROM cost_changes") == [
        ("unpriced: no row for model deepseek-chat at provider deepseek holds at that time",)
    ]


def test_a_dry_run_says_the_same_and_writes_nothing(url: str, path: Path, prices: PriceList) -> None:
    store_calls(url, deepseek("2025-11-01"))
    prices.set("deepseek-v3.2/deepseek-chat", {"input": "0.38"})
    before = execute(path, "SELECT * FROM calls")
    dry = prices.reprice(since_us=None, dry_run=True)
    assert execute(path, "SELECT * FROM calls") == before
    assert execute(path, "SELECT count(*) FROM cost_changes") == [(0,)]
    assert prices.reprice(since_us=None) == dry


def test_repricing_is_for_the_calls_that_were_meant(url: str, path: Path, prices: PriceList) -> None:
    store_calls(
        url,
        *(
            deepseek(f"2025-11-0{day}", model=model)
            for day in (1, 2, 3)
            for model in ("deepseek-chat", "deepseek-reasoner")
        ),
    )
    for model in ("deepseek-chat", "deepseek-reasoner"):
        prices.set(f"deepseek-v3.2/{model}", {"input": "1"})
    done = prices.reprice(since_us=us("2025-11-02"), until_us=us("2025-11-03"), model="deepseek-reasoner")
    assert (done.checked, done.changed) == (1, 1)


def test_repricing_goes_on_beside_a_writer(
    url: str, prices: PriceList, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recorder.ledger.repricing._BATCH", 10)
    store_calls(url, *(a_call() for _ in range(100)))
    prices.set("corp", CORP)
    writer, seen = Writer(url, 64 << 20), []

    def advance(done: int, total: int) -> None:
        seen.append((done, total))
        put_calls(writer, 20)

    done = prices.reprice(since_us=None, progress=advance)
    assert writer.close(30.0)
    assert (done.checked, done.changed, seen[-1]) == (100, 100, (100, 100))
    total = report(Store(url)).total
    assert (total.calls, total.without_cost, total.cost_pico) == (300, 0, (("EUR", 300 * CORP_PICO),))


def test_calls_of_before_there_were_prices_are_read_for_what_they_report(
    url: str, path: Path, prices: PriceList
) -> None:
    answer = {"model": "m", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "cost": 0.5}}
    exchange = an_exchange(chunks=(json.dumps(answer).encode(),))
    store_calls(url, a_call(), exchange=exchange)
    execute(
        path, "UPDATE calls SET cost_pico = NULL, currency = NULL, cost_source = 'none', cost_note = NULL"
    )
    assert prices.reprice(since_us=None).priced == 1
    assert execute(path, "SELECT cost_pico, cost_source FROM calls") == [(5 * 10**11, "provider")]


def test_the_migration_keeps_data_both_ways(url: str, path: Path, prices: PriceList) -> None:
    call = deepseek("2025-11-01")
    store_calls(url, call)
    prices.set("corp", CORP)
    prices.set("deepseek-v3.2/deepseek-chat", {"input": "0.38"})
    prices.reprice(since_us=None)
    database = open_database(url)
    schema.downgrade(database, "0002")
    assert execute(path, "SELECT id, cost_pico, currency FROM calls") == [(call.id, 1_824_000_000, "USD")]
    assert execute(path, "SELECT count(*) FROM payloads") == [(1,)]
    schema.upgrade(database)
    assert len(prices.pages().prices) == len(curated().prices)
    assert Store(url).call(call.id)["cost"] == 0.001824
    assert Store(url).call(call.id)["cost_note"] is None
    assert prices.reprice(since_us=None).differences[("deepseek-chat", "USD")].pico == -200_000_000
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": schema.VERSION_TABLE})
        assert context.get_current_revision() == schema.HEAD
    assert Store(url).check() == []


def test_what_is_wrong_with_a_book_is_found(url: str, prices: PriceList) -> None:
    store_calls(url, a_call(), a_call(), deepseek("2026-11-01"), deepseek("2025-11-01", usage=Usage()))
    prices.set("one", {"model": "m", "host": "h", "input": "1"})
    prices.set("two", {"model": "m", "host": "h", "input": "2", "from": us("2026-01-01")})
    prices.set("old", {"model": "o", "host": "h", "input": "1", "to": us("2026-01-01")})
    found = [(each.kind, each.problem, each.text) for each in prices.check(us("2026-11-20"))]
    assert (
        "unpriced",
        True,
        "2 calls of small-1 at corp (model.test) have no price, the last on 2025-11-21",
    ) in found
    assert (
        "expired",
        True,
        "the last row for deepseek-chat at deepseek ended on 2026-07-24; 1 call came since",
    ) in found
    assert ("expired", False, "the last row for o at any provider (h) ended on 2026-01-01") in found
    assert (
        "overlap",
        True,
        "rows one and two hold at the same time from 2026-01-01 on; end one of them",
    ) in found
    kinds = [kind for kind, _, _ in found]
    assert kinds.count("overlap") == 1
    assert "holidays" in kinds
    assert "outdated" not in kinds


def test_calls_that_could_be_priced_by_now_are_found(url: str, prices: PriceList) -> None:
    store_calls(url, a_call())
    prices.set("corp", CORP)
    texts = [each.text for each in prices.check(us("2026-03-01"))]
    assert texts == [
        "1 call of small-1 at corp (model.test) can be priced now: recorder reprice --since 2025-11-21"
    ]


def test_a_list_of_holidays_that_ended_is_a_problem(prices: PriceList) -> None:
    prices.refresh()
    assert [each.problem for each in prices.check(us("2026-10-01")) if each.kind == "holidays"] == []
    assert [each.problem for each in prices.check(us("2026-11-20")) if each.kind == "holidays"] == [False]
    assert [each.problem for each in prices.check(us("2027-01-01")) if each.kind == "holidays"] == [True]


def test_an_explanation_is_given_only_where_it_still_holds(url: str, prices: PriceList) -> None:
    call = deepseek("2025-11-01")
    store_calls(url, call)
    cost = prices.explain(call.id)
    assert cost is not None
    assert sum(line.pico for line in cost.lines) == cost.pico == 1_624_000_000
    prices.set("deepseek-v3.2/deepseek-chat", {"input": "0.38"})
    assert prices.explain(call.id) is None


USAGES = st.builds(Usage, st.integers(100, 10**6), st.integers(0, 100), st.none(), st.integers(0, 10**6))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(USAGES, st.booleans()), min_size=1, max_size=12), st.decimals(0, 100, places=6))
def test_sums_are_those_of_the_rows_to_the_last_pico_unit(
    url: str, path: Path, calls: list[tuple[Usage, bool]], rate: Decimal
) -> None:
    prices = PriceList(url)
    prices.refresh()
    execute(path, "DELETE FROM calls")
    execute(path, "DELETE FROM rollups")
    prices.set("own", {"model": "deepseek-chat", "host": "api.deepseek.com", "input": rate, "output": rate})
    store_calls(url, *(deepseek("2025-11-01", usage, replayed=replayed) for usage, replayed in calls))
    wanted = {
        flag: sum(
            round(rate * 10**6) * ((usage.input or 0) + (usage.output or 0))
            for usage, replayed in calls
            if replayed is flag
        )
        for flag in (False, True)
    }
    rows = dict(execute(path, "SELECT replayed, sum(cost_pico) FROM calls GROUP BY replayed"))
    total = report(Store(url)).total
    assert dict(total.cost_pico).get("USD", 0) == rows.get(0, 0) == wanted[False]
    assert dict(total.saved_pico).get("USD", 0) == rows.get(1, 0) == wanted[True]


def test_a_day_s_sum_does_not_overflow(url: str, path: Path) -> None:
    store_calls(url, deepseek("2025-11-01"), deepseek("2025-11-01"))
    execute(path, "UPDATE calls SET cost_pico = ?", 2**62 + 2**61)
    (cost,) = execute(path, "SELECT cost FROM v_calls_daily")[0]
    assert cost == pytest.approx(2 * (2**62 + 2**61) / 1e12)


def test_rows_are_found_by_a_beginning_of_their_id(prices: PriceList) -> None:
    prices.refresh()
    assert prices.find("deepseek-v3/").id == "deepseek-v3/deepseek-chat"
    for part, complaint in (
        ("deepseek-v", "several price rows fit"),
        ("nothing", "has no price row 'nothing'"),
    ):
        with pytest.raises(PriceError, match=complaint):
            prices.find(part)
    with pytest.raises(PriceError, match="is a curated one"):
        prices.remove("deepseek-v3/deepseek-chat")
    prices.add(Pages((replace(a_price("mine"), own=False),), ()))
    assert prices.find("mine").own


def test_a_payload_that_cannot_be_read_does_not_end_repricing(
    url: str, path: Path, prices: PriceList, caplog: pytest.LogCaptureFixture
) -> None:
    store_calls(url, deepseek("2025-11-01"), deepseek("2025-11-02"))
    execute(
        path, "UPDATE calls SET cost_pico = NULL, currency = NULL, cost_source = 'none', cost_note = NULL"
    )
    execute(path, "UPDATE payloads SET record = x'00'")
    assert prices.reprice(since_us=None).priced == 2
    assert "the call goes on" in caplog.text
