"""A real Prometheus on loopback, and questions to it."""

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

import yaml

from recorder.panels import folder

PROMETHEUS = shutil.which("prometheus")
PROMTOOL = shutil.which("promtool")
NO_PROMETHEUS = (
    "prometheus is not installed: apt install prometheus, or put prometheus and promtool on the PATH"
)


class Prometheus:
    """A running server."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, query: str, at_s: float | None = None) -> list[dict[str, Any]]:
        """The series that a query gives now, or at a moment; none while the server is not ready."""
        moment = {} if at_s is None else {"time": str(at_s)}
        found: list[dict[str, Any]] = self._get("query", query=query, **moment).get("result", [])
        return found

    def ask_between(self, query: str, begin_s: float, end_s: float, step_s: int = 1) -> list[dict[str, Any]]:
        """The series that a query gives at every step from one moment to another."""
        times = {"start": f"{begin_s:.3f}", "end": f"{end_s:.3f}", "step": str(step_s)}
        found: list[dict[str, Any]] = self._get("query_range", query=query, **times)["result"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """The rules that are loaded, and how each of them does."""
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]

    def _get(self, what: str, **asked: str) -> dict[str, Any]:
        parameters = urllib.parse.urlencode(asked)
        try:
            with urllib.request.urlopen(f"{self.address}/api/v1/{what}?{parameters}", timeout=5) as answer:
                found: dict[str, Any] = json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:
                return {}
            raise AssertionError(f"{asked}: {error.read().decode()}") from None
        except urllib.error.URLError:
            return {}
        return found

    def wait_for(self, query: str, timeout_s: float = 30.0) -> None:
        """Ask until there is an answer."""
        deadline = time.monotonic() + timeout_s
        while not self.ask(query):
            assert time.monotonic() < deadline, f"no answer in {timeout_s} s: {query}"
            time.sleep(0.05)


def shipped(*ports: int) -> dict[str, Any]:
    """The configuration that the compose file mounts, with its alerts: only faster, and with targets on loopback."""
    text = (folder() / "prometheus.yml").read_text(encoding="utf-8")
    configuration: dict[str, Any] = yaml.safe_load(text.replace("/etc/prometheus", str(folder())))
    configuration["global"] = {
        "scrape_interval": "200ms",
        "scrape_timeout": "200ms",
        "evaluation_interval": "200ms",
    }
    for job, port in zip(configuration["scrape_configs"], ports, strict=True):
        job["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
    return configuration


@contextmanager
def running(configuration: dict[str, Any], scratch: Path) -> Iterator[Prometheus]:
    """A Prometheus on a free port of loopback."""
    assert PROMETHEUS is not None
    file = scratch / "prometheus.yml"
    file.write_text(yaml.safe_dump(configuration))
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [
        *(PROMETHEUS, f"--config.file={file}", f"--storage.tsdb.path={scratch}/data"),
        *(f"--web.listen-address={address}", "--log.level=error"),
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield Prometheus(f"http://{address}")
    finally:
        server.terminate()
        server.wait(20)
