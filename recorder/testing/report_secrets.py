"""Takes secrets out of what pytest shows of a test: tracebacks with arguments and locals, reasons, logs, warnings."""

from __future__ import annotations

import linecache
import re
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from ..redact import Redactor
from ..settings import RedactionRules

_LOCAL = re.compile(r"(?P<name>\w+)\s*= (?=b?['\"])")
_WITHIN = re.compile(
    r"(?P<head>(?P<quote>['\"]?)\b(?P<name>\w[\w-]*)(?P=quote)(?:: |=)b?)"
    r"(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
)
"""An item of a dictionary, or a field of a value, as Python shows it."""
_HIDDEN = "'REDACTED'"


def hide_secrets(report: pytest.TestReport) -> None:
    """Rewrite a report in place, where something in it is secret by its shape or by its name."""
    redactor = _redactor()
    report.sections = [(name, redactor.error_text(text)) for name, text in report.sections]
    if isinstance(report.longrepr, str):
        report.longrepr = redactor.error_text(report.longrepr)
    elif isinstance(report.longrepr, tuple):  # why it was skipped, and where
        *place, reason = report.longrepr
        report.longrepr = (*place, redactor.error_text(reason))  # type: ignore[assignment]  # three, as before
    if isinstance(expected := getattr(report, "wasxfail", None), str):
        report.wasxfail = redactor.error_text(expected)
    for traceback, crash in _tracebacks(report.longrepr):
        if crash is not None:
            crash.message = redactor.error_text(crash.message)
        for entry in traceback.reprentries:
            _clean_entry(entry, redactor)


def hide_secrets_of_warning(warning: warnings.WarningMessage) -> None:
    """Rewrite a warning in place, and the line of source that is shown with it."""
    redactor = _redactor()
    text, line = str(warning.message), warning.line or linecache.getline(warning.filename, warning.lineno)
    if (clean := redactor.error_text(text)) != text:
        warning.message = clean
    if (clean := redactor.error_text(line)) != line:
        warning.line = clean


@cache
def _redactor() -> Redactor:
    return Redactor(RedactionRules())


def _tracebacks(shown: Any) -> Iterator[tuple[Any, Any]]:
    """Each traceback with its last line, of a chain of exceptions or of one alone."""
    if hasattr(shown, "chain"):
        for traceback, crash, _ in shown.chain:
            yield traceback, crash
    elif hasattr(shown, "reprtraceback"):
        yield shown.reprtraceback, shown.reprcrash


def _clean_entry(entry: Any, redactor: Redactor) -> None:
    entry.lines = [redactor.error_text(line) for line in entry.lines]
    if (arguments := getattr(entry, "reprfuncargs", None)) is not None:
        arguments.args = [
            (name, _clean_local(f"{name} = {value}", redactor).partition(" = ")[2])
            for name, value in arguments.args
        ]
    if (variables := getattr(entry, "reprlocals", None)) is not None:
        variables.lines = [_clean_local(line, redactor) for line in variables.lines]


def _clean_local(line: str, redactor: Redactor) -> str:
    found = _LOCAL.match(line)
    if found is not None and redactor.is_secret_name(found["name"]):
        return f"{found[0]}{_HIDDEN}"
    return _WITHIN.sub(
        lambda item: f"{item['head']}{_HIDDEN}" if redactor.is_secret_name(item["name"]) else item[0],
        redactor.error_text(line),
    )
