"""Every recorded exchange, with hostile splits, through all four transports and back from the store."""

from __future__ import annotations

import gzip
import importlib.util
import random
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import brotli
import pytest

import recorder
from recorder.demo.upstream import Step, Upstream

from .conftest import CORPUS
from .drivers import Driver, Reply, Seen

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="../shared/corpus is not beside this checkout")

_NOT_SERVED = {"content-encoding", "content-length", "transfer-encoding", "connection", "date", "server"}
_ENCODINGS: dict[str | None, Callable[[bytes], bytes]] = {
    None: bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}


class Recorded:
    """One exchange of the corpus, made ready to be asked and answered again."""

    def __init__(self, record: dict[str, Any], body_bytes: Callable[[Any], bytes | None]) -> None:
        self.id = record["id"]
        self.url = record["request"]["url"]
        self.request = body_bytes(record["request"]) or b""
        self.status = record["response"]["status"]
        self.body = body_bytes(record["response"]) or b""
        self.headers = [
            (name, value)
            for name, values in record["response"]["headers"].items()
            for value in values
            if name.lower() not in _NOT_SERVED
        ]

    def reply(self, dice: random.Random) -> Reply:
        """The answer in one of the content encodings, cut where it hurts."""
        encoding = dice.choice(list(_ENCODINGS))
        headers = [*self.headers, *([("content-encoding", encoding)] if encoding else [])]
        return Reply(self.status, headers, hostile_split(_ENCODINGS[encoding](self.body), dice))


def hostile_split(data: bytes, dice: random.Random) -> list[bytes]:
    """Every byte for short bodies; for others cuts inside characters, line ends and fields, and empty chunks."""
    if len(data) <= 400:
        return [data[i : i + 1] for i in range(len(data))]
    hurting = [i + 1 for i, byte in enumerate(data) if byte in b'\r\n"\\' or byte >= 0x80]
    cuts = sorted(
        {*dice.sample(hurting, min(25, len(hurting))), *(dice.randrange(len(data)) for _ in range(25))}
    )
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@pytest.fixture(scope="module")
def corpus() -> list[Recorded]:
    spec = importlib.util.spec_from_file_location("corpus", CORPUS / "corpus.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [Recorded(record, module.body_bytes) for record in module.interactions()]


def served(recorded: Recorded) -> bool:
    """Real servers and clients disagree on whether a 204 or 304 may have a body; in memory all go."""
    return recorded.status not in (204, 304)


def test_whole_corpus_in_memory(
    driver: Driver, rec: recorder.Recorder, corpus: list[Recorded], records: Any
) -> None:
    dice = random.Random(1)
    answers = [recorded.reply(dice) for recorded in corpus]

    async def ask(mode: Any, answers: list[Reply]) -> list[Seen]:
        client = rec.wrap(driver.client(driver.wire(*answers)))
        with rec.cassette("corpus", mode=mode):
            return [await driver.observe(client, each.request, url=each.url) for each in corpus]

    live = driver.run(lambda: ask("once", answers))
    exchanges = [exchange for exchange, _ in records]
    replayed = driver.run(lambda: ask("none", []))
    wrong = []
    for recorded, reply, seen, exchange, again in zip(
        corpus, answers, live, exchanges, replayed, strict=True
    ):
        assert seen.chunks == tuple(chunk for chunk in reply.chunks if chunk)
        if exchange.redacted:
            wrong += [] if len(again.chunks) == len(seen.chunks) else [recorded.id]
        elif again != seen:
            wrong.append(recorded.id)
    assert wrong == []
    assert sum(exchange.redacted for exchange in exchanges) <= len(corpus) // 50


def every(share: int, corpus: list[Recorded]) -> Iterator[Recorded]:
    yield from (recorded for recorded in corpus[::share] if served(recorded))


def step(reply: Reply) -> Step:
    return Step(
        reply.status, tuple(reply.headers), tuple(chunk for chunk in reply.chunks if isinstance(chunk, bytes))
    )


@pytest.mark.parametrize("share", [8, pytest.param(1, marks=pytest.mark.soak)])
def test_corpus_over_loopback(
    driver: Driver, rec: recorder.Recorder, corpus: list[Recorded], records: Any, share: int
) -> None:
    """What a wrapped client sees equals what a bare one sees, and what it sees again in the replay."""
    chosen = list(every(share, corpus))
    dice = random.Random(2)
    replies = [recorded.reply(dice) for recorded in chosen]

    async def ask(url: str, client: Any) -> list[Seen]:
        seen = [
            await driver.observe(client, each.request, url=f"{url}/{index}/chat/completions")
            for index, each in enumerate(chosen)
        ]
        await driver.close(client)
        return seen

    async def recorded(url: str, mode: Any) -> list[Seen]:
        with rec.cassette("loopback", mode=mode):
            return await ask(url, rec.wrap(driver.client(timeout=30)))

    with Upstream() as upstream:
        url = upstream.base_url
        for _ in range(2):
            upstream.script(*(step(reply) for reply in replies))
        bare = driver.run(lambda: ask(url, driver.client(timeout=30)))
        live = driver.run(lambda: recorded(url, "once"))
    replayed = driver.run(lambda: recorded(url, "none"))
    assert [(seen.status, b"".join(seen.chunks), seen.error) for seen in live] == [
        (seen.status, b"".join(seen.chunks), seen.error) for seen in bare
    ]
    clean = [not exchange.redacted for exchange, _ in records[: len(live)]]
    assert [again for again, ok in zip(replayed, clean, strict=True) if ok] == [
        seen for seen, ok in zip(live, clean, strict=True) if ok
    ]
