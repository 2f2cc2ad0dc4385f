"""Many callers, many processes: the count in the store equals the count made."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading
from collections import Counter

import pytest

import recorder
from recorder.ledger import Store

from .drivers import URL, Driver, Reply
from .test_transport import ANSWER, STREAM, STREAM_HEADERS

MANY = 1000


def count(url: str) -> int:
    return len(Store(url).calls(limit=None))


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
def test_a_thousand_threads(library: str, rec: recorder.Recorder) -> None:
    driver = Driver(library, asynchronous=False)
    client = rec.wrap(driver.client(driver.wire(*[Reply(chunks=[ANSWER])] * MANY)))

    def call(number: int) -> None:
        client.post(URL, content=b'{"model":"m%d","messages":[]}' % number)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rec.flush(timeout=60)
    models = Counter(row["request_model"] for row in Store(rec.store).calls(limit=None))
    assert models == Counter(f"m{number}" for number in range(MANY))


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
def test_a_thousand_tasks(library: str, rec: recorder.Recorder) -> None:
    driver = Driver(library, asynchronous=True)

    async def call(client: object, number: int) -> None:
        body = b'{"model":"m%d","messages":[],"stream":true}' % number
        async with driver.stream(client, "POST", URL, content=body) as response:
            async for _ in driver.raw(response):
                await asyncio.sleep(0)

    async def scenario() -> None:
        client = rec.wrap(driver.client(driver.wire(*[Reply(headers=STREAM_HEADERS, chunks=STREAM)] * MANY)))
        await asyncio.gather(*(call(client, number) for number in range(MANY)))

    driver.run(scenario)
    assert rec.flush(timeout=60)
    rows = Store(rec.store).calls(limit=None)
    assert {row["request_model"] for row in rows} == {f"m{number}" for number in range(MANY)}
    assert Counter(row["outcome"] for row in rows) == {"ok": MANY}


PROGRAM = """
import httpx2, os, sys, warnings
import recorder

warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)  # of who forks, from 3.12 on

def calls(count):
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json={"choices": []}))
    client = rec.wrap(httpx2.Client(transport=transport))
    for _ in range(count):
        client.post("https://api.deepseek.com/chat/completions", json={"model": "m"})

rec = recorder.Recorder(sys.argv[1])
"""


def start(program: str, *arguments: str) -> subprocess.Popen[str]:
    source = PROGRAM + textwrap.dedent(program)
    return subprocess.Popen(
        [sys.executable, "-c", source, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert (process.returncode, errors) == (0, "")


@pytest.mark.usefixtures("absent")
def test_two_processes_on_one_store_that_neither_found_there(url: str) -> None:
    finish(*(start("calls(1500); assert rec.flush(60)", url) for _ in range(2)))
    assert count(url) == 3000


def test_interpreter_exit_stores_what_is_pending(url: str) -> None:
    finish(start("calls(20)", url))
    assert count(url) == 20


def test_interpreter_exit_inside_a_stream_records_it_as_incomplete(url: str) -> None:
    program = """
    class Stream(httpx2.SyncByteStream):
        def __iter__(self):
            yield from (b"data: {}\\n\\n", b"data: [DONE]\\n\\n")
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, stream=Stream()))
    client = rec.wrap(httpx2.Client(transport=transport))
    context = client.stream("POST", "https://api.deepseek.com/chat/completions", json={})
    response = context.__enter__()
    print(next(response.iter_raw()))
    """
    finish(start(program, url))
    assert [row["outcome"] for row in Store(url).calls()] == ["incomplete"]


def test_forked_workers_store_what_they_made(url: str) -> None:
    program = """
    import multiprocessing
    if __name__ == "__main__":
        context = multiprocessing.get_context("fork")
        workers = [context.Process(target=calls, args=(7,)) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
            assert worker.exitcode == 0
    """
    finish(start(program, url))
    assert count(url) == 21


def test_worker_that_makes_its_own_recorder_stores_what_it_made(url: str) -> None:
    program = """
    import multiprocessing, sys

    def work(url):
        import httpx2, recorder
        transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json={"choices": []}))
        client = recorder.Recorder(url).wrap(httpx2.Client(transport=transport))
        for _ in range(5):
            client.post("https://api.deepseek.com/chat/completions", json={"model": "m"})

    worker = multiprocessing.get_context("fork").Process(target=work, args=(sys.argv[1],))
    worker.start()
    worker.join()
    """
    process = subprocess.run([sys.executable, "-c", textwrap.dedent(program), url], timeout=120, check=False)
    assert process.returncode == 0
    assert count(url) == 5


def test_fork_loses_and_doubles_nothing(url: str) -> None:
    program = """
    calls(10)
    child = os.fork()
    calls(5)
    if child:
        assert os.waitpid(child, 0)[1] == 0
    """
    finish(start(program, url))
    assert count(url) == 20
