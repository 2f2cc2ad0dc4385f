"""The tripwire: calls to language models that go past a cassette in mode `none` fail, whichever client makes them."""

from __future__ import annotations

import asyncio
import contextvars
import http.client
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3
import vcr  # type: ignore[import-untyped]  # ships no types
import wrapt

import recorder
from recorder import CassetteMiss
from recorder.adapters import spots
from recorder.adapters.hosts import is_loopback, serves_models
from recorder.adapters.network import block_network
from recorder.errors import SettingsError

from .drivers import URL, Driver, Seen
from .test_replay import answer
from .test_transport import ASK

Rec = recorder.Recorder
OWN = "https://llm.invalid/chat/completions"
EMBEDDINGS = "https://api.openai.com/v1/embeddings"


@pytest.fixture
def rec(tmp_path: Path) -> Iterator[Rec]:
    """A recorder with a provider of its own and a cassette `c`, recorded on another host."""
    with Rec(f"sqlite:///{tmp_path}/calls.db", strict=True, providers={"llm.invalid": "ours"}) as rec:
        driver = Driver("httpx2", asynchronous=False)
        client = rec.wrap(driver.client(driver.wire(answer("1"))))
        with rec.cassette("c", mode="once"):
            driver.run(lambda: driver.observe(client, ASK, url="https://recorded.invalid/chat/completions"))
        yield rec


