from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from recorder.cassettes.source import CassetteSource, Recorded
from recorder.errors import CassetteError
from recorder.ledger.cassettes import StoreCassette
from recorder.ledger.store import Store

from .databases import execute
from .ledger_calls import a_call, an_exchange, store_calls


def recordings(url: str, number: int, lanes: int = 1) -> list[Recorded]:
    calls = [a_call() for _ in range(number)]
    store_calls(url, *calls)
    return [
        Recorded(an_exchange(), call.id, position % lanes, credential=position % 2)
        for position, call in enumerate(calls)
    ]


def test_a_cassette_comes_back_in_its_order(url: str) -> None:
    saved = list(reversed(recordings(url, 12, lanes=3)))
    cassette: CassetteSource = Store(url).cassette("checkout")
    cassette.save(saved)
    assert cassette.name == "checkout"
    assert Store(url).cassette("checkout").load() == tuple(saved)


@pytest.mark.usefixtures("absent")
def test_a_cassette_that_does_not_exist_is_none(url: str, tmp_path: Path) -> None:
    assert StoreCassette(url, "checkout").load() is None
    assert list(tmp_path.iterdir()) == []
    store_calls(url, a_call())
    assert Store(url).cassette("checkout").load() is None


def test_an_empty_cassette_exists(url: str) -> None:
    StoreCassette(url, "empty").save([])
    assert StoreCassette(url, "empty").load() == ()


def test_saving_replaces(url: str) -> None:
    first, second = recordings(url, 3), recordings(url, 2)
    cassette = StoreCassette(url, "checkout")
    cassette.save(first)
    ((name, created, entries),) = [
        (item.name, item.created_us, item.entries) for item in Store(url).cassettes()
    ]
    assert (name, entries) == ("checkout", 3)
    cassette.save([*second, first[0]])
    assert cassette.load() == (*second, first[0])
    assert Store(url).cassettes()[0].created_us == created


def test_an_update_sees_what_is_there_and_replaces_it(url: str) -> None:
    first, second = recordings(url, 2), recordings(url, 1)
    cassette = StoreCassette(url, "checkout")
    seen: list[tuple[Recorded, ...] | None] = []

    def change(now: tuple[Recorded, ...] | None) -> list[Recorded]:
        seen.append(now)
        return [*(now or ()), *(second if now else first)]

    cassette.update(change)
    cassette.update(change)
    assert seen == [None, tuple(first)]
    assert cassette.load() == (*first, *second)


def test_threads_that_update_one_cassette_lose_nothing(url: str) -> None:
    stored = recordings(url, 8)

    def add(recorded: Recorded) -> None:
        StoreCassette(url, "shared").update(lambda now: [*(now or ()), recorded])

    threads = [threading.Thread(target=add, args=(each,)) for each in stored]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {each.call_id for each in StoreCassette(url, "shared").load() or ()} == {
        each.call_id for each in stored
    }


def test_a_call_that_is_not_stored_is_named_and_nothing_changes(url: str) -> None:
    stored = recordings(url, 2)
    cassette = StoreCassette(url, "checkout")
    cassette.save(stored)
    with pytest.raises(CassetteError, match=r"its recording 2, call nowhere, is not stored in \w+:/"):
        cassette.save([stored[0], Recorded(an_exchange(), "nowhere"), Recorded(an_exchange(), "nor here")])
    assert cassette.load() == tuple(stored)


def test_cassettes_are_listed_by_name(url: str) -> None:
    stored = recordings(url, 2)
    for name, entries in (("b", stored), ("a", stored[:1]), ("c", [])):
        StoreCassette(url, name).save(entries)
    assert [(item.name, item.entries) for item in Store(url).cassettes()] == [("a", 1), ("b", 2), ("c", 0)]


def test_a_removed_payload_is_named(url: str) -> None:
    stored = recordings(url, 1)
    StoreCassette(url, "checkout").save(stored)
    execute(url, "UPDATE payloads SET record = ?", b"cut")
    with pytest.raises(
        CassetteError, match=f"'checkout' cannot be read: the payload of call {stored[0].call_id}"
    ):
        StoreCassette(url, "checkout").load()
    execute(url, "DELETE FROM payloads")
    with pytest.raises(CassetteError, match=f"'checkout' needs call {stored[0].call_id}"):
        StoreCassette(url, "checkout").load()


def test_a_long_cassette_loads_quickly(url: str) -> None:
    stored = recordings(url, 1_000)
    cassette = StoreCassette(url, "long")
    cassette.save(stored)
    began = time.perf_counter()
    assert cassette.load() == tuple(stored)
    assert time.perf_counter() - began < 1.0  # below 0.1 s on a machine of its own
