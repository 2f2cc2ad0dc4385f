"""Pruning: what is old goes, what is younger or belongs to a cassette stays, and nobody has to wait for it."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from recorder.cassettes import Recorded
from recorder.errors import CassetteError, StoreError, StoreNotFound
from recorder.ids import id_text, new_id
from recorder.ledger import Retention, Store, schema
from recorder.ledger.database import open_database
from recorder.ledger.retention.plan import Month, Plan
from recorder.ledger.retention.pruning import Pruned
from recorder.ledger.retention.removing import Turns
from recorder.ledger.retention.space import free_bytes, give_back, patient
from recorder.ledger.sink import Sink
from recorder.ledger.tables import cost_changes
from recorder.ledger.url import sqlite_path

from .databases import execute
from .ledger_calls import a_call, an_exchange, record, store_calls, write_many
from .test_ledger_partitions import months

DAY_US = 86_400_000_000
NOW_US = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp()) * 1_000_000


def aged(url: str, *days: float, body: bytes = b"x" * 500, own_bodies: int = 0) -> list[str]:
    """Store one call for each age, with the same body or one of its own of so many bytes; their ids."""
    calls = []
    for age in days:
        started_us = NOW_US - int(age * DAY_US)
        calls.append(a_call(id=id_text(new_id(started_us // 1000)), started_us=started_us))
    sink = Sink(url)
    sink.store([record(call, an_exchange(os.urandom(own_bodies) if own_bodies else body)) for call in calls])
    sink.close()
    return [call.id for call in calls]


def pruned(url: str, days: float, *, payloads_only: bool = False) -> Pruned:
    retention = Retention(url)
    return retention.prune(retention.plan(NOW_US - int(days * DAY_US), payloads_only=payloads_only))


def ids(url: str) -> set[str]:
    return {call["id"] for call in Store(url).calls(limit=None)}


def with_payload(url: str) -> set[str]:
    return {id for (id,) in execute(url, "SELECT call_id FROM payloads")}


def keep(url: str, *kept: str, name: str = "kept") -> None:
    Store(url).cassette(name).save([Recorded(an_exchange(), id) for id in kept])


def test_old_calls_go_with_all_that_belongs_to_them(url: str) -> None:
    old, young = aged(url, 100, 10)
    change = {"call_id": old, "at_us": 1, "reason": "r", "former_cost_source": "none", "cost_source": "none"}
    with open_database(url).write() as connection:
        connection.execute(cost_changes.insert(), [change, {**change, "call_id": young}])
    done = pruned(url, 90)
    assert (done.calls, done.payloads, done.kept) == (1, 1, 0)
    assert ids(url) == with_payload(url) == {young}
    assert execute(url, "SELECT call_id FROM cost_changes") == [(young,)]
    assert Store(url).check() == []


def test_with_payloads_only_rows_stay_and_say_why(url: str) -> None:
    old, young = aged(url, 100, 10)
    before = Store(url).call(old)
    assert (done := pruned(url, 90, payloads_only=True)).payloads == 1
    assert done.calls == 0
    assert ids(url) == {old, young}
    assert Store(url).call(old) == before
    with pytest.raises(StoreError, match=f"the content of call {old} was pruned on 20"):
        Store(url).exchange(old)
    assert Store(url).exchange(young) == an_exchange(b"x" * 500)
    assert Store(url).check() == []


def test_what_a_cassette_refers_to_is_kept_and_counted(url: str) -> None:
    kept, gone = aged(url, 200, 200)
    keep(url, kept)
    assert Retention(url).plan(NOW_US).kept == 1
    for payloads_only in (True, False):
        assert pruned(url, 90, payloads_only=payloads_only).kept == 1
    assert ids(url) == with_payload(url) == {kept}
    assert gone not in ids(url)
    assert [each.call_id for each in Store(url).cassette("kept").load() or ()] == [kept]


def test_a_plan_says_what_would_go_by_month_and_removes_nothing(url: str) -> None:
    stored = aged(url, 20, 50, 51, 400)
    keep(url, stored[0])
    sink = Sink(url)
    sink.store([], 3, "no space")
    sink.close()
    execute(url, "UPDATE losses SET at_us = 5")
    plan = Retention(url).plan(NOW_US - 10 * DAY_US)
    assert [(month.month, month.calls, month.payloads) for month in plan.months] == [
        ("2025-10", 1, 1),
        ("2026-09", 1, 1),
        ("2026-10", 1, 1),
    ]
    assert (plan.calls, plan.payloads, plan.kept, plan.losses) == (3, 3, 1, 1)
    assert plan.payload_bytes > 3 * 100
    assert plan.months[0].payload_bytes * 3 == plan.payload_bytes
    assert ids(url) == set(stored)
    done = Retention(url).prune(plan)
    assert (done.calls, done.losses) == (3, 1)
    assert Store(url).losses() == 0


def test_a_plan_has_the_month_before_1970_for_a_clock_that_stood_there(url: str) -> None:
    store_calls(url, a_call(started_us=-1), a_call(started_us=0))
    assert [month.month for month in Retention(url).plan(NOW_US).months] == ["1969-12", "1970-01"]


def test_the_sizes_of_a_plan_are_what_is_stored(url: str) -> None:
    aged(url, 100, body=bytes(range(256)) * 40)
    (month,) = Retention(url).plan(NOW_US).months
    (row,) = execute(url, "SELECT pieces, record FROM payloads")
    assert month == Month("2026-08", 1, 1, sum(len(value) for value in row))


@pytest.mark.parametrize("payloads_only", [True, False])
def test_a_dry_run_says_what_a_real_one_removes_to_the_byte(url: str, payloads_only: bool) -> None:
    old = aged(url, 100, 101, own_bodies=3_000)
    kept = aged(url, 200, own_bodies=3_000)
    aged(url, 150, 1, body=b"shared " * 300)
    keep(url, *kept)
    plan = Retention(url).plan(NOW_US - 90 * DAY_US, payloads_only=payloads_only, with_content=True)
    done = Retention(url).prune(plan)
    assert plan.content == done.content
    assert (plan.payloads, plan.payload_bytes) == (done.payloads, done.payload_bytes)
    assert plan.payloads == len(old) + 1
    assert done.content.blobs == len(old)
    assert done.content.bytes > len(old) * 3_000


def test_pruning_twice_finds_nothing_more(url: str) -> None:
    aged(url, 100, 100, 1)
    pruned(url, 90, payloads_only=True)
    assert Retention(url).plan(NOW_US - 90 * DAY_US, payloads_only=True) == Plan(
        NOW_US - 90 * DAY_US, True, ()
    )
    assert pruned(url, 90, payloads_only=True).payloads == 0
    assert execute(url, "SELECT calls, payloads FROM prunings") == [(0, 2)]
    assert pruned(url, 90).calls == 2


def test_many_calls_go_in_many_short_steps(url: str) -> None:
    aged(url, *(100 + n / 1000 for n in range(1_200)), 1)
    steps: list[tuple[int, int]] = []
    retention = Retention(url)
    retention.prune(retention.plan(NOW_US - 90 * DAY_US), lambda *step: steps.append(step))
    assert steps[-1] == (1_200, 1_200)
    assert len(steps) > 3
    assert len(ids(url)) == 1


def test_steps_grow_and_shrink_with_the_time_they_take(tmp_path: Path) -> None:
    rests: list[float] = []
    turns = Turns(open_database(f"sqlite:///{tmp_path}/a.db"), rests.append)
    turns.took(0.001)
    assert turns.size == 80
    turns.took(5.0)
    assert turns.size == 5
    assert rests == [pytest.approx(0.011), 0.5]


def test_a_store_that_is_not_there_is_not_made(sqlite_url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreNotFound):
        Retention(sqlite_url)
    assert list(tmp_path.iterdir()) == []


def free_in(url: str) -> int:
    with closing(patient(url)) as database:
        return free_bytes(database)


def test_a_sqlite_file_shrinks_while_others_use_it(sqlite_url: str, tmp_path: Path) -> None:
    aged(sqlite_url, *[100.0] * 300, 1, own_bodies=16_000)
    with sqlite3.connect(tmp_path / "calls.db") as other:
        other.execute("SELECT count(*) FROM calls").fetchone()
        before = (tmp_path / "calls.db").stat().st_size
        done = pruned(sqlite_url, 90)
    other.close()
    assert (tmp_path / "calls.db").stat().st_size < before / 2
    assert done.given_back_bytes > before / 2
    assert done.free_bytes == 0


def test_free_pages_are_cut_off_many_at_a_time(sqlite_url: str) -> None:
    aged(sqlite_url, *[100.0] * 300, own_bodies=16_000)
    with sqlite3.connect(sqlite_path(sqlite_url) or "") as direct:
        direct.execute("PRAGMA foreign_keys=ON")
        direct.execute("DELETE FROM calls")
    direct.close()
    rests: list[float] = []
    database = patient(sqlite_url)
    pages = free_bytes(database) // 4096
    give_back(database, rests.append)
    database.close()
    assert free_in(sqlite_url) == 0
    assert len(rests) < pages / 10


def test_a_file_of_an_earlier_version_shrinks_when_it_is_vacuumed(sqlite_url: str, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "calls.db") as made:
        made.execute("CREATE TABLE of_others (x)")
    made.close()
    aged(sqlite_url, *[100.0] * 300, own_bodies=16_000)
    done = pruned(sqlite_url, 90)
    assert done.given_back_bytes == 0
    assert done.free_bytes == free_in(sqlite_url) > 100_000
    Retention(sqlite_url).vacuum()
    assert free_in(sqlite_url) == 0


def test_whole_months_are_dropped(postgres_url: str) -> None:
    schema.ensure(open_database(postgres_url))
    old = aged(postgres_url, 400, 401, 430, 100)
    keep(postgres_url, old[2])
    Store(postgres_url).upgrade()
    assert {"calls_2025_09", "calls_2025_10", "calls_2026_08"} < set(months(postgres_url))
    done = pruned(postgres_url, 95)
    assert (done.calls, done.payloads, done.kept) == (3, 3, 1)
    for table in ("calls", "payloads"):
        left = months(postgres_url, table)
        assert f"{table}_2025_10" not in left
        assert left[f"{table}_2025_09"] == 1
        assert left[f"{table}_2026_08"] == 0
    assert Store(postgres_url).check() == []
    aged(postgres_url, 400)
    assert len(ids(postgres_url)) == 2


def test_a_month_that_somebody_reads_is_emptied_instead(postgres_url: str) -> None:
    schema.ensure(open_database(postgres_url))
    aged(postgres_url, 400)
    Store(postgres_url).upgrade()
    with open_database(postgres_url).read() as reader:
        reader.exec_driver_sql("SELECT count(*) FROM calls").one()
        assert pruned(postgres_url, 90).calls == 1
    assert months(postgres_url)["calls_2025_10"] == 0
    assert "payloads_2025_10" not in months(postgres_url, "payloads")


def test_a_month_whose_payloads_have_their_former_form_leaves_none_of_them(postgres_url: str) -> None:
    database = open_database(postgres_url)
    schema.ensure(database)
    aged(postgres_url, 400)
    Store(postgres_url).upgrade()
    schema.downgrade(database, "0006")
    schema.upgrade(database)
    assert execute(postgres_url, "SELECT count(*) FROM former_payloads") == [(1,)]
    assert (pruned(postgres_url, 90).calls, ids(postgres_url)) == (1, set())
    assert execute(postgres_url, "SELECT count(*) FROM former_payloads") == [(0,)]


def test_payloads_of_whole_months_are_dropped_alone(postgres_url: str) -> None:
    schema.ensure(open_database(postgres_url))
    (old,) = aged(postgres_url, 400)
    Store(postgres_url).upgrade()
    assert pruned(postgres_url, 90, payloads_only=True).payloads == 1
    assert "payloads_2025_10" not in months(postgres_url, "payloads")
    assert months(postgres_url)["calls_2025_10"] == 1
    with pytest.raises(StoreError, match="was pruned on"):
        Store(postgres_url).exchange(old)


def test_nothing_younger_is_lost_and_nobody_finds_it_locked(url: str) -> None:
    # Of the month of those that are written meanwhile, but two weeks older.
    aged(url, *(380 + n / 1000 for n in range(1_500)), body=b"old" * 2_000)
    before = len(ids(url))
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    writers = [context.Process(target=write_many, args=(url, f"w{n}", 700, barrier)) for n in range(2)]
    for writer in writers:
        writer.start()
    barrier.wait(60)
    done = pruned(url, 370)
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert (before, done.calls) == (1_500, 1_500)
    assert ids(url) == with_payload(url) == {f"w{n}-{position}" for n in range(2) for position in range(700)}
    assert Store(url).losses() == 0
    assert Store(url).check() == []


def test_a_cassette_saved_meanwhile_is_whole_or_refused(url: str) -> None:
    stored = aged(url, *(100 + n / 100 for n in range(200)))
    saved: list[str] = []

    def save() -> None:
        for number, id in enumerate(reversed(stored)):
            try:
                keep(url, id, name=f"c{number}")
            except CassetteError:
                return
            saved.append(f"c{number}")

    saver = threading.Thread(target=save)
    saver.start()
    pruned(url, 90)
    saver.join()
    for name in saved:
        assert len(Store(url).cassette(name).load() or ()) == 1
    assert Store(url).check() == []


class _Machine(RuleBasedStateMachine):
    """Calls are stored, kept by cassettes and pruned, in any order."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        for table in ("cassette_entries", "cassettes", "payloads", "calls", "prunings"):
            execute(self.url, f"DELETE FROM {table}")
        self.ages: dict[str, int] = {}
        self.bare: set[str] = set()
        self.kept: set[str] = set()

    @rule(ages=st.lists(st.integers(0, 40), min_size=1, max_size=5))
    def store(self, ages: list[int]) -> None:
        self.ages.update(zip(aged(self.url, *ages), ages, strict=True))

    @rule(choice=st.randoms())
    def keep(self, choice: Any) -> None:
        free = sorted(self.ages.keys() - self.bare - self.kept)
        if free:
            self.kept.add(choice.choice(free))
            keep(self.url, *sorted(self.kept))

    @rule(age=st.integers(0, 40), payloads_only=st.booleans())
    def prune(self, age: int, payloads_only: bool) -> None:
        pruned(self.url, age, payloads_only=payloads_only)
        old = {id for id, its_age in self.ages.items() if its_age > age} - self.kept
        if payloads_only:
            self.bare |= old
        else:
            self.ages = {id: its_age for id, its_age in self.ages.items() if id not in old}
            self.bare -= old

    @invariant()
    def holds_what_it_should(self) -> None:
        assert _all(self.url, "calls", "id") == set(self.ages)
        assert _all(self.url, "payloads", "call_id") == set(self.ages) - self.bare
        assert _all(self.url, "cassette_entries", "call_id") == self.kept


def _all(url: str, table: str, column: str) -> set[str]:
    return {id for (id,) in execute(url, f"SELECT {column} FROM {table}")}


def test_in_any_order_every_call_that_is_left_has_what_it_should(url: str) -> None:
    store_calls(url)
    schema.ensure(open_database(url))
    _Machine.url = url
    run_state_machine_as_test(
        _Machine,
        settings=settings(
            max_examples=5, stateful_step_count=6, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    assert Store(url).check() == []
