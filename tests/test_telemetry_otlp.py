"""What the real exporter sends over HTTP, decoded by a receiver; set up by hand, and by `recorder run --otel`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from recorder.demo.upstream import Upstream

from .otel import Otel, ask, recording, streamed

OTLP = "opentelemetry.exporter.otlp.proto.http"
pytest.importorskip(OTLP, reason="the OTLP exporter is not installed")

from .otlp_receiver import Receiver, plain  # noqa: E402 - it needs what the exporter needs

USAGE = {"prompt_tokens": 10, "completion_tokens": 8}
ASKED = {"stream": True, "messages": [{"role": "user", "content": "Hé 🙂"}], "temperature": 0.5}


def exporting(receiver: Receiver) -> dict[str, Any]:
    traces = import_module(f"{OTLP}.trace_exporter").OTLPSpanExporter(f"{receiver.endpoint}/v1/traces")
    metrics = import_module(f"{OTLP}.metric_exporter").OTLPMetricExporter(f"{receiver.endpoint}/v1/metrics")
    logs = import_module(f"{OTLP}._log_exporter").OTLPLogExporter(f"{receiver.endpoint}/v1/logs")
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(traces))
    loggers = LoggerProvider(shutdown_on_exit=False)
    loggers.add_log_record_processor(SimpleLogRecordProcessor(logs))
    reader = PeriodicExportingMetricReader(metrics)
    return {
        "tracer_provider": tracers,
        "logger_provider": loggers,
        "meter_provider": MeterProvider([reader], shutdown_on_exit=False),
    }


def test_receiver_gets_span_metrics_and_event(otel: Otel, tmp_path: Path) -> None:
    with Receiver() as receiver:
        options = exporting(receiver)
        with recording(otel, tmp_path, content=True, **options) as rec:
            ask(rec, streamed("Hel", "lo", usage=USAGE), ASKED)
        options["meter_provider"].shutdown()
    (span,), (event,) = receiver.spans, receiver.events
    told = plain(span.attributes)
    assert (span.name, span.kind, told["server.port"]) == ("chat gpt-5", 3, 443)
    assert told["gen_ai.response.finish_reasons"] == ["stop"]
    assert json.loads(told["gen_ai.input.messages"])[0]["parts"][0]["content"] == "Hé 🙂"
    assert (event.event_name, event.span_id) == ("gen_ai.client.inference.operation.details", span.span_id)
    (message,) = plain(event.attributes)["gen_ai.output.messages"]
    assert message["parts"] == [{"type": "text", "content": "Hello"}]
    usage = receiver.metrics["gen_ai.client.token.usage"].histogram.data_points
    assert sorted(point.sum for point in usage) == [8, 10]


def test_run_exports_a_program_s_calls_by_the_standard_variables(tmp_path: Path) -> None:
    program = tmp_path / "app.py"
    with Upstream() as upstream, Receiver() as receiver:
        url = f"{upstream.base_url}/chat/completions"
        program.write_text(f"import httpx2\nhttpx2.post({url!r}, json={{'model': 'm', 'messages': []}})\n")
        environment = {
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_SERVICE_NAME": "shop",
            "OTEL_LOGS_EXPORTER": "none",
        }
        command = [
            "run",
            "--otel",
            "--store",
            f"sqlite:///{tmp_path}/calls.db",
            "--",
            sys.executable,
            str(program),
        ]
        done = subprocess.run(
            [sys.executable, "-m", "recorder", *command],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("recorded 1 call")
    (span,) = receiver.spans
    assert (
        plain(receiver.received["/v1/traces"][0].resource_spans[0].resource.attributes)["service.name"]
        == "shop"
    )
    assert plain(span.attributes)["gen_ai.operation.name"] == "chat"
    assert "gen_ai.client.operation.duration" in receiver.metrics
