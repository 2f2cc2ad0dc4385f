"""What a failure is called on spans and metrics, beside what its row calls it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.ledger import Store
from recorder.telemetry.error_types import OTHER, PROVIDER_CODES, error_type
from recorder.telemetry.names import EXCEPTION_EVENT

from .drivers import Reply
from .otel import Otel, ask, recording


@pytest.mark.parametrize(
    ("said", "exception", "status", "shown"),
    [
        ("rate_limit_exceeded", None, 429, "rate_limit_exceeded"),
        ("RESOURCE_EXHAUSTED", None, 429, "RESOURCE_EXHAUSTED"),
        ("deployment-4711-is-busy", None, 429, "429"),
        ("10000", None, 403, "403"),
        ("502", None, 200, "502"),
        ("7", None, 200, OTHER),
        ("200", None, 200, OTHER),
        ("httpx2.ReadTimeout", "httpx2.ReadTimeout", None, "httpx2.ReadTimeout"),
        ("httpx2.ReadError", "httpx2.ReadError", 200, "httpx2.ReadError"),
        ("OSError", "builtins.OSError", None, "OSError"),
        (OTHER, None, None, OTHER),
    ],
)
def test_failure_is_called_by_what_is_listed(
    said: str, exception: str | None, status: int | None, shown: str
) -> None:
    assert error_type(said, exception, status) == shown


@given(st.text(), st.none() | st.integers(100, 999))
def test_providers_cannot_make_new_values(said: str, status: int | None) -> None:
    closed = PROVIDER_CODES | {str(code) for code in range(400, 600)} | {OTHER}
    assert error_type(said, None, status) in closed


def test_row_keeps_the_code_that_span_and_metric_do_not_tell(otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path) as rec:
        ask(rec, Reply(status=429, chunks=[b'{"error":{"code":"tenant_4711_over"}}']))
        (row,) = Store(rec.store).calls()
    (point,) = otel.metrics()["gen_ai.client.operation.duration"]
    assert row["error_type"] == "tenant_4711_over"
    assert otel.attributes["error.type"] == point.attributes["error.type"] == "429"


def test_google_says_its_own_code_beside_the_status(otel: Otel, tmp_path: Path) -> None:
    body = b'[{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED"}}]'
    with recording(otel, tmp_path) as rec:
        ask(rec, Reply(status=429, chunks=[body]))
        (row,) = Store(rec.store).calls()
    assert row["error_type"] == otel.attributes["error.type"] == "RESOURCE_EXHAUSTED"
    assert row["http_status"] == 429


def test_python_s_own_exceptions_go_by_their_name_everywhere(otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path) as rec:
        ask(rec, Reply(error=ConnectionResetError("gone")))
        (row,) = Store(rec.store).calls()
    (event,) = otel.events(EXCEPTION_EVENT)
    (point,) = otel.metrics()["gen_ai.client.operation.duration"]
    told = (row["error_type"], otel.attributes["error.type"], point.attributes["error.type"])
    assert told == ("ConnectionResetError",) * 3
    assert event.attributes["exception.type"] == "ConnectionResetError"
    assert "ConnectionResetError: gone" in event.attributes["exception.stacktrace"]
