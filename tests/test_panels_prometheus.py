"""The dashboards and alerts on Prometheus: every query gives rows where the demo is scraped, and every alert fires."""

from __future__ import annotations

import json
import math
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from recorder.panels import DASHBOARDS, folder, made_files

from .grafana import expand_promql, legend, queries
from .prometheus import NO_PROMETHEUS, PROMETHEUS, PROMTOOL, Prometheus
from .scraped_demo import FOREIGN, scraped_demo

PAGES = [dashboard.name for dashboard in DASHBOARDS if "prometheus" in dashboard.targets]
needs_prometheus = pytest.mark.skipif(PROMETHEUS is None or PROMTOOL is None, reason=NO_PROMETHEUS)

Scraped = tuple[Prometheus, Callable[[], None]]


@pytest.fixture(scope="module", params=["1.41", "latest"])
def scraped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    """A Prometheus that scrapes the demo, under the names of one version of the conventions."""
    pytest.importorskip(
        "opentelemetry.exporter.prometheus", reason="opentelemetry-exporter-prometheus is not installed"
    )
    with scraped_demo(tmp_path_factory.mktemp("prometheus"), request.param) as found:
        yield found


def page(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(made_files()[f"grafana/prometheus/{name}.json"])
    return found


@needs_prometheus
@pytest.mark.parametrize("name", PAGES)
def test_every_query_gives_rows(scraped: Scraped, name: str) -> None:
    prometheus, _ = scraped
    for title, text in queries(page(name)):
        series = prometheus.ask(expand_promql(text))
        assert series, title
        assert all(float(each["value"][1]) >= 0 for each in series), (title, series)


@needs_prometheus
@pytest.mark.parametrize("name", PAGES)
def test_every_line_has_points_and_a_name_of_its_own(scraped: Scraped, name: str) -> None:
    prometheus, _ = scraped
    for panel in (each for each in page(name)["panels"] if each["type"] == "timeseries"):
        named = []
        for target in panel["targets"]:
            series = prometheus.ask_between(expand_promql(target["expr"]), time.time() - 60, time.time())
            points = [float(value) for each in series for _, value in each["values"]]
            assert any(math.isfinite(point) for point in points), panel["title"]
            named += [legend(target["legendFormat"], each["metric"]) for each in series]
        assert len(set(named)) == len(named), (panel["title"], named)
        assert all(named), (panel["title"], named)


@needs_prometheus
@pytest.mark.parametrize(
    "title", ["Calls by model A", "Duration by model, p95 A", "Output tokens by model A"]
)
def test_models_are_told_apart_whichever_sdk_names_them(scraped: Scraped, title: str) -> None:
    prometheus, _ = scraped
    found = prometheus.ask(expand_promql(dict(queries(page("genai")))[title]))
    models = {each["metric"]["model"]: float(each["value"][1]) for each in found}
    assert {"deepseek-chat", FOREIGN} <= models.keys()
    assert models[FOREIGN] > 0


@needs_prometheus
@pytest.mark.parametrize("name", PAGES)
def test_every_metric_that_a_query_names_has_a_part_in_its_answer(scraped: Scraped, name: str) -> None:
    prometheus, _ = scraped
    for title, text in queries(page(name)):
        for metric in set(re.findall(r"recorder_[a-z_]+", text)):
            without = re.sub(rf"\b{metric}\b", "nowhere", expand_promql(text))
            assert values(prometheus.ask(without)) != values(prometheus.ask(expand_promql(text))), (
                title,
                metric,
            )


def values(series: list[dict[str, Any]]) -> list[str]:
    return sorted(each["value"][1] for each in series)


@needs_prometheus
def test_rules_record_what_alerts_ask_for(scraped: Scraped) -> None:
    prometheus, _ = scraped
    assert prometheus.ask("genai:calls:rate5m")
    assert prometheus.ask("genai:errors:rate5m")


@needs_prometheus
def test_every_alert_fires_or_is_about_to(scraped: Scraped) -> None:
    prometheus, stop = scraped
    rules = prometheus.rules()
    assert {rule["health"] for rule in rules} == {"ok"}, rules
    alerts = {rule["name"]: rule for rule in rules if rule["type"] == "alerting"}
    assert len(alerts) == 8
    for name in alerts.keys() - {"GenAINoCalls"}:
        prometheus.wait_for(f'ALERTS{{alertname="{name}"}}')
    stop()
    prometheus.wait_for('ALERTS{alertname="GenAINoCalls"}')


@needs_prometheus
def test_alerts_fire_when_they_should() -> None:
    asked = [str(PROMTOOL), "test", "rules", str(folder() / "alerts" / "tests" / "alerts.yaml")]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_query_asks_for_the_name_of_an_sdk() -> None:
    for name, text in made_files().items():
        if name.startswith("grafana/prometheus/"):
            for title, query in queries(json.loads(text)):
                assert not {"otel_scope_name", "job=", "telemetry_sdk"} & set(query.split('"')), title
                assert "otel_scope" not in query, title
