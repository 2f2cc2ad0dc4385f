"""What Grafana and its data sources make of a query before it is run: macros and variables, as their sources do it."""

from __future__ import annotations

import re
from typing import Any

MACRO = re.compile(r"\$__([A-Za-z]+)\(([^)]*)\)")
EVERYTHING = dict.fromkeys(("provider", "model", "user"), "''")


def quoted(*values: str) -> str:
    """Values in the format `sqlstring`."""
    return ",".join("'" + value.replace("'", "''") + "'" for value in values)


def expand(text: str, begin_s: int, end_s: int, interval_s: int, chosen: dict[str, str]) -> str:
    """A query of either SQL data source as the database gets it."""
    for name, value in {**EVERYTHING, **chosen}.items():
        text = text.replace(f"${{{name}:sqlstring}}", value)
    for name, number in {
        "from": begin_s * 1000,
        "to": end_s * 1000,
        "interval_ms": interval_s * 1000,
    }.items():
        text = re.sub(rf"\$__{name}\b(?!\()", str(number), text)
    text = text.replace("'$__interval'", f"'{interval_s}s'")
    expanded = MACRO.sub(lambda macro: _macro(macro[1], macro[2], begin_s, end_s), text)
    assert "$" not in expanded, expanded
    return expanded


def _macro(name: str, inside: str, begin_s: int, end_s: int) -> str:
    arguments = [argument.strip() for argument in inside.split(",")]
    if name == "unixEpochNanoFrom":
        return str(begin_s * 10**9)
    if name == "unixEpochNanoTo":
        return str(end_s * 10**9)
    if name == "unixEpochGroup":
        seconds = {"s": 1, "d": 86400}[arguments[1][-2]] * int(arguments[1].strip("'")[:-1])
        return f"floor(({arguments[0]})/{seconds})*{seconds}"
    assert name == "unixEpochGroupSeconds", name
    return f"cast(({arguments[0]} / {int(arguments[1])}) as int) * {int(arguments[1])}"


def expand_promql(text: str, rate_s: int = 300, range_s: int = 600) -> str:
    """A query as Prometheus gets it, with everything chosen."""
    for name, value in {
        "$__rate_interval": f"{rate_s}s",
        "$__range": f"{range_s}s",
        "$provider": ".*",
        "$model": ".*",
    }.items():
        text = text.replace(name, value)
    if text.startswith("label_values("):
        text = "count by ({1}) ({0})".format(*text[len("label_values(") : -1].rsplit(", ", 1))
    assert not re.search(r"\$\D", text)
    return text


def legend(pattern: str, labels: dict[str, str]) -> str:
    """What Grafana calls a series."""
    if pattern == "__auto":
        return str(labels)
    for name, value in labels.items():
        pattern = pattern.replace(f"{{{{{name}}}}}", value)
    return "" if "{{" in pattern else pattern


def queries(dashboard: dict[str, Any]) -> list[tuple[str, str]]:
    """Each query of a dashboard's JSON, and those of its variables, by what asks it."""
    found = [
        (
            f"{panel['title']} {target['refId']}",
            target.get("rawSql") or target.get("queryText") or target["expr"],
        )
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]
    variables = (each for each in dashboard["templating"]["list"] if each["type"] == "query")
    return found + [(each["name"], _asked(each["query"])) for each in variables]


def _asked(query: str | dict[str, str]) -> str:
    return query if isinstance(query, str) else query["query"]
