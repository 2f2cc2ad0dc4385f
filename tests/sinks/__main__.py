"""Send calls to Phoenix and MLflow and read them back: `python -m tests.sinks`, or `make test-sinks`.

Each has an environment of its own below `.venv/sinks`, made once, and runs on loopback with nothing kept. What is
checked is what its users would see: tokens, messages, errors, read through its own API.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from ..drivers import Reply
from ..otel import Otel, ask, completion, recording, streamed

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120
CALL = {"id": "t-1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bonn"}'}}
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Weather?"}]
USAGE = {"prompt_tokens": 10, "completion_tokens": 8, "prompt_tokens_details": {"cached_tokens": 4}}
REFUSED = Reply(status=429, chunks=[b'{"error":{"code":"rate_limited","message":"slow down"}}'])


@dataclass(frozen=True, slots=True)
class Shown:
    """One call as a sink shows it."""

    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    failed: bool
    text: str
    """All that it says of the messages."""


@dataclass(frozen=True, slots=True)
class Sink:
    """A backend: its packages, how it is started in a folder on a port, and how it is read."""

    name: str
    packages: tuple[str, ...]
    command: Callable[[Path, int], list[str]]
    variables: Callable[[Path, int], dict[str, str]]
    ready: str
    headers: dict[str, str]
    read: Callable[[str], list[Shown]]


def read_phoenix(url: str) -> list[Shown]:
    answer = httpx.get(f"{url}/v1/projects/default/spans", params={"limit": 10})
    if answer.status_code == 404:  # the project comes with its first span
        return []
    return [_phoenix(span) for span in answer.raise_for_status().json()["data"]]


def _phoenix(span: dict[str, Any]) -> Shown:
    told = span["attributes"]
    return Shown(
        told.get("llm.token_count.prompt"),
        told.get("llm.token_count.completion"),
        told.get("llm.token_count.prompt_details.cache_read"),
        span["status_code"] == "ERROR",
        json.dumps({name: value for name, value in told.items() if name.startswith("llm.")}),
    )


def read_mlflow(url: str) -> list[Shown]:
    where = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}
    asked = {"locations": [where], "max_results": 10}
    answer = httpx.post(f"{url}/api/3.0/mlflow/traces/search", json=asked).raise_for_status()
    return [_mlflow(trace) for trace in answer.json().get("traces", [])]


def _mlflow(trace: dict[str, Any]) -> Shown:
    usage = json.loads(trace.get("trace_metadata", {}).get("mlflow.trace.tokenUsage", "{}"))
    return Shown(
        usage.get("input_tokens"),
        usage.get("output_tokens"),
        usage.get("cache_read_input_tokens"),
        trace["state"] == "ERROR",
        trace.get("request_preview", "") + trace.get("response_preview", ""),
    )


SINKS = (
    Sink(
        "phoenix",
        ("arize-phoenix",),
        lambda folder, port: ["phoenix", "serve"],
        lambda folder, port: {
            "PHOENIX_WORKING_DIR": str(folder),
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(port),
            "PHOENIX_GRPC_PORT": str(free_port()),
            "PHOENIX_TELEMETRY_ENABLED": "false",
        },
        "/healthz",
        {},
        read_phoenix,
    ),
    Sink(
        "mlflow",
        ("mlflow>=3.6",),
        lambda folder, port: [
            *("mlflow", "server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"),
            *("--artifacts-destination", str(folder), "--host", "127.0.0.1", "--port", str(port)),
            *("--workers", "1"),
        ],
        lambda folder, port: {"MLFLOW_DISABLE_TELEMETRY": "true"},
        "/health",
        {"x-mlflow-experiment-id": "0"},
        read_mlflow,
    ),
)


def main(names: list[str]) -> int:
    """Try those named, or all; how many showed something wrong."""
    failed = 0
    for sink in SINKS:
        if names and sink.name not in names:
            continue
        folder = environment(sink)
        with tempfile.TemporaryDirectory() as scratch, serving(sink, folder, Path(scratch)) as url:
            send(url, sink, Path(scratch))
            wrong = problems(awaited(lambda: sink.read(url)))  # noqa: B023 - asked at once
        print(f"{sink.name}: {'; '.join(wrong) or 'ok'}", flush=True)
        failed += bool(wrong)
    return failed


def environment(sink: Sink) -> Path:
    """The folder of its programs; `$RECORDER_SINKS` may name another place for the environments."""
    folder = Path(os.environ.get("RECORDER_SINKS") or ROOT / ".venv" / "sinks") / sink.name
    programs = folder / "bin"
    if not (programs / "python").exists():
        venv.create(folder, with_pip=True, clear=True)
    pip = (str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    subprocess.run([*pip, *sink.packages], check=True)
    return programs


@contextmanager
def serving(sink: Sink, programs: Path, folder: Path) -> Iterator[str]:
    """Its URL, while it runs."""
    port = free_port()
    command = sink.command(folder, port)
    with (folder / "log.txt").open("w") as log:
        server = subprocess.Popen(
            [str(programs / command[0]), *command[1:]],
            env={
                **os.environ,
                "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
                **sink.variables(folder, port),
            },
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            if not wait(lambda: answers(f"{url}{sink.ready}")):
                sys.exit(f"{sink.name} does not start:\n{(folder / 'log.txt').read_text()}")
            yield url
        finally:
            os.killpg(server.pid, signal.SIGKILL)  # mlflow's workers outlive a gentler end
            server.wait()


def send(url: str, sink: Sink, folder: Path) -> None:
    """A whole answer with a tool call, a streamed one, and a refusal."""
    exporter = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter").OTLPSpanExporter
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter(f"{url}/v1/traces", headers=sink.headers)))
    with recording(Otel(), folder, tracer_provider=provider, content="SPAN_ONLY") as rec:
        message = {"role": "assistant", "content": "Hello", "tool_calls": [CALL]}
        ask(rec, completion(message, usage=USAGE), {"messages": MESSAGES})
        ask(rec, streamed("Hel", "lo", usage=USAGE), {"messages": MESSAGES, "stream": True})
        ask(rec, REFUSED, {"messages": MESSAGES})
    provider.shutdown()


def problems(shown: list[Shown]) -> list[str]:
    """What a user would miss."""
    if len(shown) != 3:
        return [f"{len(shown)} of 3 calls are shown"]
    wrong = []
    well = [each for each in shown if not each.failed]
    if len(well) != 2:
        wrong.append(f"{3 - len(well)} of 1 failure is shown")
    for each in well:
        if (each.input_tokens, each.output_tokens, each.cached_tokens) != (10, 8, 4):
            wrong.append(f"tokens are {each.input_tokens}, {each.output_tokens}, {each.cached_tokens} cached")
        if "Be brief." not in each.text or "Hello" not in each.text:
            wrong.append(f"messages are {each.text}")
    if not any("weather" in each.text for each in well):
        wrong.append("the tool call is not shown")
    return wrong


def awaited(read: Callable[[], list[Shown]]) -> list[Shown]:
    """What a sink shows as soon as it shows all three calls."""
    wait(lambda: len(read()) >= 3)
    return read()


def wait(done: Callable[[], bool]) -> bool:
    """Ask again and again, for two minutes."""
    until = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(0.5)
    return True


def answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.HTTPError:
        return False


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
