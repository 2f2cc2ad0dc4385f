"""A dashboard as the JSON that Grafana imports.

Every panel asks the data source that is chosen at the top of the page, so that a file fits any Grafana as it is.
"""

from __future__ import annotations

from typing import Any, Final

from .panel import Dashboard, Panel, Target, Variable

SCHEMA_VERSION: Final = 42
"""Of Grafana 12.1 and later; older ones read what they know of it, and newer ones migrate it."""

PLUGINS: Final[dict[Target, str]] = {
    "postgres": "grafana-postgresql-datasource",
    "sqlite": "frser-sqlite-datasource",
    "prometheus": "prometheus",
}
"""The data source of each target, as Grafana calls its type."""

_WIDTH: Final = 24
_SHORTEST: Final = "1m"
_TYPES: Final = {"stat": "stat", "lines": "timeseries", "bars": "timeseries", "table": "table"}
_ALL: Final = {"text": ["All"], "value": ["$__all"]}
_TIMES: Final = ["time", "started"]

Json = dict[str, Any]

_OTHERS: Final[Json] = {
    "type": "dashboards",
    "title": "Recorder",
    "tags": ["recorder"],
    "asDropdown": True,
    "includeVars": True,
    "keepTime": True,
    "targetBlank": False,
    "icon": "external link",
    "tooltip": "",
    "url": "",
}


def grafana_json(dashboard: Dashboard, target: Target) -> Json:
    """The dashboard, asking one target."""
    asked = [panel for panel in dashboard.panels if panel.asks(target)]
    return {
        "uid": f"recorder-{dashboard.name}-{target}",
        "title": dashboard.title if target == "prometheus" else f"{dashboard.title} ({_spoken(target)})",
        "description": dashboard.about,
        "tags": ["llm", "recorder"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "timezone": "browser",
        "time": {"from": dashboard.since, "to": "now"},
        "refresh": "",
        "fiscalYearStartMonth": 0,
        "links": [_OTHERS],
        "annotations": {"list": []},
        "templating": {
            "list": [_source(target), *(_variable(variable, target) for variable in dashboard.variables)]
        },
        "panels": [
            _panel(panel, target, number, place)
            for number, (panel, place) in enumerate(zip(asked, _places(asked), strict=True), 1)
        ],
    }


def _spoken(target: Target) -> str:
    return {"postgres": "PostgreSQL", "sqlite": "SQLite", "prometheus": "Prometheus"}[target]


def _places(panels: list[Panel]) -> list[Json]:
    places = []
    x = y = tallest = 0
    for panel in panels:
        if x + panel.width > _WIDTH:
            x, y, tallest = 0, y + tallest, 0
        places.append({"x": x, "y": y, "w": panel.width, "h": panel.height})
        x, tallest = x + panel.width, max(tallest, panel.height)
    return places


def _asked(target: Target) -> Json:
    return {"type": PLUGINS[target], "uid": "${datasource}"}


def _source(target: Target) -> Json:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": PLUGINS[target],
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "refresh": 1,
        "regex": "",
        "options": [],
    }


def _variable(variable: Variable, target: Target) -> Json:
    text = variable.query.text(target) or ""
    everything = ".*" if target == "prometheus" else "''"
    return {
        "name": variable.name,
        "label": variable.label,
        "type": "query",
        "datasource": _asked(target),
        "query": {"query": text, "refId": variable.name} if target == "prometheus" else text,
        "hide": 0,
        "includeAll": variable.several,
        "multi": variable.several,
        "refresh": 2,
        "regex": "",
        "sort": 0,
        "options": [],
        **({"allValue": everything, "current": _ALL} if variable.several else {}),
    }


def _panel(panel: Panel, target: Target, number: int, place: Json) -> Json:
    return {
        "id": number,
        "type": _TYPES[panel.shape],
        "title": panel.title,
        "description": panel.question,
        "datasource": _asked(target),
        "gridPos": place,
        "interval": _SHORTEST,
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "custom": _drawing(panel)},
            "overrides": _overrides(panel),
        },
        "options": _options(panel),
        "targets": [
            _target(text, legend, target, panel, "ABCDEF"[index])
            for index, (text, legend) in enumerate(panel.asks(target))
        ],
    }


def _overrides(panel: Panel) -> list[Json]:
    # A data source may put the name of the value before that of the series.
    units = [("byName", name, "unit", unit) for name, unit in panel.units]
    colours = [
        ("byRegexp", f"/\\b{name}\\b/", "color", {"mode": "fixed", "fixedColor": colour})
        for name, colour in panel.colours
    ]
    return [
        {"matcher": {"id": by, "options": name}, "properties": [{"id": of, "value": value}]}
        for by, name, of, value in (*units, *colours)
    ]


def _drawing(panel: Panel) -> Json:
    if panel.shape == "bars":
        return {
            "drawStyle": "bars",
            "fillOpacity": 80,
            "lineWidth": 0,
            "stacking": {"mode": "normal", "group": "A"},
        }
    if panel.shape == "lines":
        return {
            "drawStyle": "line",
            "fillOpacity": 5,
            "lineWidth": 1,
            "showPoints": "auto",
            "spanNulls": False,
        }
    return {}


def _options(panel: Panel) -> Json:
    if panel.shape == "table":
        return {"showHeader": True, "cellHeight": "sm"}
    if panel.shape == "stat":
        return {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "none",
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "textMode": "auto",
        }
    return {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def _target(text: str, legend: str, target: Target, panel: Panel, letter: str) -> Json:
    common: Json = {"refId": letter, "datasource": _asked(target)}
    in_time = panel.shape in ("lines", "bars")
    if target == "postgres":
        shape = "time_series" if in_time else "table"
        return {**common, "editorMode": "code", "format": shape, "rawQuery": True, "rawSql": text}
    if target == "sqlite":
        shape = "time series" if in_time else "table"
        return {**common, "queryText": text, "rawQueryText": text, "queryType": shape, "timeColumns": _TIMES}
    return {
        **common,
        "editorMode": "code",
        "expr": text,
        "legendFormat": legend or "__auto",
        "range": in_time,
        "instant": not in_time,
    }
