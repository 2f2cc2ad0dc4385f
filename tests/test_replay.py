"""Replay from the store: the same bytes, chunks and errors, no network, and misses that say why."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

import recorder
from recorder import CassetteError, CassetteMiss, CassetteMissing

from .drivers import URL, Driver, Reply, Seen
from .test_transport import ANSWER, ASK, STREAM, STREAM_HEADERS

Rec = recorder.Recorder


def ask(content: str, **fields: Any) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": content}], **fields}).encode()


def answer(content: str) -> Reply:
    return Reply(
        chunks=[
            json.dumps({"choices": [{"message": {"content": content}, "finish_reason": "stop"}]}).encode()
        ]
    )


def observe(
    driver: Driver, rec: Rec, mode: Any, bodies: list[bytes], replies: list[Reply], **options: Any
) -> list[Seen]:
    """Ask these bodies one after the other inside a cassette."""
    wire = driver.wire(*replies)

    async def scenario() -> list[Seen]:
        client = rec.wrap(driver.client(wire))
        with rec.cassette("c", mode=mode, **options):
            return [await driver.observe(client, body) for body in bodies]

    seen: list[Seen] = driver.run(scenario)
    assert len(wire.requests) == len(replies)
    return seen


def replies(driver: Driver) -> list[Reply]:
    library = driver.library
    return [
        Reply(
            chunks=[ANSWER], headers=(("Content-Type", "application/json"), ("X-Odd", "a"), ("x-odd", "b"))
        ),
        Reply(headers=STREAM_HEADERS, chunks=STREAM),
        Reply(status=429, headers=(("retry-after", "1"),), chunks=[b'{"error":{"message":"slow down"}}']),
        Reply(error=library.ReadTimeout("The read operation timed out")),
        Reply(error=ConnectionResetError("gone")),
        Reply(headers=STREAM_HEADERS, chunks=[*STREAM[:2], library.ReadError("broken pipe")]),
        Reply(chunks=[b"", b"a", b"", b"b"]),
    ]


def test_replay_gives_the_same_answers_and_errors_without_network(driver: Driver, rec: Rec) -> None:
    bodies = [ask(str(i)) for i in range(7)]
    live = observe(driver, rec, "once", bodies, replies(driver))
    assert observe(driver, rec, "none", bodies, []) == live


def test_recording_of_one_library_replays_in_the_other(driver: Driver, rec: Rec) -> None:
    other = Driver("httpx" if driver.library.__name__ == "httpx2" else "httpx2", driver.asynchronous)
    bodies = [ask(str(i)) for i in range(7)]
    live = observe(driver, rec, "once", bodies, replies(driver))
    replayed = observe(other, rec, "none", bodies, [])
    assert [(seen.status, seen.chunks, seen.message) for seen in replayed] == [
        (seen.status, seen.chunks, seen.message) for seen in live
    ]
    assert [seen.error and seen.error.__name__ for seen in replayed] == [
        seen.error and seen.error.__name__ for seen in live
    ]
    assert replayed[3].error is other.library.ReadTimeout


def test_key_order_and_spacing_of_the_body_do_not_matter(driver: Driver, rec: Rec) -> None:
    observe(driver, rec, "once", [b'{"model":"m","temperature":1,"messages":[]}'], [answer("a")])
    (seen,) = observe(driver, rec, "none", [b'{ "messages": [], "temperature": 1.0, "model": "m" }'], [])
    assert seen.status == 200


def test_identical_requests_answer_in_recorded_order_and_one_more_is_a_miss(driver: Driver, rec: Rec) -> None:
    live = observe(driver, rec, "once", [ask("same")] * 3, [answer("1"), answer("2"), answer("3")])
    assert observe(driver, rec, "none", [ask("same")] * 3, []) == live
    with pytest.raises(CassetteMiss, match="recorded 3 times and is now asked once more"):
        observe(driver, rec, "none", [ask("same")] * 4, [])


def test_miss_names_the_nearest_recording_and_what_differs(driver: Driver, rec: Rec) -> None:
    observe(
        driver,
        rec,
        "once",
        [ask("far", n=2, seed=1), ask("near", temperature=0.5)],
        [answer("1"), answer("2")],
    )
    with pytest.raises(CassetteMiss) as caught:
        observe(driver, rec, "none", [ask("nearer", temperature=0.5)], [])
    text = str(caught.value)
    assert "nearest is recording 2 of 2" in text
    assert '$.messages[0].content: recorded "near", asked "nearer"' in text
    assert "temperature" not in text


def test_header_id_is_significant_and_others_are_not(driver: Driver, rec: Rec) -> None:
    wire = driver.wire(answer("1"), answer("2"))

    async def scenario(mode: Any) -> list[Seen]:
        client = rec.wrap(driver.client(wire))
        with rec.cassette("c", mode=mode):
            return [
                await driver.observe(client, ASK, headers={"id": model, "x-request-id": f"{mode}"})
                for model in ("a", "b")
            ]

    live = driver.run(lambda: scenario("once"))
    assert driver.run(lambda: scenario("none")) == live
    with pytest.raises(CassetteMiss, match=r'header id: recorded "[ab]", asked absent'):
        observe(driver, rec, "none", [ASK], [])


def test_miss_can_be_a_response_that_is_not_retried(driver: Driver, rec: Rec) -> None:
    observe(driver, rec, "once", [ask("a")], [answer("1")])
    (seen,) = observe(driver, rec, "none", [ask("b")], [], on_miss="response")
    assert (seen.status, dict(seen.headers)[b"x-should-retry"]) == (409, b"false")
    assert 'asked \\"b\\"' in seen.chunks[0].decode()


def test_mode_none_without_cassette_raises_on_entering_and_names_the_mode(rec: Rec) -> None:
    with pytest.raises(CassetteMissing, match="mode='once'"), rec.cassette("nowhere"):
        raise AssertionError


def test_unknown_mode_names_those_there_are(rec: Rec) -> None:
    mode: Any = "twice"
    with (
        pytest.raises(CassetteError, match="none, once, new_episodes, all, rewrite"),
        rec.cassette("c", mode),
    ):
        raise AssertionError


def test_mode_once_replays_what_is_there_and_records_nothing_new(driver: Driver, rec: Rec) -> None:
    live = observe(driver, rec, "once", [ask("a")], [answer("1")])
    assert observe(driver, rec, "once", [ask("a")], []) == live
    with pytest.raises(CassetteMiss):
        observe(driver, rec, "once", [ask("b")], [])


def test_mode_new_episodes_adds_and_never_answers_from_what_it_just_recorded(
    driver: Driver, rec: Rec
) -> None:
    observe(driver, rec, "once", [ask("a")], [answer("1")])
    first = observe(driver, rec, "new_episodes", [ask("a"), ask("b"), ask("b")], [answer("2"), answer("3")])
    assert observe(driver, rec, "none", [ask("a"), ask("b"), ask("b")], []) == first


def test_mode_all_replaces_what_is_asked_again_and_keeps_the_rest(driver: Driver, rec: Rec) -> None:
    old = observe(driver, rec, "once", [ask("a"), ask("b")], [answer("1"), answer("2")])
    new = observe(driver, rec, "all", [ask("a")], [answer("3")])
    assert observe(driver, rec, "none", [ask("a"), ask("b")], []) == [new[0], old[1]]


def test_mode_rewrite_starts_afresh(driver: Driver, rec: Rec) -> None:
    observe(driver, rec, "once", [ask("a"), ask("b")], [answer("1"), answer("2")])
    observe(driver, rec, "rewrite", [ask("b")], [answer("3")])
    with pytest.raises(CassetteMiss):
        observe(driver, rec, "none", [ask("a")], [])


def test_block_that_raises_keeps_the_former_cassette(driver: Driver, rec: Rec) -> None:
    live = observe(driver, rec, "once", [ask("a")], [answer("1")])

    async def scenario() -> None:
        client = rec.wrap(driver.client(driver.wire(answer("2"))))
        with rec.cassette("c", mode="rewrite"):
            await driver.observe(client, ask("a"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        driver.run(scenario)
    assert observe(driver, rec, "none", [ask("a")], []) == live


def test_stream_left_early_replays_so_far_and_reading_on_is_a_miss(driver: Driver, rec: Rec) -> None:
    async def scenario(mode: Any, leave_after: int | None, *answers: Reply) -> Seen:
        client = rec.wrap(driver.client(driver.wire(*answers)))
        with rec.cassette("c", mode=mode):
            return await driver.observe(client, ASK, leave_after=leave_after)

    live = driver.run(lambda: scenario("once", 2, Reply(headers=STREAM_HEADERS, chunks=STREAM)))
    assert driver.run(lambda: scenario("none", 2)) == live
    with pytest.raises(CassetteMiss, match="left early by its caller after 2 chunks"):
        driver.run(lambda: scenario("none", None))


def test_recorded_pace_waits_as_the_upstream_did(
    driver: Driver, rec: Rec, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    observe(driver, rec, "once", [ASK], [Reply(headers=STREAM_HEADERS, chunks=STREAM)])
    for module in ("sync_transport", "playback"):
        monkeypatch.setattr(f"recorder.adapters.{module}.sleep", waited.append)
    for module in ("async_transport", "playback"):
        monkeypatch.setattr(f"recorder.adapters.{module}.pause", pause)
    observe(driver, rec, "none", [ASK], [])
    assert waited == []
    observe(driver, rec, "none", [ASK], [], pace="recorded")
    assert len(waited) == 1 + len(STREAM)
    assert all(seconds > 0 for seconds in waited)


def test_replayed_calls_are_rows_of_their_own_without_spans(
    driver: Driver, rec: Rec, records: Any, spans: Any
) -> None:
    observe(driver, rec, "once", [ASK], [Reply(chunks=[ANSWER])])
    observe(driver, rec, "none", [ASK], [])
    assert [(call.replayed, call.cassette, call.answer.usage.input) for _, call in records] == [
        (False, "c", 5),
        (True, "c", 5),
    ]
    assert len(spans.get_finished_spans()) == 1


def test_client_wrapped_by_the_cassette_alone_is_free_again_afterwards(driver: Driver, rec: Rec) -> None:
    wire = driver.wire(answer("1"), answer("2"))
    client = driver.client(wire)

    async def scenario() -> list[Seen]:
        with rec.cassette("c", mode="once") as cassette:
            cassette.wrap(client)
            first = await driver.observe(client, ASK)
        return [first, await driver.observe(client, ASK)]

    first, second = driver.run(scenario)
    assert first.chunks != second.chunks
    assert client._transport is wire
    with rec.cassette("c") as cassette:
        assert len(cassette.recordings) == 1


def test_install_covers_every_client_made_inside(driver: Driver, rec: Rec) -> None:
    async def scenario(mode: Any, *answers: Reply) -> Seen:
        with rec.cassette("c", mode=mode, install=True):
            return await driver.observe(driver.client(driver.wire(*answers)), ASK)

    live = driver.run(lambda: scenario("once", answer("1")))
    assert driver.run(lambda: scenario("none")) == live


def test_threads_use_the_one_active_cassette(rec: Rec) -> None:
    driver = Driver("httpx2", asynchronous=False)
    observe(driver, rec, "once", [ask("a")], [answer("1")])
    client, seen = rec.wrap(driver.client(driver.wire())), []
    with rec.cassette("c"):
        thread = threading.Thread(
            target=lambda: seen.append(driver.run(lambda: driver.observe(client, ask("a"))))
        )
        thread.start()
        thread.join()
    assert seen[0].status == 200


def test_two_cassettes_in_one_loop_do_not_mix(rec: Rec) -> None:
    driver = Driver("httpx2", asynchronous=True)

    async def use(name: str, mode: Any, *answers: Reply) -> Seen:
        client = rec.wrap(driver.client(driver.wire(*answers)))
        with rec.cassette(name, mode=mode):
            await asyncio.sleep(0)
            seen = await driver.observe(client, ASK)
            await asyncio.sleep(0)
            return seen

    async def both(mode: Any, *answers: Reply) -> list[Seen]:
        return list(await asyncio.gather(use("x", mode, *answers[:1]), use("y", mode, *answers[1:])))

    live = driver.run(lambda: both("once", answer("1"), answer("2")))
    assert live[0] != live[1]
    assert driver.run(lambda: both("none")) == live


def test_tasks_that_ask_the_same_get_their_own_answers_however_they_interleave(rec: Rec) -> None:
    driver = Driver("httpx2", asynchronous=True)

    async def ask_twice(client: Any, first: asyncio.Event, second: asyncio.Event) -> list[Any]:
        await first.wait()
        one = await driver.observe(client, ASK)
        await second.wait()
        return [one.chunks, (await driver.observe(client, ASK)).chunks]

    async def interleaved(mode: Any, order: list[int], *answers: Reply) -> list[list[Any]]:
        client = rec.wrap(driver.client(driver.wire(*answers)))
        gates = [asyncio.Event() for _ in range(4)]
        with rec.cassette("c", mode=mode):
            tasks = [asyncio.create_task(ask_twice(client, gates[2 * i], gates[2 * i + 1])) for i in range(2)]
            for gate in order:
                gates[gate].set()
                for _ in range(5):
                    await asyncio.sleep(0)
            return [await task for task in tasks]

    live = driver.run(lambda: interleaved("once", [0, 2, 1, 3], *(answer(str(i)) for i in range(4))))
    assert driver.run(lambda: interleaved("none", [0, 2, 3, 1])) == live
    assert driver.run(lambda: interleaved("none", [0, 1, 2, 3])) == live


def test_work_shared_otherwise_among_threads_still_gets_every_answer(rec: Rec) -> None:
    driver = Driver("httpx2", asynchronous=False)

    def shared(mode: Any, counts: list[int], *replies: Reply) -> list[bytes]:
        client = rec.wrap(driver.client(driver.wire(*replies)))
        chunks: list[bytes] = []

        def work(count: int) -> None:
            chunks.extend(client.post(URL, content=ask("same")).content for _ in range(count))

        with rec.cassette("c", mode=mode):
            for count in counts:
                thread = threading.Thread(target=work, args=(count,))
                thread.start()
                thread.join()
        return chunks

    live = shared("once", [3, 1], *(answer(str(i)) for i in range(4)))
    assert sorted(shared("none", [2, 2])) == sorted(live)
    assert shared("none", [4]) == live


def test_very_deep_body_is_recorded_and_matched_as_text(driver: Driver, rec: Rec) -> None:
    deep = b'{"messages":' + b"[" * 3000 + b"]" * 3000 + b"}"
    live = observe(driver, rec, "once", [deep], [answer("1")])
    assert observe(driver, rec, "none", [deep], []) == live
    with pytest.raises(CassetteMiss, match=r"differs in"):
        observe(driver, rec, "none", [deep + b" "], [])


def test_cassettes_of_one_name_used_at_once_keep_what_each_recorded(driver: Driver, rec: Rec) -> None:
    client = rec.wrap(driver.client(driver.wire(answer("1"), answer("2"))))

    async def scenario() -> None:
        with rec.cassette("c", mode="new_episodes"):
            await driver.observe(client, ask("a"))
            with rec.cassette("c", mode="new_episodes"):
                await driver.observe(client, ask("b"))

    driver.run(scenario)
    with rec.cassette("c") as cassette:
        assert len(cassette.recordings) == 2


def test_rewrite_that_records_nothing_on_a_fresh_store_is_no_error(rec: Rec) -> None:
    with rec.cassette("c", mode="rewrite"):
        pass


def test_cassette_of_a_closed_recorder_is_refused(rec: Rec) -> None:
    rec.close()
    with pytest.raises(CassetteError, match="is closed"), rec.cassette("c", mode="once"):
        raise AssertionError


def test_cassette_that_was_rewritten_meanwhile_gets_nothing_back(driver: Driver, rec: Rec) -> None:
    observe(driver, rec, "once", [ask("a"), ask("b")], [answer("1"), answer("2")])
    adding = rec.cassette("c", mode="new_episodes")
    with adding:
        observe(driver, rec, "rewrite", [ask("c")], [answer("3")])
        client = adding.wrap(driver.client(driver.wire(answer("4"))))
        driver.run(lambda: driver.observe(client, ask("d")))
    with rec.cassette("c") as cassette:
        kept = [
            json.loads(each.exchange.request.body)["messages"][0]["content"] for each in cassette.recordings
        ]
    assert kept == ["c", "d"]


def test_recorder_closed_inside_a_recording_cassette_keeps_what_it_stored(driver: Driver, rec: Rec) -> None:
    client = rec.wrap(driver.client(driver.wire(answer("1"), answer("2"))))
    with rec.cassette("c", mode="once"):
        driver.run(lambda: driver.observe(client, ask("a")))
        rec.close()
        driver.run(lambda: driver.observe(client, ask("b")))
    with recorder.Recorder(rec.store) as again, again.cassette("c") as cassette:
        assert len(cassette.recordings) == 1


def test_options_of_matching_hold_for_cassettes_of_the_store(driver: Driver, rec: Rec) -> None:
    live = observe(driver, rec, "once", [ask("a", user="u-1")], [answer("1")])
    with pytest.raises(CassetteMiss, match=r'matched with ignore=\["\$\.user"\]'):
        observe(driver, rec, "none", [ask("a", user="u-2")], [])
    replayed = observe(driver, rec, "none", [ask("a", user="u-2")] * 3, [], ignore="$.user", repeat="last")
    assert replayed == live * 3


def test_credentials_are_told_apart_in_the_store(rec: Rec) -> None:
    driver = Driver("httpx2", asynchronous=False)

    def send(mode: Any, *keys: str, replies: tuple[Reply, ...] = ()) -> list[int]:
        with rec.cassette("c", mode) as cassette:
            client = cassette.wrap(driver.client(driver.wire(*replies)))
            return [
                client.post(URL, content=ASK, headers={"authorization": f"Bearer {key}"}).status_code
                for key in keys
            ]

    good, bad, new = (f"sk-{name}-0123456789abcdef" for name in ("good", "bad", "new"))
    assert send("once", good, bad, replies=(answer("1"), Reply(status=401))) == [200, 401]
    assert send("none", new, good) == [200, 401]
    with pytest.raises(CassetteMiss, match="and this is asked with another one"):
        send("none", new, new)


def test_pruning_drops_what_was_not_asked_for(driver: Driver, rec: Rec) -> None:
    observe(driver, rec, "once", [ask("a"), ask("b")], [answer("1"), answer("2")])
    observe(driver, rec, "none", [ask("b"), ask("c")], [answer("3")], prune=True)
    with rec.cassette("c") as cassette:
        kept = [
            json.loads(each.exchange.request.body)["messages"][0]["content"] for each in cassette.recordings
        ]
    assert kept == ["b", "c"]