@pytest.fixture
def local() -> Iterator[str]:
    """A server on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"hi")

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=lambda: server.serve_forever(0.01))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def by_requests(url: str) -> object:
    with requests.Session() as session:
        return session.get(url, timeout=5).content


def by_urllib3(url: str) -> object:
    with urllib3.PoolManager(retries=False) as pool:
        return pool.request("GET", url, timeout=5).data


def by_aiohttp(url: str) -> object:
    async def scenario() -> bytes:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return await response.read()

    return asyncio.run(scenario())


def by_httpx(url: str) -> object:
    with httpx.Client(trust_env=False) as client:
        return client.get(url).content


def by_urllib_request(url: str) -> object:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=5) as response:
        return response.read()


def by_http_client(url: str) -> object:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=5)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().read()
    finally:
        connection.close()


OTHERS = {
    "requests": by_requests,
    "urllib3": by_urllib3,
    "aiohttp": by_aiohttp,
    "urllib.request": by_urllib_request,
    "http.client": by_http_client,
}
ALL = {**OTHERS, "httpx": by_httpx}
NO_NETWORK = (
    OSError,
    aiohttp.ClientError,
    httpx.TransportError,
    requests.ConnectionError,
    urllib3.exceptions.HTTPError,
)


@contextmanager
def guarded(rec: Rec, **options: Any) -> Iterator[recorder.Cassette]:
    with rec.cassette("c", tripwire=True, **options) as cassette:
        yield cassette


def bare(driver: Driver) -> Any:
    return driver.client(trust_env=False)


async def post(driver: Driver, client: Any, url: str) -> Any:
    try:
        return await driver.send(client, "POST", url, content=ASK)
    finally:
        await driver.close(client)


def test_client_that_is_not_covered_fails_by_name(driver: Driver, rec: Rec) -> None:
    with guarded(rec) as cassette:
        with pytest.raises(CassetteMiss) as caught:
            driver.run(lambda: post(driver, bare(driver), f"{URL}?api_key=sk-abcdefghijklmnopqrstuvwx"))
        (miss,) = cassette.report.misses
    text = str(caught.value)
    assert text == miss
    assert text.startswith(f"{driver.library.__name__} was about to send POST {URL}?api_key=")
    assert "cassette.wrap(client)" in text
    assert "install=True" in text
    assert "sk-abc" not in text


def test_path_that_is_not_recorded_names_the_setting_that_records_it(driver: Driver, rec: Rec) -> None:
    async def scenario(cassette: recorder.Cassette) -> None:
        await post(driver, cassette.wrap(bare(driver)), EMBEDDINGS)

    with guarded(rec) as cassette, pytest.raises(CassetteMiss, match=r"record_paths=\('/v1/embeddings',\)"):
        driver.run(lambda: scenario(cassette))


@pytest.mark.parametrize("host", ["llm.invalid", "recorded.invalid"])
def test_traces_that_openai_agents_send_pass(driver: Driver, host: str, rec: Rec) -> None:
    with guarded(rec) as cassette:
        with pytest.raises(driver.library.ConnectError):
            driver.run(lambda: post(driver, bare(driver), f"https://{host}/v1/traces/ingest"))
        assert cassette.report.misses == ()


@pytest.mark.parametrize("client", OTHERS)
def test_other_libraries_fail_by_name(client: str, rec: Rec) -> None:
    with guarded(rec) as cassette:
        with pytest.raises(
            CassetteMiss, match=rf"^{client} was about to send GET {EMBEDDINGS} .*tripwire=False"
        ):
            OTHERS[client](EMBEDDINGS)
        assert len(cassette.report.misses) == 1


@pytest.mark.parametrize("host", ["llm.invalid", "recorded.invalid"])
@pytest.mark.parametrize("client", ALL)
def test_hosts_of_ones_own_and_of_the_recordings_are_known(client: str, host: str, rec: Rec) -> None:
    with guarded(rec), pytest.raises(CassetteMiss, match=host):
        ALL[client](f"https://{host}/v1/models")


@pytest.mark.parametrize("client", ALL)
def test_this_machine_passes_and_so_do_unknown_hosts(client: str, rec: Rec, local: str) -> None:
    with guarded(rec) as cassette:
        assert ALL[client](local) == b"hi"
        with pytest.raises(NO_NETWORK):
            ALL[client]("http://unknown.invalid/chat/completions")
        assert cassette.report.misses == ()


@pytest.mark.parametrize(
    "options",
    [
        {"tripwire": False, "install": True},
        {"mode": "once", "tripwire": True},
        {"mode": "once"},
        {"mode": "all"},
    ],
)
def test_without_tripwire_everything_passes(rec: Rec, options: Any) -> None:
    before = attributes()
    with rec.cassette("c", **options):
        assert [here for here in zip(before, attributes(), strict=True) if here[0] is not here[1]] == []
        with pytest.raises(requests.ConnectionError):
            by_requests(OWN)


@pytest.mark.parametrize("install", [True, False])
def test_mode_none_brings_the_tripwire_along(install: bool, rec: Rec) -> None:
    with rec.cassette("c", install=install), pytest.raises(CassetteMiss, match="requests was about to"):
        by_requests(OWN)


def live(driver: Driver, rec: Rec) -> Any:
    """A client that a Recorder records, of a kind that reaches for the network."""
    return rec.wrap(bare(driver))


def test_client_that_a_recorder_records_live_fails_by_name(driver: Driver, rec: Rec, tmp_path: Path) -> None:
    with Rec(f"sqlite:///{tmp_path}/other.db") as other:
        client = live(driver, other)
        with (
            rec.cassette("c") as cassette,
            pytest.raises(CassetteMiss, match="a Recorder records this") as caught,
        ):
            driver.run(lambda: post(driver, client, OWN))
        assert str(caught.value).startswith(f"{driver.library.__name__} was about to send POST {OWN}")
        assert cassette.report.misses == (str(caught.value),)


def test_client_that_an_installed_recorder_records_live_fails(
    driver: Driver, rec: Rec, tmp_path: Path
) -> None:
    with Rec(f"sqlite:///{tmp_path}/other.db") as other:
        other.install()
        with rec.cassette("c"), pytest.raises(CassetteMiss, match=r"cassette\.wrap"):
            driver.run(lambda: post(driver, bare(driver), OWN))
        with rec.cassette("c", tripwire=False), pytest.raises(driver.library.ConnectError):
            driver.run(lambda: post(driver, bare(driver), OWN))


def test_covered_client_of_a_second_recorder_replays(driver: Driver, rec: Rec, tmp_path: Path) -> None:
    recorded = "https://recorded.invalid/chat/completions"
    with Rec(f"sqlite:///{tmp_path}/other.db") as other:
        client = live(driver, other)
        with rec.cassette("c", install=True) as cassette:
            assert driver.run(lambda: driver.observe(client, ASK, url=recorded)).status == 200
        assert cassette.report.misses == ()
        driver.run(lambda: driver.close(client))


def test_file_cassette_lets_the_stores_cassette_play_and_nothing_else(
    driver: Driver, rec: Rec, tmp_path: Path
) -> None:
    path = tmp_path / "c.yaml"
    with recorder.cassette(path, mode="once") as cassette:
        wire = cassette.wrap(driver.client(driver.wire(answer("1"))))
        driver.run(lambda: driver.observe(wire, ASK, url=OWN))
    client = live(driver, rec)
    recorded = "https://recorded.invalid/chat/completions"
    with rec.cassette("c"), recorder.cassette(path) as inner:
        assert driver.run(lambda: driver.observe(client, ASK, url=recorded)).status == 200
        assert inner.report.misses == ()
    with recorder.cassette(path), pytest.raises(CassetteMiss, match="a Recorder records this client"):
        driver.run(lambda: post(driver, client, OWN))


def in_thread(work: Callable[[], object], context: contextvars.Context | None = None) -> BaseException | None:
    """What this raises in a thread that knows of no cassette, or in another context."""
    caught: list[BaseException] = []

    def run() -> None:
        try:
            context.run(work) if context is not None else work()
        except BaseException as error:  # noqa: BLE001 - what is raised is what is tested
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return caught[0] if caught else None


def test_recorder_and_recording_cassette_in_threads_of_no_context(rec: Rec, tmp_path: Path) -> None:
    with Rec(f"sqlite:///{tmp_path}/other.db") as other, rec.cassette("d", mode="once") as recording:
        driver = Driver("httpx2", asynchronous=False)
        client, kept = live(driver, other), recording.wrap(bare(driver))
        with guarded(rec):
            assert isinstance(in_thread(lambda: client.post(OWN, content=ASK)), CassetteMiss)
            assert isinstance(in_thread(lambda: kept.post(OWN, content=ASK)), httpx2.ConnectError)
        client.close()
        kept.close()


def test_cassette_that_another_context_records_takes_no_calls_of_this_one(rec: Rec) -> None:
    context = contextvars.copy_context()
    recording = rec.cassette("d", mode="once")
    context.run(recording.__enter__)
    client = recording.wrap(httpx2.Client(trust_env=False))
    with guarded(rec), pytest.raises(CassetteMiss, match="cover its client"):
        client.post(OWN, content=ASK)
    with guarded(rec):
        assert isinstance(in_thread(lambda: client.post(OWN, content=ASK), context), httpx2.ConnectError)
    client.close()
    context.run(recording.__exit__, None, None, None)


def test_request_through_a_proxy_is_known_by_where_it_goes(rec: Rec) -> None:
    with guarded(rec):
        connection = http.client.HTTPSConnection("proxy.invalid", 3128)
        connection.set_tunnel("api.openai.com", 443)
        with pytest.raises(CassetteMiss, match=r"GET https://api\.openai\.com/v1/models "):
            connection.request("GET", "/v1/models")
        plain = http.client.HTTPConnection("proxy.invalid", 3128)
        with pytest.raises(CassetteMiss, match=r"GET http://api\.openai\.com/v1/models "):
            plain.request("GET", "http://api.openai.com/v1/models")
        with pytest.raises(OSError, match=r"."):
            http.client.HTTPConnection("proxy.invalid", 3128).request("GET", "/v1/models")


def test_cassette_that_records_within_one_that_replays_goes_live(driver: Driver, rec: Rec) -> None:
    async def scenario() -> Seen:
        with rec.cassette("c"), rec.cassette("d", mode="once", install=True):
            client = bare(driver)
            try:
                return await driver.observe(client, ASK, url=OWN)
            finally:
                await driver.close(client)

    assert driver.run(scenario).error is driver.library.ConnectError


def test_what_the_options_of_vcrpy_ignore_passes(tmp_path: Path) -> None:
    path = tmp_path / "vcr.yaml"
    path.write_text(
        f"interactions:\n- request: {{method: GET, uri: '{OWN}', body: null, headers: {{}}}}\n"
        "  response: {body: {string: hi}, headers: {}, status: {code: 200, message: OK}}\nversion: 1\n"
    )
    with recorder.vcr_cassette(path, options={"ignore_hosts": ["llm.invalid"]}) as cassette:
        with pytest.raises(requests.ConnectionError):
            by_requests(OWN)
        assert cassette.report.misses == ()


def test_covered_client_replays(driver: Driver, rec: Rec) -> None:
    async def scenario() -> Seen:
        with guarded(rec, install=True):
            client = bare(driver)
            try:
                return await driver.observe(client, ASK, url="https://recorded.invalid/chat/completions")
            finally:
                await driver.close(client)

    assert driver.run(scenario).status == 200


def attributes() -> list[Any]:
    return [
        getattr(import_module(name), spot.kind).__dict__[spot.method]
        for name, each in spots.SPOTS.items()
        for spot in each
        if not name.startswith("dspy.")  # which is not installed here
    ]


def test_libraries_are_patched_once_and_given_back_by_the_last_one(rec: Rec) -> None:
    before = attributes()
    with guarded(rec):
        once = attributes()
        with guarded(rec):
            assert attributes() == once
        assert attributes() == once
        assert not set(before) & set(once)
    assert attributes() == before


def test_innermost_cassette_of_the_context_gets_the_miss(rec: Rec) -> None:
    with guarded(rec) as outer, guarded(rec) as inner:
        with pytest.raises(CassetteMiss):
            by_requests(OWN)
        assert [len(each.report.misses) for each in (outer, inner)] == [0, 1]


def test_calls_of_a_context_with_another_cassette_belong_to_that(rec: Rec) -> None:
    with guarded(rec) as outer, rec.cassette("c", mode="new_episodes"):
        with pytest.raises(requests.ConnectionError):
            by_requests(OWN)
        assert outer.report.misses == ()


def test_thread_of_no_context_belongs_to_the_guarded_cassette(rec: Rec) -> None:
    with guarded(rec) as cassette:
        assert isinstance(in_thread(lambda: by_requests(OWN)), CassetteMiss)
        assert len(cassette.report.misses) == 1


def test_client_that_another_cassette_records_goes_live(driver: Driver, rec: Rec) -> None:
    async def scenario() -> Seen:
        with rec.cassette("d", mode="once") as recording:
            client = recording.wrap(bare(driver))
            with guarded(rec):
                try:
                    return await driver.observe(client, ASK, url=OWN)
                finally:
                    await driver.close(client)

    assert driver.run(scenario).error is driver.library.ConnectError


@pytest.mark.parametrize("client", ["httpx", "requests", "aiohttp", "urllib.request", "http.client"])
def test_what_vcrpy_answers_is_vcrpys_own_business(client: str, rec: Rec, tmp_path: Path) -> None:
    path = tmp_path / "vcr.yaml"
    path.write_text(
        f"interactions:\n- request: {{method: GET, uri: '{OWN}', body: null, headers: {{}}}}\n"
        "  response: {body: {string: hi}, headers: {}, status: {code: 200, message: OK}}\nversion: 1\n"
    )
    with guarded(rec) as cassette, vcr.use_cassette(str(path), record_mode="none"):
        assert ALL[client](OWN) == b"hi"
    with vcr.use_cassette(str(path), record_mode="none"), guarded(rec) as cassette:
        assert ALL[client](OWN) == b"hi"
        assert cassette.report.misses == ()


def test_patch_put_on_top_survives_and_is_called(rec: Rec, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    with guarded(rec):
        original = httpx.HTTPTransport.handle_request

        def handle_request(transport: Any, request: Any) -> Any:
            seen.append(str(request.url))
            return original(transport, request)

        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle_request)
        with pytest.raises(CassetteMiss):
            by_httpx(OWN)
    with pytest.raises(httpx.ConnectError):
        by_httpx(OWN)
    monkeypatch.undo()
    with pytest.raises(httpx.ConnectError):
        by_httpx(OWN)
    with guarded(rec), pytest.raises(CassetteMiss):
        by_httpx(OWN)
    assert seen == [OWN, OWN]


def test_library_imported_later_is_guarded_too(tmp_path: Path, rec: Rec) -> None:
    program = f"""
