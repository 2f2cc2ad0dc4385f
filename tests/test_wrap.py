"""Finding and wrapping clients: bare ones, those of SDKs, those with proxies, and those that others create."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import httpx2
import pytest

import recorder
from recorder import WrapError
from recorder.adapters.clients import find_clients, is_client
from recorder.adapters.transport import RecordingTransport
from recorder.ledger import Store

from .drivers import URL, Driver, Reply
from .test_transport import ANSWER, ASK


def openai_client() -> Any:
    import openai

    return openai.OpenAI(api_key="k")


def openai_async() -> Any:
    import openai

    return openai.AsyncOpenAI(api_key="k")


def anthropic_client() -> Any:
    import anthropic

    return anthropic.Anthropic(api_key="k")


def groq_client() -> Any:
    import groq

    return groq.Groq(api_key="k")


def mistral_client() -> Any:
    from mistralai.client import Mistral

    return Mistral(api_key="k")


def langchain_model() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from langchain_openai import ChatOpenAI

        return ChatOpenAI(api_key="k", model="m")  # type: ignore[arg-type]


def llama_index_llm() -> Any:
    """As llama-index keeps its clients once both are made."""
    return SimpleNamespace(_client=openai_client(), _aclient=openai_async(), _http_client=None)


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (openai_client, 1),
        (openai_async, 1),
        (anthropic_client, 1),
        (groq_client, 1),
        (mistral_client, 2),
        (langchain_model, 2),
        (llama_index_llm, 2),
    ],
)
def test_clients_of_sdk_objects_are_found_wrapped_and_restored(
    rec: recorder.Recorder, make: Any, count: int
) -> None:
    holder = make()
    clients = find_clients(holder)
    before = [client._transport for client in clients]
    assert len(clients) == count
    assert rec.wrap(holder) is holder
    assert all(isinstance(client._transport, RecordingTransport) for client in clients)
    rec.wrap(holder)
    assert [client._transport.inner for client in clients] == before
    assert rec.unwrap(holder) is holder
    assert [client._transport for client in clients] == before


def test_copies_of_an_sdk_client_share_the_wrapped_one(rec: recorder.Recorder) -> None:
    client = rec.wrap(openai_client())
    assert isinstance(client.with_options(timeout=3)._client._transport, RecordingTransport)


def test_mounted_proxies_are_wrapped_and_exceptions_from_them_stay(
    driver: Driver, rec: recorder.Recorder
) -> None:
    proxy, direct = driver.wire(Reply(chunks=[ANSWER])), driver.wire(Reply(chunks=[ANSWER]))
    client = driver.client(direct, mounts={"https://api.deepseek.com": proxy, "https://local.test": None})
    patterns = {pattern.pattern: transport for pattern, transport in client._mounts.items()}
    rec.wrap(client)
    assert {pattern.pattern: transport is None for pattern, transport in client._mounts.items()} == {
        name: transport is None for name, transport in patterns.items()
    }
    driver.run(lambda: driver.send(client, "POST", URL, content=ASK))
    assert (len(proxy.requests), len(direct.requests)) == (1, 0)
    rec.unwrap(client)
    assert {pattern.pattern: transport for pattern, transport in client._mounts.items()} == patterns


def test_wrapped_by_transport_and_client_is_recorded_once(
    driver: Driver, rec: recorder.Recorder, records: Any
) -> None:
    inner = rec.transport(driver.wire(Reply(chunks=[ANSWER])))

    class Outer(type(driver.wire())):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            return inner.handle_request(request)

        async def handle_async_request(self, request: Any) -> Any:
            return await inner.handle_async_request(request)

    client = rec.wrap(driver.client(Outer(driver.library, [])))
    driver.run(lambda: driver.send(client, "POST", URL, content=ASK))
    assert len(records) == 1


def test_two_recorders_each_record_and_each_can_leave(
    driver: Driver, rec: recorder.Recorder, records: Any, tmp_path: Path
) -> None:
    with recorder.Recorder(f"sqlite:///{tmp_path}/other.db", strict=True) as other:
        wire = driver.wire(*[Reply(chunks=[ANSWER])] * 2)
        client = other.wrap(rec.wrap(driver.client(wire)))
        rec.unwrap(client)
        assert [each.recording for each in (client._transport,)] == [other._recording]
        rec.wrap(client)
        driver.run(lambda: driver.send(client, "POST", URL, content=ASK))
        assert len(records) == 1
        rec.unwrap(client)
        other.unwrap(client)
        assert client._transport is wire


def test_transport_is_sync_or_async_as_the_inner_one_is(driver: Driver, rec: recorder.Recorder) -> None:
    library = driver.library
    only_sync, only_async = (
        rec.transport(library.HTTPTransport()),
        rec.transport(library.AsyncHTTPTransport()),
    )
    both = rec.transport(driver.wire())
    assert (
        isinstance(only_sync, library.BaseTransport),
        isinstance(only_sync, library.AsyncBaseTransport),
    ) == (True, False)
    assert (
        isinstance(only_async, library.BaseTransport),
        isinstance(only_async, library.AsyncBaseTransport),
    ) == (False, True)
    assert (isinstance(both, library.BaseTransport), isinstance(both, library.AsyncBaseTransport)) == (
        True,
        True,
    )
    assert both.requests == []


def test_object_without_client_is_refused_with_advice(rec: recorder.Recorder) -> None:
    with pytest.raises(WrapError, match="holds no httpx or httpx2 client"):
        rec.wrap(object())


def test_install_sees_clients_made_before_and_after_and_restores(
    driver: Driver, rec: recorder.Recorder, records: Any
) -> None:
    kind = driver.library.AsyncClient if driver.asynchronous else driver.library.Client
    original = kind._transport_for_url
    before = driver.client(driver.wire(*[Reply(chunks=[ANSWER])] * 2))
    rec.install()
    rec.install()
    after = rec.wrap(driver.client(driver.wire(Reply(chunks=[ANSWER]))))

    async def scenario() -> None:
        await driver.send(before, "POST", URL, content=ASK)
        await driver.send(after, "POST", URL, content=ASK)
        rec.uninstall()
        await driver.send(before, "POST", URL, content=ASK)

    driver.run(scenario)
    assert len(records) == 2
    assert kind._transport_for_url is original


def test_install_before_the_libraries_are_imported(tmp_path: Path) -> None:
    program = f"""
        import recorder, sys
        rec = recorder.Recorder("sqlite:///{tmp_path}/calls.db", strict=True)
        rec.install()
        assert not {{"httpx", "httpx2"}} & set(sys.modules)
        import httpx, httpx2
        for library in (httpx, httpx2):
            transport = library.MockTransport(lambda request: library.Response(200, json={{"choices": []}}))
            library.Client(transport=transport).post("{URL}", json={{}})
        assert rec.flush()
        from recorder.ledger.store import Store
        print(len(Store(rec.store).calls()))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("2", "")


