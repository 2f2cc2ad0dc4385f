"""What a span says besides the request and its answer: tags, attempts, cost, the trace that goes upstream."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

import recorder
from recorder.call import AnswerHalf
from recorder.ended import Ended
from recorder.exchange import Ending, Exchange, Request
from recorder.ledger import Store
from recorder.ledger.current_prices import CurrentPrices
from recorder.ledger.price_list import PriceList
from recorder.pricing import Cost
from recorder.telemetry import TelemetrySettings, telemetry_settings
from recorder.telemetry.costs import cost_attributes
from recorder.telemetry.names import EXCEPTION_EVENT

from .drivers import Driver, Reply
from .ledger_calls import a_call
from .otel import Otel, ask, completion, recording

DEEPSEEK = "https://api.deepseek.com/chat/completions"


def test_attempts_of_one_call_share_its_operation(otel: Otel, tmp_path: Path) -> None:
    driver = Driver("httpx2", asynchronous=False)
    with recording(otel, tmp_path) as rec:
        client = rec.wrap(driver.client(driver.wire(Reply(status=500), completion())))
        for retries in ("0", "1"):
            headers = {"x-stainless-retry-count": retries}
            client.post(DEEPSEEK, json={"model": "m"}, headers=headers)
        assert rec.flush()
        rows = Store(rec.store).calls()
    operations = {(span.attributes or {})["recorder.operation_id"] for span in otel.spans}
    assert operations == {row["operation_id"] for row in rows}
    assert len(operations) == 1
    resent = [(span.attributes or {}).get("http.request.resend_count") for span in otel.spans]
    assert resent == [None, 1]


def test_tags_and_the_request_name_user_and_conversation(otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path) as rec:
        ask(rec, completion(), {"user": "u-1"})
        with recorder.tags(session_id="s-1", user_id="u-2", conversation_id="c-9"):
            ask(rec, completion(), {"user": "u-1"})
    first, second = ((span.attributes or {}) for span in otel.spans)
    assert first["user.id"] == "u-1"
    told = {name: second[name] for name in ("session.id", "user.id", "gen_ai.conversation.id")}
    assert told == {"session.id": "s-1", "user.id": "u-2", "gen_ai.conversation.id": "c-9"}


def test_number_that_no_exporter_can_carry_is_a_text(otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path) as rec, recorder.tags(small=7, large=2**63):
        ask(rec, completion())
    assert otel.attributes["recorder.tag.small"] == 7
    assert otel.attributes["recorder.tag.large"] == str(2**63)


@pytest.mark.parametrize(("semconv", "kind"), [("1.41", float), ("latest", int)])
def test_top_k_has_the_type_of_its_version(otel: Otel, tmp_path: Path, semconv: Any, kind: type) -> None:
    with recording(otel, tmp_path, semconv=semconv) as rec:
        ask(rec, completion(), {"top_k": 40})
    assert type(otel.attributes["gen_ai.request.top_k"]) is kind


def test_scope_names_recorder_and_the_schema(otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path) as rec:
        ask(rec, completion())
    scope = otel.span.instrumentation_scope
    assert scope is not None
    assert (scope.name, scope.version) == ("recorder", recorder.__version__)
    assert scope.schema_url == "https://opentelemetry.io/schemas/1.41.1"


def test_what_the_transport_raised_is_an_event_with_its_stack(otel: Otel, tmp_path: Path) -> None:
    driver = Driver("httpx2", asynchronous=False)
    error = driver.library.ReadTimeout("no answer from https://u:secret-word@a.example")
    with recording(otel, tmp_path) as rec:
        ask(rec, Reply(error=error))
    (event,) = otel.events(EXCEPTION_EVENT)
    assert (event.severity, event.span_id) == (13, otel.span.context.span_id)
    assert event.attributes["exception.type"] == "httpx2.ReadTimeout"
    assert "no answer from" in event.attributes["exception.message"]
    assert "handle_request" in event.attributes["exception.stacktrace"]
    assert "secret-word" not in str(event.attributes)
    assert otel.span.events == ()


def test_without_the_logs_api_there_are_no_events(
    otel: Otel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recorder.telemetry.events.logs_api", lambda: None)
    with recording(otel, tmp_path, content=True) as rec:
        ask(rec, Reply(error=OSError("gone")))
    assert otel.events() == []
    assert otel.attributes["error.type"] == "OSError"


def test_cost_is_on_the_span_under_the_chosen_name(otel: Otel, tmp_path: Path) -> None:
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 0}
    PriceList(f"sqlite:///{tmp_path}/calls.db").set(
        "mine", {"model": "own-*", "provider": "openai", "currency": "USD", "input": "2", "output": "3"}
    )
    with recording(otel, tmp_path, cost_attribute="gen_ai.usage.cost") as rec:
        assert rec.flush(60)  # after which the store's book has been read
        ask(rec, completion(usage=usage, model="own-1"))
        (row,) = Store(rec.store).calls()
    assert (otel.attributes["gen_ai.usage.cost"], row["cost_usd"]) == (2.0, 2.0)


@pytest.mark.parametrize(
    ("cost", "name", "told"),
    [
        (Cost(1_500_000_000_000, "USD", "book:x"), "operation.cost", {"operation.cost": 1.5}),
        (Cost(1_500_000_000_000, "CNY", "book:x"), "operation.cost", {}),
        (Cost(), "operation.cost", {}),
        (
            Cost(10**12, "CNY", "provider"),
            "gen_ai.usage.cost.amount",
            {
                "gen_ai.usage.cost.amount": 1.0,
                "gen_ai.usage.cost.currency": "CNY",
                "gen_ai.usage.cost.source": "provider",
            },
        ),
    ],
)
def test_cost_is_never_told_in_another_currency(cost: Cost, name: str, told: dict[str, Any]) -> None:
    assert cost_attributes(cost, name) == told


def test_prices_are_read_in_another_thread_and_not_for_every_call(tmp_path: Path) -> None:
    asked: list[Any] = []
    now = [0.0]
    prices = CurrentPrices(f"sqlite:///{tmp_path}/none.db", asked.append, refresh_s=60, clock=lambda: now[0])
    assert len(asked) == 1
    asked[0]()
    assert list(tmp_path.iterdir()) == []
    for at in (1.0, 2.0, 61.5, 62.0):
        now[0] = at
        prices.cost(a_call(), Exchange(Request("POST", DEEPSEEK), 0, Ending("complete")))
    assert len(asked) == 3  # at once, again since there was no store, and after a minute


@pytest.mark.parametrize("include_usage", [False, True])
def test_trace_goes_upstream_only_on_request(
    driver: Driver, otel: Otel, tmp_path: Path, include_usage: bool
) -> None:
    body = b'{"model":"m","stream":true}'
    for propagate in (False, True):
        with recording(otel, tmp_path, propagate=propagate, include_usage=include_usage) as rec:
            wire = driver.wire(completion())
            client = rec.wrap(driver.client(wire))
            sent = {"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"} if propagate else {}
            driver.run(lambda: driver.observe(client, body, headers=sent))  # noqa: B023 - run at once
            span = otel.spans[-1].context
            told = wire.requests[0].headers.get_list("traceparent")
            expected = f"00-{span.trace_id:032x}-{span.span_id:016x}"
            assert [value.rpartition("-")[0] for value in told] == ([expected] if propagate else [])
            assert rec.flush()
    assert len(wire.bodies[0]) >= len(body)


def test_silence_costs_no_row(otel: Otel, tmp_path: Path) -> None:
    context = trace.SpanContext(0xABC, 0xDEF, is_remote=True)
    with recording(otel, tmp_path, otel="off") as rec, trace.use_span(trace.NonRecordingSpan(context)):
        ask(rec, completion())
        (row,) = Store(rec.store).calls()
    assert (otel.spans, otel.metrics(), row["trace_id"]) == ([], {}, f"{0xABC:032x}")


@pytest.mark.parametrize(
    ("options", "environment", "message"),
    [
        ({"otel": "loud"}, {}, "auto, always, off"),
        ({}, {"RECORDER_SEMCONV": "1.30"}, "1.41, latest"),
        ({"content_limit": 0}, {}, "at least 1"),
        ({"content_limit": "5"}, {}, "at least 1"),
        ({"cost_attribute": ""}, {}, "gen_ai.usage.cost"),
        ({"cost_attribute": True}, {}, "gen_ai.usage.cost"),
        ({"tracer": 1}, {}, "no option"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options: Any, environment: Any, message: str) -> None:
    with pytest.raises(recorder.SettingsError, match=message):
        telemetry_settings(options, environment)


def test_environment_stands_below_the_options() -> None:
    environment = {"RECORDER_OTEL": "OFF", "RECORDER_SEMCONV": "latest"}
    assert telemetry_settings({}, environment) == TelemetrySettings(otel="off", semconv="latest")
    assert telemetry_settings({"otel": "always", "semconv": "1.41"}, environment).otel == "always"


def test_stability_opt_in_changes_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """It once chose between conventions that are both older than what is spoken here."""
    environment = {"OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental,http/dup"}
    assert telemetry_settings({}, environment).names == TelemetrySettings().names


def test_answer_that_nobody_looks_at_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Ended] = []

    def glance(ended: Ended) -> tuple[AnswerHalf, None]:
        read.append(ended)
        return AnswerHalf(), None

    monkeypatch.setattr(Ended, "glance", glance)
    for sampler, count in ((ALWAYS_OFF, 0), (ALWAYS_ON, 1)):
        tracers = TracerProvider(sampler, shutdown_on_exit=False)
        quiet = {"tracer_provider": tracers, "meter_provider": None, "logger_provider": None}
        with recording(Otel(), tmp_path, **quiet) as rec:
            ask(rec, completion())
        assert len(read) == count
