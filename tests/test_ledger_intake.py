from __future__ import annotations

import threading

from recorder.ledger.intake import MemoryIntake

from .ledger_calls import Read, a_call, an_exchange, record


def test_records_stay_until_they_are_settled() -> None:
    intake = MemoryIntake(1 << 20)
    records = [record(a_call()) for _ in range(3)]
    assert all(intake.put(record) for record in records)
    assert intake.take(2) == intake.take(2) == records[:2]
    intake.settle(2)
    assert intake.take(10) == records[2:]
    assert (intake.accepted, intake.settled, intake.refused) == (3, 2, 0)


def test_what_does_not_fit_is_refused_and_settling_makes_room() -> None:
    one = record(a_call())
    intake = MemoryIntake(2 * one.size)
    assert [intake.put(one) for _ in range(4)] == [True, True, False, False]
    intake.settle(1)
    assert [intake.put(one) for _ in range(2)] == [True, False]
    assert intake.refused == 3


def test_a_shut_intake_refuses_all() -> None:
    intake = MemoryIntake(1 << 20)
    intake.shut()
    assert not intake.put(record(a_call()))


def test_a_batch_is_bounded_in_bytes_but_never_empty() -> None:
    intake = MemoryIntake(1 << 30)
    for _ in range(3):
        intake.put(Read(an_exchange(), a_call(), size=9 << 20))
    assert len(intake.take(500)) == 1


def test_no_record_of_many_threads_is_miscounted() -> None:
    intake = MemoryIntake(1 << 40)
    one = record(a_call())

    def put() -> None:
        for _ in range(1_000):
            intake.put(one)

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    intake.settle(8_000)
    assert (intake.accepted, intake.settled) == (8_000, 8_000)