def test_client_is_told_from_its_class() -> None:
    import httpx
    import httpx2

    assert is_client(httpx.Client())
    assert is_client(httpx2.AsyncClient())
    assert not is_client(httpx2.Response(200))


def test_installed_and_own_recorder_on_one_store_record_once(driver: Driver, rec: recorder.Recorder) -> None:
    with recorder.Recorder(rec.store, strict=True) as own:
        rec.install()
        client = own.wrap(driver.client(driver.wire(Reply(chunks=[ANSWER]))))
        driver.run(lambda: driver.send(client, "POST", URL, content=ASK))
        rec.uninstall()
        assert own.flush()
        assert rec.flush()
    assert len(Store(rec.store).calls()) == 1


def test_cassette_ends_well_though_the_sdk_has_dropped_its_client(
    driver: Driver, rec: recorder.Recorder
) -> None:
    class Holder:
        def __init__(self) -> None:
            self.client = driver.client(driver.wire(Reply(chunks=[ANSWER]), Reply(chunks=[ANSWER])))

    holder = Holder()
    client = holder.client
    with rec.cassette("c", mode="once") as cassette:
        cassette.wrap(holder)
        del holder.client
    assert not isinstance(client._transport, RecordingTransport)
    assert rec._recording.cassettes.session_for(None) is None


def test_transports_are_told_apart_though_an_sdk_claims_their_base_for_itself(
    driver: Driver, rec: recorder.Recorder, records: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for library in (httpx, httpx2):
        for name in ("BaseTransport", "AsyncBaseTransport", "Client", "AsyncClient"):
            monkeypatch.setattr(getattr(library, name), "__module__", "openai")
    client = rec.wrap(driver.client(driver.wire(Reply())))
    driver.run(lambda: driver.observe(client, ASK))
    with rec.cassette("c", mode="once"):
        rec.wrap(client)
        driver.run(lambda: driver.observe(client, ASK))
    assert len(records) == 2


def test_installed_cassette_that_cannot_cover_a_client_is_a_miss(
    driver: Driver, rec: recorder.Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = driver.wire(Reply())
    with rec.cassette("c", mode="once", install=True):
        driver.run(lambda: driver.observe(driver.client(wire), ASK))
    monkeypatch.setattr("recorder.adapters.clients._library_of", lambda kind: None)
    monkeypatch.setattr("recorder.adapters.clients._classes", {})
    with (
        rec.cassette("c", install=True) as cassette,
        pytest.raises(recorder.CassetteMiss, match="cannot cover"),
    ):
        driver.run(lambda: driver.observe(driver.client(wire), ASK))
    assert len(wire.requests) == 1
    assert len(cassette.report.misses) == 1
