"""A real Prometheus on loopback that scrapes one place, and questions to it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROMETHEUS = shutil.which("prometheus")
PROMTOOL = shutil.which("promtool")
NO_PROMETHEUS = (
    "prometheus is not installed: apt install prometheus, or put prometheus and promtool on the PATH"
)
_CONFIGURATION = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs: [{{job_name: whatever, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}]
"""


class Prometheus:
    """A running server."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The series that a query gives now; none while the server is not ready."""
        parameters = urllib.parse.urlencode({"query": query})
        try:
            with urllib.request.urlopen(f"{self.address}/api/v1/query?{parameters}", timeout=5) as answer:
                found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            if error.code == 503:
                return []
            raise AssertionError(f"{query}: {error.read().decode()}") from None
        except urllib.error.URLError:
            return []
        return found

    def wait_for(self, query: str, timeout_s: float = 30.0) -> None:
        """Ask until there is an answer."""
        deadline = time.monotonic() + timeout_s
        while not self.ask(query):
            assert time.monotonic() < deadline, f"no answer in {timeout_s} s: {query}"
            time.sleep(0.05)


@contextmanager
def scraping(port: int, folder: Path) -> Iterator[Prometheus]:
    """A Prometheus that scrapes a port of loopback five times a second."""
    assert PROMETHEUS is not None
    configuration = folder / "prometheus.yml"
    configuration.write_text(_CONFIGURATION.format(port=port))
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [
        *(PROMETHEUS, f"--config.file={configuration}", f"--storage.tsdb.path={folder}/data"),
        *(f"--web.listen-address={address}", "--log.level=error"),
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield Prometheus(f"http://{address}")
    finally:
        server.terminate()
        server.wait(20)
