"""The dashboards on Prometheus: every query has an answer where recorder's own metrics are scraped."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from opentelemetry.sdk.metrics import MeterProvider

from recorder.panels import folder, made_files

from .drivers import Reply
from .grafana import queries
from .otel import Otel, ask, completion, recording, streamed
from .prometheus import NO_PROMETHEUS, PROMETHEUS, PROMTOOL, Prometheus, scraping

USAGE = {"prompt_tokens": 10, "completion_tokens": 8}
DURATION = '__name__=~"gen_ai_client_(operation|inference)_duration_seconds_count"'


def expand(text: str) -> str:
    """A query as Prometheus gets it, with everything chosen."""
    for name, value in {
        "$__rate_interval": "2s",
        "$__range": "10m",
        "$provider": ".*",
        "$model": ".*",
    }.items():
        text = text.replace(name, value)
    if text.startswith("label_values("):
        text = "count by ({1}) ({0})".format(*text[len("label_values(") : -1].rsplit(", ", 1))
    assert "$" not in text
    return text


def record(metrics: MeterProvider, tmp_path: Path, semconv: Literal["1.41", "latest"], calls: int) -> None:
    otel = Otel(meters=[])
    otel.meters.insert(0, metrics)
    limited = Reply(status=429, chunks=[b'{"error":{"code":"rate_limited"}}'])
    with recording(otel, tmp_path, semconv=semconv) as rec:
        for _ in range(calls):
            ask(rec, [completion(), limited])
            ask(rec, streamed("a", "b", "c", usage=USAGE), {"stream": True})


@pytest.fixture(params=["1.41", "latest"])
def scraped(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Prometheus]:
    """A Prometheus that saw calls come, under the names of one version of the conventions."""
    exporter = pytest.importorskip(
        "opentelemetry.exporter.prometheus", reason="opentelemetry-exporter-prometheus is not installed"
    )
    client = pytest.importorskip("prometheus_client")
    reader = exporter.PrometheusMetricReader()
    metrics = MeterProvider([reader], shutdown_on_exit=False)
    server, thread = client.start_http_server(0, "127.0.0.1")
    try:
        with scraping(server.server_port, tmp_path) as prometheus:
            record(metrics, tmp_path, request.param, 2)
            prometheus.wait_for(f"sum({{{DURATION}}}) >= 6")
            record(metrics, tmp_path, request.param, 2)
            prometheus.wait_for(f"sum({{{DURATION}}}) >= 12")
            yield prometheus
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        metrics.shutdown()


def numbers(answer: list[dict[str, Any]]) -> list[float]:
    return [float(series["value"][1]) for series in answer]


@pytest.mark.skipif(PROMETHEUS is None, reason=NO_PROMETHEUS)
def test_every_query_has_an_answer(scraped: Prometheus) -> None:
    for title, text in queries(json.loads(made_files()["grafana/prometheus/genai.json"])):
        found = numbers(scraped.ask(expand(text)))
        assert found, title
        assert all(number >= 0 for number in found), (title, found)


@pytest.mark.skipif(PROMTOOL is None, reason=NO_PROMETHEUS)
def test_alerts_fire_when_they_should(tmp_path: Path) -> None:
    asked = [str(PROMTOOL), "test", "rules", str(folder() / "alerts" / "tests" / "alerts.yaml")]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_query_asks_for_the_name_of_an_sdk() -> None:
    for name, text in made_files().items():
        if name.startswith("grafana/prometheus/"):
            for title, query in queries(json.loads(text)):
                assert not {"otel_scope_name", "job=", "telemetry_sdk"} & set(query.split('"')), title
                assert "otel_scope" not in query, title
