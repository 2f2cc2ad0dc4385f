"""HTTP/2, without TLS on loopback: recorded and replayed as HTTP/2."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import h2.config
import h2.connection
import h2.events
import pytest

import recorder

from .drivers import Driver, Seen
from .test_transport import ASK, STREAM


@pytest.fixture
def url() -> Iterator[str]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/chat/completions"
        listener.shutdown(socket.SHUT_RDWR)


def serve(listener: socket.socket) -> None:
    """Answer each request with the same stream, one frame a chunk, until the listener is closed."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with closing(connection):
            talk(connection)


def talk(connection: socket.socket) -> None:
    state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    state.initiate_connection()
    connection.sendall(state.data_to_send())
    while data := connection.recv(65536):
        for event in state.receive_data(data):
            if isinstance(event, h2.events.StreamEnded):
                state.send_headers(
                    event.stream_id, [(":status", "200"), ("content-type", "text/event-stream")]
                )
                for chunk in STREAM:
                    state.send_data(event.stream_id, chunk)
                state.end_stream(event.stream_id)
        connection.sendall(state.data_to_send())


def test_http2_is_recorded_and_replayed_as_http2(driver: Driver, rec: recorder.Recorder, url: str) -> None:
    async def scenario(mode: str) -> tuple[Seen, str]:
        client = rec.wrap(driver.client(http1=False, http2=True))
        with rec.cassette("c", mode=mode):  # type: ignore[arg-type]
            seen = await driver.observe(client, ASK, url=url)
            async with driver.stream(client, "POST", url, content=ASK) as response:
                version = response.http_version
        await driver.close(client)
        return seen, version

    live = driver.run(lambda: scenario("once"))
    assert live[1] == "HTTP/2"
    assert live[0].chunks == STREAM
    assert driver.run(lambda: scenario("none")) == live