import sys, recorder
with recorder.Recorder({rec.store!r}) as rec, rec.cassette("c", tripwire=True) as cassette:
    assert not {{"requests", "urllib3", "aiohttp", "httpx2"}} & set(sys.modules)
    import requests, aiohttp, httpx2, asyncio
    async def later():
        async with aiohttp.ClientSession() as session:
            await session.get({EMBEDDINGS!r})
    calls = (lambda: requests.get({EMBEDDINGS!r}), lambda: httpx2.get({EMBEDDINGS!r}), lambda: asyncio.run(later()))
    for call in calls:
        try:
            call()
        except recorder.CassetteMiss as miss:
            print(str(miss).split()[0])
"""
    rec.flush()
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.split(), done.stderr) == (["requests", "httpx2", "aiohttp"], "")


class OverAiohttp(httpx.AsyncBaseTransport):
    """As litellm and openai make a client of httpx go out through aiohttp."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async with (
            aiohttp.ClientSession() as session,
            session.request(request.method, str(request.url)) as answer,
        ):
            return httpx.Response(answer.status, content=await answer.read())


def over_aiohttp(url: str, covered: Callable[[Any], Any] = lambda client: client) -> Any:
    async def scenario() -> httpx.Response:
        async with covered(httpx.AsyncClient(transport=OverAiohttp())) as client:
            return await client.post(url, json={})  # type: ignore[no-any-return]

    return asyncio.run(scenario())


