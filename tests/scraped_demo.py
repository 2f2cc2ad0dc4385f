"""The demo's calls as a Prometheus sees them: what the program counts, and what its store tells.

Two things do not happen in a demo, and are made: a call of three quarters of a minute, and calls that could not be
stored. What the store tells is an hour old, as if whatever writes it had stopped.
"""

from __future__ import annotations

import re
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider

from recorder.audit import report
from recorder.audit.budget import period_of
from recorder.call import AnswerHalf
from recorder.demo.scenario import run
from recorder.demo.target import Target
from recorder.demo.upstream import Upstream
from recorder.exchange import Ending, Exchange, Request
from recorder.ledger import Budgets, Store
from recorder.ledger.budgets import Budget
from recorder.ledger.price_list import PriceList
from recorder.ledger.sink import Sink
from recorder.panels.store_metrics import store_metrics
from recorder.recorder import Recorder
from recorder.telemetry.attributes import Attributes
from recorder.telemetry.metrics import Metrics
from recorder.telemetry.names import NAMES, Semconv

from .prometheus import Prometheus, running, shipped

_DURATION = "gen_ai_client_(operation|inference)_duration_seconds_count"
SLOW_S = 45
FOREIGN = "gpt-of-others"
UNPRICED = 5
_KEY = "sk-demo0123456789abcdefghijklmn"


@dataclass
class Program:
    """A program that makes the demo's calls whenever it is told to, and what is told of its store."""

    url: str
    semconv: Semconv
    meters: MeterProvider
    upstream: Upstream
    told: str = ""

    def make_calls(self) -> None:
        target = Target(
            *(self.upstream.base_url, _KEY, "deepseek-chat", "deepseek-reasoner"),
            gateway_url=self.upstream.gateway_url,
        )
        options: dict[str, Any] = {"meter_provider": self.meters, "semconv": self.semconv}
        with Recorder(self.url, providers=target.providers, strict=True, **options) as recorder:
            assert [step.failure for step in run(recorder, target) if step.failure] == []
        make_slow_call(self.meters, self.semconv)
        count_as_openllmetry(self.meters)

    def tell(self) -> None:
        """What `recorder dashboards metrics` prints amid a month, as if it had been written an hour ago."""
        begins_us, ends_us = period_of("month", time.time_ns() // 1000)
        text = store_metrics(Store(self.url), Budgets(self.url).all(), (begins_us + ends_us) // 2)
        self.told = re.sub(r"(timestamp_seconds) \d+", rf"\1 {time.time() - 3600:.0f}", text)


def make_slow_call(meters: MeterProvider, semconv: Semconv) -> None:
    """Count a call that nobody waited for."""
    attributes: Attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "deepseek",
        "gen_ai.request.model": "slow",
    }
    request = Request("POST", "https://api.deepseek.com/chat/completions", (), b"")
    exchange = Exchange(request, 0, Ending("complete", SLOW_S * 10**9))
    Metrics(NAMES[semconv], "0", meters).record(exchange, AnswerHalf(), attributes, None)


def count_as_openllmetry(meters: MeterProvider) -> None:
    """What opentelemetry-instrumentation-openai 0.62 counts of a call: its unit, and the model that answered alone."""
    meter = meters.get_meter("opentelemetry.instrumentation.openai.v1")
    call: Attributes = {
        "gen_ai.provider.name": "openai",
        "gen_ai.response.model": FOREIGN,
        "gen_ai.operation.name": "chat",
        "server.address": "https://api.openai.com/v1/",
        "stream": False,
    }
    meter.create_histogram("gen_ai.client.operation.duration", "s").record(1.5, call)
    usage = meter.create_histogram("gen_ai.client.token.usage", "token")
    usage.record(12, {**call, "gen_ai.token.type": "input"})
    usage.record(34, {**call, "gen_ai.token.type": "output"})


def set_budgets(url: str) -> None:
    """One that is overspent, and one that will be by the end of the month."""
    spent = dict(report(Store(url), ()).total.cost_pico)["USD"]
    for name, limit in (("tight", spent // 2), ("wide", spent * 3 // 2)):
        Budgets(url).set(Budget(name, limit, "USD", "month", {}, {}))


@contextmanager
def telling(program: Program) -> Iterator[int]:
    """A port of loopback that answers with what is told of a store, as node_exporter does with a file."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(program.told.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def counting() -> Iterator[tuple[MeterProvider, int]]:
    """A meter provider, and the port of loopback that OpenTelemetry's Prometheus exporter shows it on."""
    from opentelemetry.exporter.prometheus import PrometheusMetricReader
    from prometheus_client import start_http_server

    meters = MeterProvider([PrometheusMetricReader()], shutdown_on_exit=False)
    server, thread = start_http_server(0, "127.0.0.1")
    try:
        yield meters, server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        meters.shutdown()


def shown_calls(port: int) -> float:
    """How many calls the exporter shows by now: a scrape amid them would not do."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
        lines = page.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if re.match(_DURATION, line))


@contextmanager
def scraped_demo(scratch: Path, semconv: Semconv) -> Iterator[tuple[Prometheus, Callable[[], None]]]:
    """A Prometheus that saw the demo twice, as a rate needs a before and an after; and what ends the program."""
    url = f"sqlite:///{scratch}/calls.db"
    PriceList(url).set("demo", {"model": "deepseek-chat", "host": "127.0.0.1", "input": "9", "output": "9"})
    with ExitStack() as held, ExitStack() as running_program:
        meters, counted = running_program.enter_context(counting())
        program = Program(url, semconv, meters, held.enter_context(Upstream()))
        told = held.enter_context(telling(program))
        prometheus = held.enter_context(running(shipped(counted, told), scratch))
        for times in (1, 2):
            program.make_calls()
            if times == 2:
                Sink(url).store([], 3, "no space")
                set_budgets(url)
            program.tell()
            prometheus.wait_for(f'sum({{__name__=~"{_DURATION}"}}) >= {shown_calls(counted)}')
            prometheus.wait_for(f"recorder_unpriced_calls >= {times * UNPRICED}")
        yield prometheus, running_program.close
