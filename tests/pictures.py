"""Pictures of the dashboards on made-up calls: `python -m tests.pictures`.

The numbers are what the panels' own queries give on a SQLite store, or on a Prometheus that was told of it; only the
drawing is simpler than Grafana's.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from recorder.ledger.database import open_database
from recorder.panels import folder, made_files

from .databases import execute
from .grafana import expand, expand_promql, legend, quoted
from .million import store_made_up
from .prometheus import NO_PROMETHEUS, PROMETHEUS, PROMTOOL, Prometheus
from .prometheus_past import BEGIN_S, SCRAPE_S, remembering

DAYS = 7
CALLS = 9000
USERS = 25
END_S = BEGIN_S + DAYS * 86400
STEP_S = SCRAPE_S
LOOKED_AT_S = END_S + 90
CELL = (42, 30)
COLOURS = ("#3b7dd8", "#e0752d", "#52a352", "#c4423f", "#8a63b8", "#8c6d4f", "#d377b0", "#7f7f7f")
STYLE = (
    "text{font:11px sans-serif;fill:#333}.t{font-weight:600}.v{font-size:20px;fill:#111}"
    ".s{fill:#777;font-size:10px}"
)

NAMED = {
    "interrupted": "#8a63b8",
    "ok": "#52a352",
    "error": "#c4423f",
    "incomplete": "#e0752d",
    "cancelled": "#3b7dd8",
}

Answer = Callable[[dict[str, Any]], tuple[list[str], list[Any]]]
"""What a panel's queries give: the names of columns, and rows."""

Points = dict[str, list[tuple[float, float]]]
Place = Callable[[float, float], tuple[float, float]]


def drawn(dashboard: dict[str, Any], answer: Answer) -> str:
    """A page as SVG."""
    width, height = (
        24 * CELL[0],
        CELL[1] * max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in dashboard["panels"]),
    )
    inside = "".join(_panel(panel, answer) for panel in dashboard["panels"])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<style>{STYLE}</style><rect width="100%" height="100%" fill="#f4f5f5"/>{inside}</svg>\n'
    )


def _panel(panel: dict[str, Any], answer: Answer) -> str:
    at = panel["gridPos"]
    x, y, width, height = at["x"] * CELL[0], at["y"] * CELL[1], at["w"] * CELL[0] - 6, at["h"] * CELL[1] - 6
    names, rows = answer(panel)
    if panel["type"] == "timeseries":
        drawing = panel["fieldConfig"]["defaults"]
        stacked, unit = drawing["custom"]["drawStyle"] == "bars", drawing["unit"]
        content = _series(names, rows, width, height, stacked, unit)
    else:
        content = _stat(names, rows, panel) if panel["type"] == "stat" else _table(names, rows, width, height)
    return (
        f'<g transform="translate({x},{y})"><rect width="{width}" height="{height}" fill="#fff" stroke="#ddd"/>'
        f'<text class="t" x="8" y="16">{escape(panel["title"])}</text>{content}</g>'
    )


def of_store(url: str) -> Answer:
    """What a SQLite store answers."""

    def answer(panel: dict[str, Any]) -> tuple[list[str], list[Any]]:
        text = panel["targets"][0]["rawQueryText"]
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            cursor = connection.execute(expand(text, BEGIN_S, END_S, STEP_S, {"currency": quoted("USD")}))
            return [column[0] for column in cursor.description], cursor.fetchall()

    return answer


def of_prometheus(prometheus: Prometheus) -> Answer:
    """What Prometheus answers; a rate needs two scrapes at least."""

    def asked(target: dict[str, Any]) -> str:
        return expand_promql(target["expr"], 2 * SCRAPE_S, DAYS * 86400)

    def answer(panel: dict[str, Any]) -> tuple[list[str], list[Any]]:
        if panel["type"] == "stat":
            (series,) = prometheus.ask(asked(panel["targets"][0]), LOOKED_AT_S)
            return ["value"], [(float(series["value"][1]),)]
        return ["time", "metric", "value"], [
            (time, legend(target["legendFormat"], series["metric"]), float(value))
            for target in panel["targets"]
            for series in prometheus.ask_between(asked(target), BEGIN_S, END_S, STEP_S)
            for time, value in series["values"]
            if value != "NaN"
        ]

    return answer


def _number(value: Any, unit: str = "short") -> str:
    if not isinstance(value, int | float):
        return "–" if value is None else str(value)
    if unit == "percentunit":
        return f"{value:.1%}"
    if unit == "s":
        return f"{_number(value)} s"
    if unit == "reqps":
        return f"{_number(value)} a second"
    if value and abs(value) < 10:
        return f"{value:.3g}"
    return f"{value / 1e6:.2f} M" if abs(value) >= 1e6 else f"{value:,.0f}"


