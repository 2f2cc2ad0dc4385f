from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from recorder.call import AnswerHalf, CallError, Usage
from recorder.errors import CallNotFound, StoreError, StoreNotFound
from recorder.ledger import schema
from recorder.ledger.database import open_database
from recorder.ledger.sink import Sink
from recorder.ledger.store import Store

from .databases import execute
from .ledger_calls import START_US, a_call, an_exchange, store_calls
from .test_migrations import CALL_COLUMNS, DAILY_COLUMNS


@pytest.mark.usefixtures("absent")
def test_a_store_that_is_not_there_says_what_to_do(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreNotFound, match=r"nothing was recorded in .*(calls.db|/recorder_).* yet; record"):
        Store(url).calls()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_is_no_store(sqlite_url: str) -> None:
    with pytest.raises(StoreNotFound):
        Store(sqlite_url)


def test_an_empty_file_holds_no_calls_yet(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "calls.db").touch()
    with pytest.raises(StoreNotFound):
        Store(sqlite_url).calls()


def test_rows_have_the_names_of_the_view_and_their_number(url: str) -> None:
    call = a_call(tags={"feature": "search"}, session_id="s-1")
    store_calls(url, call)
    (row,) = Store(url).calls()
    assert list(row) == ["seq", *CALL_COLUMNS]
    assert row["started_at"] == call.started_us / 1e6
    assert (row["duration_s"], row["finish_reasons"], row["tags"]) == (
        0.005,
        '["stop"]',
        '{"feature":"search"}',
    )
    assert (row["first_token_s"], row["cost"], row["cost_usd"]) == (None, None, None)


def test_the_view_gives_the_same_rows(url: str) -> None:
    store_calls(url, a_call(), a_call(outcome="error", error=CallError("429", "slow down")))
    rows = Store(url).calls(newest_first=False)
    assert execute(url, "SELECT * FROM v_calls ORDER BY started_at") == [
        tuple(row.values())[1:] for row in rows
    ]


def test_calls_come_by_start_newest_first(url: str) -> None:
    times = [30, 10, 20]
    store_calls(url, *(a_call(started_us=START_US + time) for time in times))
    store = Store(url)
    assert [row["seq"] for row in store.calls()] == [1, 3, 2]
    assert [row["seq"] for row in store.calls(newest_first=False)] == [2, 3, 1]
    assert [row["seq"] for row in store.calls(limit=1)] == [1]
    assert [row["seq"] for row in store.calls(after_seq=1, newest_first=False)] == [2, 3]


def test_the_start_bounds_a_half_open_span(url: str) -> None:
    store_calls(url, *(a_call(started_us=START_US + time) for time in (0, 1, 2)))
    found = Store(url).calls(since_us=START_US + 1, until_us=START_US + 2)
    assert [row["seq"] for row in found] == [2]


@pytest.mark.parametrize(
    ("where", "seqs"),
    [
        ({"outcome": "error"}, [2]),
        ({"http_status": 429}, [2]),
        ({"http_status": "429"}, [2]),
        ({"stream": 0, "outcome": "ok"}, [1]),
        ({"duration_s": "0.005"}, [1, 2]),
        ({"provider": "else"}, []),
        ({"http_status": 2**40}, []),
        ({"input_tokens": 2**70}, []),
        ({"stream": -(2**20)}, []),
        ({"session_id": "a\x00\udc80b"}, [1]),
        ({"session_id": "A\ufffdB"}, []),
    ],
)
def test_columns_filter(url: str, where: dict[str, str | int], seqs: list[int]) -> None:
    first = a_call(session_id="a\x00\udc80b")
    store_calls(url, first, a_call(outcome="error", http_status=429))
    assert [row["seq"] for row in Store(url).calls(where=where, newest_first=False)] == seqs


@pytest.mark.parametrize(
    ("tags", "seqs"),
    [
        ({"feature": "search"}, [1, 2]),
        ({"feature": "search", "n": "1"}, [1]),
        ({"n": "true"}, [2]),
        ({'a "quoted" key': "x"}, [2]),
        ({"feature": "sea"}, []),
        ({"none": "x"}, []),
        ({"nested": '{"b":[1.5,null]}'}, [3]),
        ({"\x00odd": "\udc80 text"}, [3]),
    ],
)
def test_tags_filter(url: str, tags: dict[str, str], seqs: list[int]) -> None:
    first = a_call(tags={"feature": "search", "n": 1})
    odd = {"nested": {"b": [1.5, None]}, "\x00odd": "\udc80 text"}
    second = a_call(tags={"feature": "search", "n": True, 'a "quoted" key': "x"})
    store_calls(url, first, second, a_call(tags=odd))
    assert [row["seq"] for row in Store(url).calls(tags=tags, newest_first=False)] == seqs


