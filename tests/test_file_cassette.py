"""`recorder.cassette`: modes, clients that it covers, isolation, and what it needs for that."""

from __future__ import annotations

import asyncio
import inspect
import multiprocessing
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest

import recorder
from recorder import CassetteError, CassetteMiss, CassetteMissing, RecorderWarning

from .cassette_sources import MemoryCassette
from .drivers import URL, Driver, Reply, Seen
from .test_replay import answer, ask

Cassette = recorder.Cassette


@pytest.fixture(autouse=True)
def _strict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORDER_STRICT", "1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.yaml"


def observe(
    driver: Driver, path: Any, mode: Any, bodies: list[bytes], replies: list[Reply], **options: Any
) -> list[Seen]:
    """Ask these bodies one after the other, with a client wrapped by the cassette."""
    wire = driver.wire(*replies)

    async def scenario() -> list[Seen]:
        with recorder.cassette(path, mode, **options) as cassette:
            client = cassette.wrap(driver.client(wire))
            return [await driver.observe(client, body) for body in bodies]

    seen: list[Seen] = driver.run(scenario)
    assert len(wire.requests) == len(replies)
    return seen


def test_a_cassette_answers_whatever_path_it_holds(path: Path) -> None:
    def reply(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={"asked": request.url.path})

    def get(mode: Any, url: str, **options: Any) -> Any:
        with (
            httpx2.Client(transport=httpx2.MockTransport(reply)) as client,
            recorder.cassette(path, mode, **options) as cassette,
        ):
            response = cassette.wrap(client).get(url)
            return response.json(), cassette.report.hits, cassette.report.recorded

    models = "https://api.example.test/v1/models"
    assert get("once", models, record_paths="*") == ({"asked": "/v1/models"}, 0, 1)
    assert get("none", models) == ({"asked": "/v1/models"}, 1, 0)
    assert get("none", "https://api.example.test/v1/other") == ({"asked": "/v1/other"}, 0, 0)
    assert get("rewrite", models) == ({"asked": "/v1/models"}, 0, 1)


def test_a_file_replays_what_was_recorded(driver: Driver, path: Path) -> None:
    bodies = [ask("a"), ask("b"), ask("a")]
    live = observe(driver, path, "once", bodies, [answer("1"), answer("2"), answer("3")])
    assert path.is_file()
    replayed = observe(driver, str(path), "none", bodies, [])
    assert [(seen.status, seen.chunks) for seen in replayed] == [(seen.status, seen.chunks) for seen in live]


def test_no_file_in_mode_none_raises_on_entering(path: Path) -> None:
    with (
        pytest.raises(CassetteMissing, match=r"answers.yaml'; record it with mode='once'"),
        recorder.cassette(path),
    ):
        raise AssertionError
    assert not path.exists()


def test_a_miss_names_the_file_and_the_rule(driver: Driver, path: Path) -> None:
    observe(driver, path, "once", [ask("a", user="u-1")], [answer("1")])
    with pytest.raises(CassetteMiss) as caught:
        observe(driver, path, "none", [ask("a", user="u-2")], [])
    text = str(caught.value)
    assert "nearest is recording 1 of 1, which differs in" in text
    assert text.count(str(path)) == 1
    assert '$.user: recorded "u-1", asked "u-2"' in text
    assert 'it would have matched with ignore=["$.user"]' in text
    (seen,) = observe(driver, path, "none", [ask("a", user="u-2")], [], ignore="$.user")
    assert seen.status == 200


def test_no_secret_stands_in_a_miss_or_in_the_file(path: Path) -> None:
    driver, secret = Driver("httpx2", asynchronous=False), "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"
    url = f"{URL}?api_key={secret}"

    def send(mode: Any, content: str, *replies: Reply) -> str:
        with recorder.cassette(path, mode) as cassette:
            client = cassette.wrap(driver.client(driver.wire(*replies)))
            client.post(url, content=ask(content, key=secret), headers={"authorization": f"Bearer {secret}"})
        return ""

    send("once", f"my key is {secret}", answer("1"))
    with pytest.raises(CassetteMiss) as caught:
        send("none", f"now my key is {secret}")
    assert secret not in str(caught.value) + path.read_text()