def _stat(names: list[str], rows: list[Any], panel: dict[str, Any]) -> str:
    values = [_number(value, panel["fieldConfig"]["defaults"]["unit"]) for value in rows[0]]
    return "".join(
        f'<text class="v" x="{8 + 150 * place}" y="60">{value}</text>'
        + (f'<text class="s" x="{8 + 150 * place}" y="78">{name}</text>' if len(values) > 1 else "")
        for place, (name, value) in enumerate(zip(names, values, strict=True))
    )


def _table(names: list[str], rows: list[Any], width: int, height: int) -> str:
    step = (width - 16) / len(names)
    lines = [names, *rows[: (height - 45) // 16]]
    return "".join(
        f'<text class="{"s" if not row else ""}" x="{8 + step * column:.0f}" y="{34 + 16 * row}">'
        f"{escape(_cell(names[column], value)[: int(step / 6.2)])}</text>"
        for row, line in enumerate(lines)
        for column, value in enumerate(line)
    )


def _cell(name: str, value: Any) -> str:
    if name == "started" and isinstance(value, int):
        return f"{datetime.fromtimestamp(value, UTC):%m-%d %H:%M:%S}"
    return _number(value)


def _series(names: list[str], rows: list[Any], width: int, height: int, stacked: bool, unit: str) -> str:
    points: Points = defaultdict(list)
    for row in rows:
        found = [(row[1], row[2])] if names[1] == "metric" else list(zip(names[1:], row[1:], strict=True))
        for name, value in found:
            if value is not None:
                points[str(name)].append((row[0], value))
    left, top, right, bottom = 8, 28, width - 8, height - 26
    sums: dict[float, float] = defaultdict(float)
    for series in points.values():
        for time, value in series:
            sums[time] = sums[time] + value if stacked else max(sums[time], value)
    highest = max(sums.values(), default=0) or 1

    def place(time: float, value: float) -> tuple[float, float]:
        return (
            left + (time - BEGIN_S) / (DAYS * 86400) * (right - left),
            bottom - value / highest * (bottom - top),
        )

    step = 86400 if len(sums) <= DAYS + 1 else STEP_S
    lines = _bars(points, place, step / (DAYS * 86400) * (right - left)) if stacked else _lines(points, place)
    scale = f'<text class="s" x="{right}" y="16" text-anchor="end">up to {_number(highest, unit)}</text>'
    return "".join(lines) + scale + "".join(_key(list(points), right, height - 8))


def _key(names: list[str], right: int, y: int) -> Iterator[str]:
    x = 8
    for number, name in enumerate(names):
        if x + 5.5 * len(name) < right:
            yield f'<text class="s" x="{x}" y="{y}" style="fill:{_colour(name, number)}">{escape(name)}</text>'
        x += int(5.5 * len(name)) + 14


def _colour(name: str, number: int) -> str:
    return NAMED.get(name, COLOURS[number % 8])


def _bars(points: Points, place: Place, width: float) -> Iterator[str]:
    below: dict[float, float] = defaultdict(float)
    for number, (name, series) in enumerate(points.items()):
        for time, value in series:
            x, y = place(time, below[time] + value)
            base = place(time, below[time])[1]
            below[time] += value
            size = f'width="{width * 0.85:.1f}" height="{base - y:.1f}"'
            yield f'<rect x="{x:.1f}" y="{y:.1f}" {size} fill="{_colour(name, number)}"/>'


def _lines(points: Points, place: Place) -> Iterator[str]:
    for number, (name, series) in enumerate(points.items()):
        path = " ".join("{:.1f},{:.1f}".format(*place(*point)) for point in series)
        yield f'<polyline points="{path}" fill="none" stroke="{_colour(name, number)}" stroke-width="1.3"/>'


def fill(url: str) -> None:
    """Made-up calls, some of them replayed, some reasoning."""
    database = open_database(url)
    store_made_up(database, CALLS, days=DAYS, users=USERS)
    database.close()
    execute(url, "UPDATE calls SET replayed = 1 WHERE seq % 20 = 3")
    execute(url, "UPDATE calls SET operation_id = 'o' || (seq - 2) WHERE attempt = 2")
    reasoners = "request_model IN ('deepseek-r1', 'deepseek-reasoner')"
    execute(url, f"UPDATE calls SET reasoning_tokens = output_tokens * 2 / 3 WHERE {reasoners}")


def draw(target: str, answer: Answer) -> None:
    """Pictures of the pages that ask a target."""
    for name, text in made_files().items():
        if name.startswith(f"grafana/{target}/"):
            picture = folder() / "pictures" / f"{Path(name).stem}.svg"
            picture.write_text(drawn(json.loads(text), answer), encoding="utf-8")


def main() -> None:
    (folder() / "pictures").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        url = f"sqlite:///{scratch}/calls.db"
        fill(url)
        draw("sqlite", of_store(url))
        if PROMETHEUS is None or PROMTOOL is None:
            print(f"The pictures of the pages for Prometheus stay as they are: {NO_PROMETHEUS}")
            return
        with remembering(Path(scratch), DAYS, CALLS, USERS) as prometheus:
            draw("prometheus", of_prometheus(prometheus))


if __name__ == "__main__":
    main()