def test_unknown_columns_are_refused_by_name(url: str) -> None:
    store_calls(url, a_call())
    with pytest.raises(StoreError, match="no column 'colour'; it has: id, started_at"):
        Store(url).calls(where={"colour": "red"})
    with pytest.raises(StoreError, match="no column 'colour'"):
        list(Store(url).iterate_calls(["colour"]))
    with pytest.raises(StoreError, match="http_status is a number"):
        Store(url).calls(where={"http_status": "many"})


def test_narrow_rows_can_be_iterated(url: str) -> None:
    calls = [a_call() for _ in range(2_500)]
    store_calls(url, *calls)
    rows = list(Store(url).iterate_calls(["started_us", "cost", "id"], where={"outcome": "ok"}))
    assert sorted(row.id for row in rows) == [call.id for call in calls]
    assert {row.started_us for row in rows} == {call.started_us for call in calls}


def test_an_iteration_may_be_left_early(url: str) -> None:
    store_calls(url, *(a_call() for _ in range(10)))
    rows = Store(url).iterate_calls(["id"])
    next(rows)
    rows.close()  # type: ignore[attr-defined]  # a generator, which Iterator does not say
    store_calls(url, a_call())


def test_a_call_is_found_by_either_end_of_its_id(url: str) -> None:
    store_calls(url, a_call(id="019a-aaaa-1111"), a_call(id="019a-bbbb-2222"))
    store = Store(url)
    assert store.find("019A-B") == store.find(" 2222 ") == store.find("019a-bbbb-2222") == "019a-bbbb-2222"


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("019a", r"019a-0, 019a-1, 019a-2, 019a-3, 019a-4, …; give more"),
        ("%", "no call"),
        ("", "no id"),
    ],
)
def test_an_id_that_is_not_clear_is_refused(url: str, part: str, words: str) -> None:
    store_calls(url, *(a_call(id=f"019a-{number}") for number in range(7)))
    with pytest.raises(CallNotFound, match=words):
        Store(url).find(part)


def test_one_call_has_its_details(url: str) -> None:
    answer = AnswerHalf(notes=("no usage",))
    call = a_call(outcome="error", answer=answer, error=CallError("429", "slow down"))
    store_calls(url, call)
    row = Store(url).call(call.id)
    assert (row["error_type"], row["error_message"], row["notes"]) == ("429", "slow down", '["no usage"]')
    assert (row["operation_id"], row["ending"], row["first_byte_s"]) == (call.operation_id, "complete", 0.004)


def test_an_exchange_comes_back_as_it_was(url: str) -> None:
    call, exchange = a_call(), an_exchange(chunks=(b"one", b"", b"two"))
    store_calls(url, call, exchange=exchange)
    assert Store(url).exchange(call.id) == exchange


def test_an_unknown_call_is_named(url: str) -> None:
    call = a_call()
    store_calls(url, call)
    for ask in (Store(url).call, Store(url).exchange):
        with pytest.raises(CallNotFound, match="there is no call 7"):
            ask("7")
    execute(url, "DELETE FROM payloads")
    with pytest.raises(StoreError, match=f"payload of call {call.id} was removed"):
        Store(url).exchange(call.id)


def test_losses_are_summed(url: str) -> None:
    sink = Sink(url)
    sink.store([], 3, "no space")
    sink.store([], 4, "no \udcff space")
    sink.close()
    assert Store(url).losses() == 7


def daily(url: str) -> list[dict[str, Any]]:
    rows = execute(url, "SELECT * FROM v_calls_daily ORDER BY day, model")
    return [dict(zip(DAILY_COLUMNS, row, strict=True)) for row in rows]


@pytest.mark.parametrize(
    ("served", "asked", "model"), [("", "small", "small"), ("", "", None), (None, "", None), ("a", "", "a")]
)
def test_days_have_no_model_where_its_name_is_empty(
    url: str, served: str | None, asked: str, model: str | None
) -> None:
    call = a_call()
    answer = replace(call.answer, model=served)
    store_calls(url, replace(call, request=replace(call.request, model=asked), answer=answer))
    (day,) = daily(url)
    assert day["model"] == model
    (row,) = execute(url, "SELECT response_model, request_model FROM v_calls")
    assert tuple(row) == (served or None, asked or None)
    with open_database(url).write() as connection:
        connection.exec_driver_sql("UPDATE calls SET response_model = '' WHERE response_model IS NULL")
    assert daily(url)[0]["model"] == model