def test_httpx_over_aiohttp_is_told_what_clients_of_httpx_are(rec: Rec, local: str) -> None:
    with guarded(rec) as cassette:
        with pytest.raises(CassetteMiss, match=r"^httpx was about to send POST .*cassette\.wrap\(client\)"):
            over_aiohttp(OWN)
        with pytest.raises(CassetteMiss, match=r"^httpx .*record_paths=\('/v1/embeddings',\)"):
            over_aiohttp(EMBEDDINGS, cassette.wrap)
        with rec.cassette("d", mode="once") as recording, pytest.raises(aiohttp.ClientError):
            over_aiohttp(OWN, recording.wrap)
        assert len(cassette.report.misses) == 2


def test_aiohttp_of_an_application_that_a_test_asks_by_httpx_is_aiohttps(rec: Rec) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        async with aiohttp.ClientSession() as session:
            await session.post(OWN)

    async def scenario() -> None:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://own.test") as client:
            await client.get("/")

    with guarded(rec), pytest.raises(CassetteMiss, match=r"^aiohttp was about to send"):
        asyncio.run(scenario())


DSPY = {  # as of dspy 3.4
    "_sync": """
class StdlibTransport:
    def stream(self, request):
        return "sent"
""",
    "_async": """
class StdlibAsyncTransport:
    def stream(self, request):
        return "sent"
""",
}


