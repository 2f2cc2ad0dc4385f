"""A real OTLP/HTTP receiver on loopback: decodes what exporters send."""

from __future__ import annotations

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any, Self

_KINDS = {
    f"/v1/{path}": getattr(
        import_module(
            f"opentelemetry.proto.collector.{path if path != 'traces' else 'trace'}.v1.{module}_pb2"
        ),
        f"Export{name}ServiceRequest",
    )
    for path, module, name in (
        ("traces", "trace_service", "Trace"),
        ("metrics", "metrics_service", "Metrics"),
        ("logs", "logs_service", "Logs"),
    )
}


class Receiver:
    """Keeps every message by its path, decoded; `endpoint` is its base URL."""

    def __init__(self) -> None:
        self.received: dict[str, list[Any]] = {path: [] for path in _KINDS}
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                message = _KINDS[self.path]()
                message.ParseFromString(body)
                received[self.path].append(message)
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def spans(self) -> list[Any]:
        return [
            span
            for message in self.received["/v1/traces"]
            for resource in message.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def events(self) -> list[Any]:
        return [
            record
            for message in self.received["/v1/logs"]
            for resource in message.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    @property
    def metrics(self) -> dict[str, Any]:
        return {
            metric.name: metric
            for message in self.received["/v1/metrics"]
            for resource in message.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


def plain(attributes: Any) -> dict[str, Any]:
    """Attributes as Python has them."""
    return {each.key: value(each.value) for each in attributes}


def value(any_value: Any) -> Any:
    """A value as Python has it."""
    kind = any_value.WhichOneof("value")
    if kind == "array_value":
        return [value(each) for each in any_value.array_value.values]
    if kind == "kvlist_value":
        return plain(any_value.kvlist_value.values)
    return None if kind is None else getattr(any_value, kind)