def test_a_transport_that_outlives_its_cassette_refuses_and_shows_no_secret(path: Path) -> None:
    driver, secret = Driver("httpx", asynchronous=False), "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"
    with recorder.cassette(path, "once") as cassette:
        client = driver.client(cassette.transport(driver.wire()))
    with pytest.raises(CassetteMiss, match="is closed, and its client still asks POST") as caught:
        client.post(f"{URL}?api_key={secret}", content=ask("a"))
    assert secret not in str(caught.value)
    assert cassette.report.misses == (str(caught.value),)


def test_swallowed_misses_are_reported_after_the_end(driver: Driver, path: Path) -> None:
    observe(driver, path, "once", [ask("a")], [answer("1")])

    async def scenario() -> Cassette:
        with recorder.cassette(path) as cassette:
            client = cassette.wrap(driver.client(driver.wire()))
            await driver.observe(client, ask("a"))
            try:
                await driver.observe(client, ask("b"))
            except CassetteMiss:
                pass
        return cassette

    cassette = driver.run(scenario)
    assert (cassette.name, cassette.mode) == (str(path), "none")
    assert (cassette.report.hits, cassette.report.total, cassette.report.unused) == (1, 1, ())
    assert "has no answer to POST" in cassette.report.misses[0]


def test_install_covers_clients_that_exist_already_and_new_ones(driver: Driver, path: Path) -> None:
    async def scenario(mode: Any, *replies: Reply) -> list[Any]:
        wire = driver.wire(*replies)
        before = driver.client(wire)
        with recorder.cassette(path, mode, install=True):
            seen = [await driver.observe(client, ask("a")) for client in (before, driver.client(wire))]
        return [each.chunks for each in seen]

    live = driver.run(lambda: scenario("once", answer("1"), answer("2")))
    assert driver.run(lambda: scenario("none")) == live


@pytest.mark.parametrize("options", [{}, {"redact": False}], ids=["same settings", "different settings"])
def test_two_installed_cassettes_in_one_loop_do_not_mix(tmp_path: Path, options: Any) -> None:
    driver = Driver("httpx2", asynchronous=True)

    async def play(name: str, mode: Any, options: Any, *replies: Reply) -> Any:
        client = driver.client(driver.wire(*replies))
        with recorder.cassette(tmp_path / name, mode, install=True, **options):
            await asyncio.sleep(0)
            seen = await driver.observe(client, ask("a"))
            await asyncio.sleep(0)
            return seen.chunks

    async def both(mode: Any, *replies: Reply) -> list[Any]:
        return list(
            await asyncio.gather(
                play("x.yaml", mode, {}, *replies[:1]), play("y.yaml", mode, options, *replies[1:])
            )
        )

    live = driver.run(lambda: both("once", answer("1"), answer("2")))
    assert live[0] != live[1]
    assert driver.run(lambda: both("none")) == live


@pytest.mark.parametrize("options", [{}, {"redact": False}], ids=["same settings", "different settings"])
def test_two_installed_cassettes_in_two_threads_do_not_mix(tmp_path: Path, options: Any) -> None:
    for name, text in (("x.yaml", "1"), ("y.yaml", "2")):
        observe(Driver("httpx2", False), tmp_path / name, "once", [ask("a")], [answer(text)])
    inside = threading.Barrier(2)
    seen: dict[str, str] = {}

    def play(name: str, options: Any) -> None:
        with recorder.cassette(tmp_path / name, install=True, **options), httpx2.Client() as client:
            inside.wait(10)
            seen[name] = client.post(URL, content=ask("a")).json()["choices"][0]["message"]["content"]
            inside.wait(10)

    plays: list[tuple[str, Any]] = [("x.yaml", {}), ("y.yaml", options)]
    threads = [threading.Thread(target=play, args=each) for each in plays]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"x.yaml": "1", "y.yaml": "2"}


def play_in_bare_thread(body: bytes) -> Any:
    seen: list[Any] = []

    def play() -> None:
        try:
            with httpx.Client() as client:
                seen.append(client.post(URL, content=body).status_code)
        except CassetteMiss as miss:
            seen.append(miss)

    thread = threading.Thread(target=play)
    thread.start()
    thread.join()
    return seen[0]