def test_days_sum_what_is_known(url: str) -> None:
    call = a_call()
    unknown = a_call(outcome="incomplete", answer=replace(call.answer, usage=None))
    store_calls(url, call, unknown, a_call(outcome="error"), a_call(replayed=True))
    (day,) = daily(url)
    assert (day["day"], day["provider"], day["model"]) == ("2025-11-21", "corp", "small-1")
    assert [day[name] for name in ("calls", "ok", "errors", "incomplete", "cancelled")] == [3, 1, 1, 1, 0]
    assert (day["input_tokens"], day["output_tokens"], day["reasoning_tokens"]) == (24, 10, None)
    assert (day["cost"], day["currency"], day["cost_usd"], day["unpriced_calls"]) == (None, None, None, 3)


def test_a_day_groups_by_the_served_model_else_the_requested(url: str) -> None:
    store_calls(url, a_call(), a_call(answer=AnswerHalf()))
    assert [row["model"] for row in daily(url)] == ["small", "small-1"]


def test_days_are_those_of_utc(url: str) -> None:
    midnight = 1_763_769_600_000_000
    store_calls(url, a_call(started_us=midnight - 1), a_call(started_us=midnight))
    assert [row["day"] for row in daily(url)] == ["2025-11-21", "2025-11-22"]


def test_currencies_are_not_added_up(url: str) -> None:
    store_calls(url, a_call(), a_call(), a_call())
    price = "UPDATE calls SET cost_pico = ?, currency = ? WHERE seq = ?"
    execute(url, price, 1_500_000_000_000, "USD", 1)
    execute(url, price, 500_000_000_000, "USD", 2)
    (day,) = daily(url)
    assert (day["cost"], day["currency"], day["cost_usd"], day["unpriced_calls"]) == (2.0, "USD", 2.0, 1)
    execute(url, price, 7_000_000_000_000, "CNY", 3)
    (day,) = daily(url)
    assert (day["cost"], day["currency"], day["cost_usd"], day["unpriced_calls"]) == (None, None, 2.0, 0)
    costs = [(row["cost"], row["cost_usd"]) for row in Store(url).calls(newest_first=False)]
    assert costs == [(1.5, 1.5), (0.5, 0.5), (7.0, None)]


def test_large_counts_do_not_break_sums(url: str) -> None:
    huge = AnswerHalf(usage=Usage(2**48, 2**62))
    store_calls(url, *(a_call(answer=huge) for _ in range(100)))
    (day,) = daily(url)
    assert (day["input_tokens"], day["cached_tokens"]) == (100 * 2**48, None)


def test_a_sound_store_has_no_problems_and_tells_how_far_it_got(url: str) -> None:
    store_calls(url, *(a_call() for _ in range(450)))
    steps: list[tuple[int, int]] = []
    assert Store(url).check(lambda done, total: steps.append((done, total))) == []
    assert steps == [(200, 450), (400, 450), (450, 450)]


def test_problems_are_found(url: str) -> None:
    calls = [a_call() for _ in range(4)]
    store_calls(url, *calls)
    execute(url, "UPDATE payloads SET record = ? WHERE call_id = ?", b"\0", calls[0].id)
    execute(url, "DELETE FROM payloads WHERE call_id = ?", calls[1].id)
    execute(url, "DELETE FROM calls WHERE id = ?", calls[2].id)
    execute(url, "INSERT INTO cassette_entries VALUES ('gone', 0, 0, ?, 0)", calls[3].id)
    problems = Store(url).check()
    expected = (
        f"payload of call {calls[0].id} is damaged",
        "1 calls have no payload",
        "of payloads refer",
        "of cassettes",
    )
    for words in expected:
        assert any(words in problem for problem in problems), words
    assert len(problems) == 4


def test_a_file_that_is_none_of_sqlites_is_a_problem(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "calls.db").write_text("Buy milk. " * 100)
    (problem,) = Store(sqlite_url).check()
    assert "is not a SQLite database" in problem


def test_a_damaged_file_is_a_problem(sqlite_url: str, tmp_path: Path) -> None:
    store_calls(sqlite_url, *(a_call() for _ in range(300)))
    path = tmp_path / "calls.db"
    data = bytearray(path.read_bytes())
    data[-4096 * 20 :] = b"\xaa" * 4096 * 20
    path.write_bytes(data)
    assert Store(sqlite_url).check() != []


def test_upgrading_says_from_where_to_where(url: str) -> None:
    store_calls(url, a_call())
    assert Store(url).upgrade() == (schema.HEAD, schema.HEAD)