def test_dspy_which_has_a_client_of_its_own_fails_and_is_told_the_engine_that_is_covered(
    rec: Rec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "dspy" / "_vendor" / "lm15" / "transports"
    home.mkdir(parents=True)
    for name, source in DSPY.items():
        (home / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    asked = SimpleNamespace(method="POST", url=OWN)
    with guarded(rec) as cassette:
        kinds = [
            import_module("dspy._vendor.lm15.transports._sync").StdlibTransport,
            import_module("dspy._vendor.lm15.transports._async").StdlibAsyncTransport,
        ]
        for kind in kinds:
            with pytest.raises(CassetteMiss, match=r'^dspy was about to send POST .* engine="litellm"'):
                kind().stream(asked)
        assert len(cassette.report.misses) == 2
    assert [kind().stream(asked) for kind in kinds] == ["sent", "sent"]
    for name in [name for name in sys.modules if name.partition(".")[0] == "dspy"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.parametrize(
    ("host", "path", "known"),
    [
        ("api.openai.com", "/v1/responses", True),
        ("eu.api.openai.com", "/", True),
        ("notapi.openai.com", "/", False),
        ("platform.openai.com", "/", False),
        ("bedrock-runtime.us-east-1.amazonaws.com", "/model/x/invoke", True),
        ("s3.us-east-1.amazonaws.com", "/bucket/bedrock", False),
        ("api.cloudflare.com", "/client/v4/accounts/1/ai/run/x", True),
        ("api.cloudflare.com", "/client/v4/zones", False),
        ("org.snowflakecomputing.com", "/session/v1/login-request", False),
        ("org.snowflakecomputing.com", "/api/v2/cortex/inference:complete", True),
        ("own.example", "/", True),
        ("example.com", "/chat/completions", False),
    ],
)
def test_hosts_are_known_by_label_and_those_of_many_services_by_path(
    host: str, path: str, known: bool
) -> None:
    assert serves_models(host, 443, path, {"own.example": "ours"}) is known


def test_a_server_of_this_machine_is_the_cassettes_business_where_it_holds_that_very_call(
    local: str, tmp_path: Path
) -> None:
    with (
        recorder.cassette(tmp_path / "c.yaml", "once", record_paths="*") as cassette,
        cassette.wrap(httpx2.Client(trust_env=False)) as client,
    ):
        client.get(local)
    with recorder.cassette(tmp_path / "c.yaml"):
        assert by_urllib3(f"{local}health") == b"hi"
        with pytest.raises(CassetteMiss, match=r"not urllib3"):
            by_urllib3(local)


@pytest.mark.parametrize(
    "host", ["localhost", "a.localhost", "127.8.0.1", "::1", "[::1]", "::ffff:127.0.0.1", "0.0.0.0"]
)
def test_loopback_is_known_by_name_and_address(host: str) -> None:
    assert is_loopback(host)
    assert not is_loopback(f"x{host}.example")


@pytest.mark.parametrize("client", ALL)
def test_blocked_network_names_the_host_and_lets_this_machine_through(client: str, local: str) -> None:
    refused: list[str] = []
    with block_network(on_refused=refused.append):
        assert ALL[client](local) == b"hi"
        with pytest.raises(CassetteMiss, match=r"connect to example\.com, port 443.*allow the host"):
            ALL[client]("https://example.com/")
    assert len(refused) == 1


def test_blocked_network_stops_every_kind_of_client(driver: Driver) -> None:
    with block_network(), pytest.raises(CassetteMiss, match=r"api\.deepseek\.com, port 443"):
        driver.run(lambda: post(driver, bare(driver), URL))


def test_blocked_network_refuses_addresses_and_lets_allowed_hosts_through() -> None:
    with block_network(allowed=["192\\.0\\.2\\..*", r".*\.invalid"]):
        with pytest.raises(CassetteMiss, match=r"192\.0\.20\.1, port 80"):
            connect("192.0.20.1")
        with pytest.raises(OSError, match=r"."):
            connect("192.0.2.1")
        with pytest.raises(httpx.ConnectError):
            by_httpx("https://unknown.invalid/")
        with block_network(), pytest.raises(CassetteMiss, match=r"unknown\.invalid"):
            by_httpx("https://unknown.invalid/")


def connect(host: str) -> None:
    with socket.socket() as one:
        one.settimeout(0.01)
        one.connect((host, 80))


def test_blocked_network_is_open_again_afterwards_and_loops_work_inside() -> None:
    before = [
        socket.getaddrinfo,
        socket.socket.__dict__.get("connect"),
        socket.socket.__dict__.get("connect_ex"),
    ]

    async def work() -> str:
        return await asyncio.to_thread(lambda: "done")

    with block_network(), block_network():
        assert asyncio.run(work()) == "done"
        one, two = socket.socketpair()
        one.close()
        two.close()
    after = [
        socket.getaddrinfo,
        socket.socket.__dict__.get("connect"),
        socket.socket.__dict__.get("connect_ex"),
    ]
    assert after == before


def test_wrong_pattern_for_hosts_is_refused() -> None:
    with pytest.raises(SettingsError, match="no regular expression"), block_network(["("]):
        raise AssertionError


def test_arming_again_makes_no_new_wrappers(rec: Rec) -> None:
    seen = []
    for _ in range(2):
        with guarded(rec):
            seen.append(httpx2.HTTPTransport.__dict__["handle_request"])
    assert seen[0] is seen[1]


@pytest.mark.parametrize("method", ["handle_request", "_transport_for_url"])
def test_wrapper_that_others_put_on_between_two_cassettes_is_called(
    rec: Rec, local: str, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """One of wrapt's, as instrumentations use it, equals what it wraps and has the same hash."""
    kind = httpx2.HTTPTransport if method == "handle_request" else httpx2.Client
    asked: list[str] = []

    def note(wrapped: Any, instance: Any, arguments: Any, options: Any) -> Any:
        asked.append(method)
        return wrapped(*arguments, **options)

    with rec.cassette("c", install=True):
        httpx2.get(local)
    monkeypatch.setattr(kind, method, wrapt.FunctionWrapper(getattr(kind, method), note))
    with rec.cassette("c", install=True):
        httpx2.get(local)
    assert asked == [method]
