"""The plugin's options: command line, environment and ini, read once."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from . import vcr_options
from .precedence import LEVELS, MODES, Chosen, effective, refusal, under_ci, unusable
from .vcr_options import VcrOptions

DEFAULTS = {"mode": "none", "max_age": None, "on_expired": "warn", "on_unused": "ignore", "orphans": "ignore"}
ALLOWED = {"mode": MODES, "on_expired": LEVELS, "on_unused": LEVELS, "orphans": LEVELS}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for outside the tests; `update` is None, `yes` or `dry-run`, `vcr` pytest-recording's options."""

    command_line: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    ini: Mapping[str, Any] = field(default_factory=dict)
    report: bool = False
    update: str | None = None
    allowed_hosts: tuple[str, ...] | None = None
    vcr: VcrOptions = field(default_factory=VcrOptions)

    def chosen(self, name: str, *, marker: Any = None, fixture: Any = None) -> Chosen:
        """What holds for one setting, given what marker and fixture say."""
        return effective(
            command_line=self.command_line.get(name) or (self._vcr_mode if name == "mode" else None),
            environment=self.environment.get("RECORDER_MODE") or None if name == "mode" else None,
            marker=marker,
            fixture=fixture,
            ini=self.ini.get(name),
            default=DEFAULTS[name],
        )

    def mode(self, *, marker: Any = None, fixture: Any = None) -> Chosen:
        """The mode of a test; `--recorder-update` works in `new_episodes`."""
        if self.update is not None:
            return Chosen("new_episodes", "--recorder-update")
        return self.chosen("mode", marker=marker, fixture=fixture)

    @property
    def _vcr_mode(self) -> str | None:
        """The mode that `--record-mode` says; under CI, where nothing records, it is no reason to refuse the run."""
        return None if under_ci(self.environment) and self.vcr.mode != "none" else self.vcr.mode

    def wrong(self, mode: Chosen) -> str | None:
        """Why this mode cannot be used, or None."""
        if self.update == "dry-run":
            return None
        return unusable("mode", mode, MODES) or refusal(mode, self.environment)


def add(parser: pytest.Parser) -> None:
    """Add the options and ini values, all of them named recorder-something."""
    group = parser.getgroup("recorder", "cassettes for tests (recorder)")
    for name, details in _OPTIONS.items():
        dest = f"recorder_{name.replace('-', '_')}"
        group.addoption(f"--recorder-{name}", dest=dest, default=None, **details)
        for value in _VALUES.get(name, ()):  # with `nargs="?"`, an option would eat the path that follows it
            hidden = {"action": "store_const", "const": value, "help": argparse.SUPPRESS}
            group.addoption(f"--recorder-{name}={value}", dest=dest, default=None, **hidden)
    for name in DEFAULTS:
        parser.addini(f"recorder_{name}", _INI[name], default=None)


def read(config: pytest.Config) -> Options:
    """The options of this run, checked; raises pytest.UsageError."""
    line = {name: config.getoption(f"recorder_{name}") for name in DEFAULTS}
    ini = {name: config.getini(f"recorder_{name}") or None for name in DEFAULTS}
    hosts = config.getoption("recorder_block_network")
    options = Options(
        command_line={**line, "max_age": age(line["max_age"])},
        environment=dict(os.environ),
        ini={**ini, "max_age": age(ini["max_age"])},
        report=bool(config.getoption("recorder_report")),
        update=config.getoption("recorder_update"),
        allowed_hosts=None if hosts is None else tuple(host for host in hosts.split(",") if host),
        vcr=vcr_options.read(config),
    )
    if options.update and line["mode"] is not None:
        raise pytest.UsageError(
            "recorder: --recorder-update chooses the mode itself; leave --recorder-mode out"
        )
    wrong = [options.wrong(options.mode())]
    wrong += [
        unusable(name, options.chosen(name), allowed) for name, allowed in ALLOWED.items() if name != "mode"
    ]
    for text in filter(None, wrong):
        raise pytest.UsageError(text)
    return options


def header(options: Options) -> str:
    """The line of the report header: which mode holds, and who set it."""
    mode = options.mode()
    if options.vcr.disable_recording:
        return "recorder: no cassettes, set by --disable-recording"
    line = "--recorder-mode" if options.command_line.get("mode") else "--record-mode"
    names = {"command line": line, "environment": "RECORDER_MODE", "ini": "ini recorder_mode"}
    told = f"recorder: mode {mode.value}, set by {names.get(mode.by, mode.by)}"
    if mode.by == "default":
        told = f"recorder: mode {mode.value} (default)"
    if mode.by in ("ini", "default"):
        told += "; markers and recorder_config come first"
    if options.vcr.mode not in (None, "none") and under_ci(options.environment):
        told += f"; --record-mode={options.vcr.mode} does not count under CI"
    if options.update == "dry-run":
        told += "; dry run, nothing is recorded"
    return told


def age(text: Any) -> float | None:
    """Seconds of `30d`, `12h`, `90` (seconds) and the like; raises pytest.UsageError for anything else."""
    if text is None:
        return None
    if not (found := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhdw]?)", str(text).strip())):
        raise pytest.UsageError(f"recorder: max age {text!r} is none; write 30d, 12h, 45m, 2w or seconds")
    return float(found[1]) * _UNITS[found[2] or "s"]


def _hosts(text: str) -> str:
    if os.sep in text or os.path.exists(text):  # what `?` makes of `--recorder-block-network tests`
        raise argparse.ArgumentTypeError(
            f"{text!r} is a path; write --recorder-block-network=host,host, or the path first"
        )
    return text


_OPTIONS: dict[str, dict[str, Any]] = {
    "mode": {"choices": MODES, "help": "how cassettes are used; none (the default) only replays"},
    "report": {"action": "store_true", "help": "say per test what was hit, missed, recorded and unused"},
    "update": {
        "action": "store_const",
        "const": "yes",
        "help": "re-record only what changed and drop what is unused; --recorder-update=dry-run only tells",
    },
    "orphans": {
        "action": "store_const",
        "const": "fail",
        "help": "fail the run for cassette files that belong to no test; =warn only tells, =ignore does not",
    },
    "max-age": {"metavar": "AGE", "help": "recordings older than this (30d, 12h) have expired"},
    "on-expired": {"choices": LEVELS, "help": "what to do about expired recordings (warn)"},
    "on-unused": {
        "choices": LEVELS,
        "help": "what to do about recordings that a test did not ask for (ignore)",
    },
    "block-network": {
        "nargs": "?",
        "const": "",
        "type": _hosts,
        "metavar": "HOSTS",
        "help": "fail tests that open network connections, but for these hosts",
    },
}
_VALUES = {"update": ("dry-run",), "orphans": LEVELS}
_INI = {
    "mode": "mode of cassettes where nothing else says it",
    "max_age": "recordings older than this (30d, 12h) have expired",
    "on_expired": "ignore, warn or fail about expired recordings",
    "on_unused": "ignore, warn or fail about recordings that a test did not ask for",
    "orphans": "ignore, warn or fail about cassette files that belong to no test",
}
