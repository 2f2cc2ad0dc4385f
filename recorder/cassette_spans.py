"""The spans of a cassette's calls, held against its recordings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .cassettes import Session
from .recording import Recording
from .telemetry.span_check import Spans, expected, model_spans, span_problems


def check_spans(session: Session, recording: Recording, exporter: Spans | Iterable[Any]) -> None:
    """Raise AssertionError where the calls of this use do not have one span each that says what was recorded."""
    calls = []
    for each in session.answered():
        request = each.exchange.request
        if (route := recording.route(request.method, request.url, session)) is not None:
            calls.append(expected(each, route.dialect, route.provider, recording.names))
    report = session.report
    if problems := span_problems(calls, report.hits + report.recorded, model_spans(exporter)):
        raise AssertionError(f"cassette {session.name!r}: " + "\n".join(problems))