def test_a_bare_thread_uses_the_only_cassette_and_misses_among_several(tmp_path: Path) -> None:
    for name in ("x.yaml", "y.yaml"):
        observe(Driver("httpx", False), tmp_path / name, "once", [ask("a")], [answer(name)])
    with recorder.cassette(tmp_path / "x.yaml", install=True) as first:
        assert play_in_bare_thread(ask("a")) == 200
        with recorder.cassette(tmp_path / "y.yaml", install=True, redact=False) as second:
            missed = play_in_bare_thread(ask("a"))
        assert "belongs to none of them" in str(missed)
        assert first.report.misses == second.report.misses == (str(missed),)


def test_the_innermost_installed_cassette_answers(tmp_path: Path) -> None:
    driver = Driver("httpx", asynchronous=False)
    for name in ("outer", "inner"):
        observe(driver, tmp_path / name, "once", [ask("a")], [answer(name)])
    client = driver.client(driver.wire())
    with (
        recorder.cassette(tmp_path / "outer", install=True),
        recorder.cassette(tmp_path / "inner", install=True),
    ):
        assert "inner" in client.post(URL, content=ask("a")).text


def test_a_block_that_raises_puts_its_recordings_beside(
    driver: Driver, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    observe(driver, path, "once", [ask("a")], [answer("1")])
    kept = path.read_bytes()

    async def scenario() -> None:
        with recorder.cassette(path, "rewrite") as cassette:
            await driver.observe(cassette.wrap(driver.client(driver.wire(answer("2")))), ask("b"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        driver.run(scenario)
    assert path.read_bytes() == kept
    beside = path.with_name("answers.yaml.rej")
    assert "ZeroDivisionError" in caplog.text
    assert str(beside) in caplog.text
    assert len(observe(driver, beside, "none", [ask("b")], [])) == 1


def test_discarded_recordings_are_not_kept(driver: Driver, path: Path) -> None:
    async def scenario() -> None:
        with recorder.cassette(path, "once") as cassette:
            await driver.observe(cassette.wrap(driver.client(driver.wire(answer("1")))), ask("a"))
            cassette.discard()

    driver.run(scenario)
    assert not path.exists()
    assert path.with_name("answers.yaml.rej").is_file()


def test_the_log_says_why_recordings_were_discarded(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    driver = Driver("httpx", asynchronous=False)
    with recorder.cassette(path, "once") as cassette:
        cassette.wrap(driver.client(driver.wire(answer("1")))).post(URL, content=ask("a"))
        cassette.discard(why="its test failed")
    assert "is not kept, since its test failed; what was recorded is in" in caplog.text


def test_a_path_below_the_working_directory_is_said_without_that(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    with pytest.raises(CassetteMissing, match=r"no cassette 'answers\.yaml'"), recorder.cassette(path):
        raise AssertionError
    monkeypatch.chdir("/")
    with pytest.raises(CassetteMissing, match=r"/answers\.yaml'"), recorder.cassette("/nowhere/answers.yaml"):
        raise AssertionError


@pytest.mark.parametrize("asked", [1, 0])
def test_rewrite_needs_no_readable_file(driver: Driver, path: Path, asked: int) -> None:
    observe(driver, path, "once", [ask("a")], [answer("1")])
    path.write_text(path.read_text().replace("  status", "<<<<<<< HEAD\n  status", 1))
    with pytest.raises(CassetteError, match="resolve it"):
        observe(driver, path, "new_episodes", [], [])
    observe(driver, path, "rewrite", [ask("b")] * asked, [answer("2")] * asked)
    assert len(observe(driver, path, "none", [ask("b")] * asked, [])) == asked


def test_rewrite_spares_a_file_of_another_program(path: Path) -> None:
    path.write_text("interactions: []\nversion: 1\n")
    with pytest.raises(CassetteError, match=r"vcr_cassette.*recorder cassette import"):
        observe(Driver("httpx", False), path, "rewrite", [], [])
    assert path.read_text().startswith("interactions")


# Cancelled calls


async def hang(request: Any) -> httpx.Response:
    """An upstream that begins to answer, or not even that, and is heard of no more."""

    async def body() -> AsyncIterator[bytes]:
        yield b"data: {}\n\n"
        await asyncio.sleep(60)

    if b"stream" not in request.content:
        await asyncio.sleep(60)
    return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=body())


def ask_with_timeout(path: Path, mode: Any, body: bytes, timeout_s: float | None, **options: Any) -> bool:
    """Whether it timed out."""

    async def scenario(cassette: Cassette) -> bool:
        async with cassette.wrap(httpx.AsyncClient(transport=httpx.MockTransport(hang))) as client:
            try:
                await asyncio.wait_for(client.post(URL, content=body), timeout_s)
            except TimeoutError:
                return True
        return False

    with recorder.cassette(path, mode, **options) as cassette:
        return asyncio.run(scenario(cassette))


@pytest.mark.parametrize("body", [ask("a"), ask("a", stream=True)], ids=["before the head", "in the body"])
def test_a_call_that_timed_out_times_out_again_at_any_pace(
    path: Path, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask_with_timeout(path, "once", body, 0.02)
    for pace in ("instant", "recorded", "virtual"):
        assert ask_with_timeout(path, "none", body, 0.02, pace=pace)
    monkeypatch.setattr("recorder.adapters.playback._PATIENCE_S", 0.01)
    with pytest.raises(CassetteMiss, match="was cancelled by its caller"):
        ask_with_timeout(path, "none", body, None)


# Decorators


def test_a_decorated_function_uses_the_cassette_anew_each_time(driver: Driver, path: Path) -> None:
    observe(driver, path, "once", [ask("a")], [answer("1")])

    @recorder.cassette(path, install=True)
    def replay(cassette: str, *, client: Any) -> int:
        assert cassette == "mine"
        status: int = client.post(URL, content=ask("a")).status_code
        return status

    @recorder.cassette(path, install=True)
    async def areplay(client: Any) -> int:
        status: int = (await client.post(URL, content=ask("a"))).status_code
        return status

    async def scenario() -> list[int]:
        client = driver.client(driver.wire())
        if driver.asynchronous:
            return [await areplay(client), *await asyncio.gather(areplay(client), areplay(client))]
        return [replay("mine", client=client) for _ in range(3)]

    assert driver.run(scenario) == [200] * 3


def test_a_decorated_function_keeps_its_signature_and_its_name(path: Path) -> None:
    @recorder.cassette(path)
    def function(cassette: int, tmp_path: Path) -> None: ...

    assert list(inspect.signature(function).parameters) == ["cassette", "tmp_path"]
    assert function.__name__ == "function"


def test_classes_and_generators_cannot_be_decorated(path: Path) -> None:
    def generator() -> Iterator[int]:
        yield 1

    for each in (generator, Path):
        with pytest.raises(CassetteError, match="is a class or generator; enter the cassette inside it"):
            recorder.cassette(path)(each)


def test_unused_recordings_count_only_where_the_block_ended_well(path: Path) -> None:
    driver = Driver("httpx", asynchronous=False)
    observe(driver, path, "once", [ask("a"), ask("b")], [answer("1"), answer("2")])
    with pytest.warns(RecorderWarning, match="recording 2 is unused"):
        observe(driver, path, "none", [ask("a")], [], on_unused="warn")
    with pytest.raises(CassetteError, match="recording 2 is unused"):
        observe(driver, path, "none", [ask("a")], [], on_unused="fail")
    with pytest.raises(ZeroDivisionError), recorder.cassette(path, on_unused="fail"):
        raise ZeroDivisionError


def test_old_recordings_fail_on_entering(path: Path) -> None:
    observe(Driver("httpx", False), path, "once", [ask("a")], [answer("1")])
    time.sleep(0.01)
    with pytest.raises(CassetteError, match="is older than"):
        observe(Driver("httpx", False), path, "none", [], [], max_age=0.0, on_expired="fail")
    with pytest.warns(RecorderWarning, match="is older than"):
        observe(Driver("httpx", False), path, "none", [], [], max_age=0.0)


@pytest.mark.parametrize("age", ["30d", -1, True])
def test_an_age_that_is_none_is_refused_at_once(path: Path, age: Any) -> None:
    with pytest.raises(recorder.SettingsError, match="is no age; it is a number of seconds or a timedelta"):
        recorder.cassette(path, "once", max_age=age)


def test_keys_are_told_apart_and_may_be_rotated(path: Path) -> None:
    driver = Driver("httpx2", asynchronous=False)

    def send(mode: Any, *keys: str, replies: tuple[Reply, ...] = ()) -> list[int]:
        with recorder.cassette(path, mode) as cassette:
            client = cassette.wrap(driver.client(driver.wire(*replies)))
            return [
                client.post(URL, content=ask("a"), headers={"authorization": f"Bearer {key}"}).status_code
                for key in keys
            ]

    replies = (answer("1"), Reply(status=401))
    assert send("once", "sk-good-key-0123456789", "sk-bad-key-0123456789", replies=replies) == [200, 401]
    assert send("none", "sk-new-key-01234567890", "sk-worse-key-0123456789") == [200, 401]
    with pytest.raises(CassetteMiss, match=r"credential 2, and this is asked with another one"):
        send("none", "sk-new-key-01234567890", "sk-new-key-01234567890")


def test_options_that_there_are_not_are_refused_at_once(path: Path) -> None:
    wrong: Any = {"on_mis": "raise"}
    with pytest.raises(recorder.SettingsError, match="on_mis is no option of a cassette"):
        recorder.cassette(path, **wrong)
    with pytest.raises(recorder.SettingsError, match="is no JSON path"):
        recorder.cassette(path, ignore="user")


def test_another_source_can_be_given_in_place_of_a_path(driver: Driver) -> None:
    source = MemoryCassette()
    observe(driver, source, "once", [ask("a")], [answer("1")])
    assert len(source.kept or ()) == 1
    assert observe(driver, source, "none", [ask("a")], [])[0].status == 200


def record_some(path: str, worker: int) -> None:
    driver = Driver("httpx2", asynchronous=False)
    bodies = [*(ask(f"{worker} {n}") for n in range(3)), ask("shared")]
    with recorder.cassette(path, "new_episodes") as cassette:
        client = cassette.wrap(driver.client(driver.wire(*(answer(str(n)) for n in range(4)))))
        for body in bodies:
            client.post(URL, content=body)


def test_processes_that_record_into_one_file_lose_nothing(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=record_some, args=(str(path), number)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    with recorder.cassette(path) as cassette:
        bodies = [each.exchange.request.body for each in cassette.recordings]
    assert len(bodies) == len(set(bodies)) == 3 * 3 + 1


def test_threads_that_record_into_one_file_lose_nothing(path: Path) -> None:
    def record(number: int) -> None:
        driver = Driver("httpx", asynchronous=False)
        with recorder.cassette(path, "new_episodes") as cassette:
            client = cassette.wrap(driver.client(driver.wire(answer("x"))))
            client.post(URL, content=ask(str(number)))

    threads = [threading.Thread(target=record, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with recorder.cassette(path) as cassette:
        assert len(cassette.recordings) == 8


def test_a_file_cassette_needs_no_store_and_no_sdk(path: Path) -> None:
    observe(Driver("httpx", False), path, "once", [ask("a")], [answer("1")])
    program = f"""
import sys, httpx
with_httpx = set(sys.modules)  # which has a command line of its own where click is installed
import recorder
with recorder.cassette({str(path)!r}, install=True):
    assert httpx.post({URL!r}, content={ask("a")!r}).status_code == 200
print(*set(sys.modules) - with_httpx)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert not set(done.stdout.split()) & {
        "sqlalchemy",
        "alembic",
        "opentelemetry.sdk",
        "httpx2",
        "typer",
        "rich",
    }


def test_a_recording_that_lost_its_response_says_so(driver: Driver, path: Path) -> None:
    observe(driver, path, "once", [ask("a")], [answer("1")])
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("response:")] + "...\n", encoding="utf-8")
    with pytest.raises(CassetteMiss, match="has no response, and no ending that says what came instead"):
        observe(driver, path, "none", [ask("a")], [])
