"""The dashboards: every query gives rows, on both databases the same, and the files are what the code makes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest

from recorder.ledger.database import open_database
from recorder.ledger.url import is_sqlite
from recorder.panels import DASHBOARDS, folder, made_files
from recorder.panels.contents import contents, with_contents
from recorder.panels.grafana import grafana_json

from .databases import Server, execute, with_parts
from .grafana import expand, queries, quoted
from .grafana_schema import faults
from .ledger_calls import START_US, a_call, store_calls
from .million import BEGIN_US, store_made_up

MADE = made_files()
PAGES = ("spend", "latency", "errors", "usage")
SQL_FILES = [name for name in MADE if not name.startswith("grafana/prometheus/")]
DAYS = 3
RANGE_S = (BEGIN_US // 10**6, BEGIN_US // 10**6 + DAYS * 86400)
CHOSEN = {"currency": quoted("USD")}


def varied(url: str) -> None:
    """A thousand and a half calls of three days, replayed ones and retries among them."""
    database = open_database(url)
    store_made_up(database, 1500, days=DAYS, users=20)
    database.close()
    execute(url, "UPDATE calls SET replayed = 1 WHERE seq - seq / 50 * 50 = 3")
    execute(url, "UPDATE calls SET operation_id = 'o33', attempt = 3 WHERE seq = 36")
    execute(
        url, "UPDATE calls SET reasoning_tokens = output_tokens / 3 WHERE output_tokens > 9 AND stream = 0"
    )
    execute(url, "UPDATE calls SET currency = 'CNY' WHERE cost_pico IS NOT NULL AND seq - seq / 9 * 9 = 0")


@pytest.fixture(scope="module")
def filled_sqlite(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('panels')}/calls.db"
    varied(url)
    return url


@pytest.fixture(scope="module")
def filled_postgres(server: Server, made_store: str) -> Iterator[str]:
    with server.database(like=made_store) as url:
        varied(url)
        execute(url, "ANALYZE calls")
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def filled(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A target and the URL of a store with varied calls; those of both are the same."""
    return request.param, request.getfixturevalue(f"filled_{request.param}")


def answers(
    url: str, text: str, chosen: dict[str, str] = CHOSEN, interval_s: int = 3600
) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in execute(url, expand(text, *RANGE_S, interval_s, chosen))]


def made(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(MADE[name])
    return found


def plain(value: Any) -> Any:
    """A value as both databases have it."""
    if hasattr(value, "timestamp"):
        return int(value.timestamp())
    return value if value is None or isinstance(value, str) else pytest.approx(float(value))


@pytest.mark.parametrize("name", PAGES)
def test_every_query_gives_rows(filled: tuple[str, str], name: str) -> None:
    target, url = filled
    for title, text in queries(made(f"grafana/{target}/{name}.json")):
        rows = answers(url, text)
        assert rows, title
        assert any(value is not None for value in rows[0]), title


@pytest.mark.parametrize("name", PAGES)
def test_both_databases_give_the_same_rows(filled_sqlite: str, filled_postgres: str, name: str) -> None:
    of_server, of_file = (queries(made(f"grafana/{target}/{name}.json")) for target in ("postgres", "sqlite"))
    for (title, one), (_, other) in zip(of_server, of_file, strict=True):
        expected = [tuple(plain(value) for value in row) for row in answers(filled_postgres, one)]
        assert [tuple(map(_number, row)) for row in answers(filled_sqlite, other)] == expected, title


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, int | float) else value


def test_a_choice_of_hostile_names_narrows_the_calls(filled: tuple[str, str]) -> None:
    target, url = filled
    (calls,) = [text for title, text in queries(made(f"grafana/{target}/usage.json")) if title == "Calls A"]
    (everything,) = answers(url, calls)
    (some,) = answers(url, calls, {"provider": quoted("corp"), "user": quoted("user-1", "user-2")})
    assert 0 < some[0] < everything[0]
    assert answers(url, calls, {"model": quoted("'; DROP TABLE calls; --", "O'Hara")}) == [(0,)]


def test_percentiles_are_values_by_nearest_rank(url: str) -> None:
    store_calls(url, *(a_call(duration_ns=second * 10**9) for second in range(1, 101)))
    target = "sqlite" if is_sqlite(url) else "postgres"
    (text,) = [
        text for title, text in queries(made(f"grafana/{target}/latency.json")) if title == "Duration A"
    ]
    begin_s = START_US // 10**6
    rows = execute(url, expand(text, begin_s - 60, begin_s + 60, 60, {}))
    assert [tuple(row) for row in rows] == [(50.0, 95.0, 99.0)]


def test_money_tells_replay_caching_and_other_currencies_apart(filled: tuple[str, str]) -> None:
    target, url = filled
    panels = dict(queries(made(f"grafana/{target}/spend.json")))
    spent = "SELECT sum(cost) FROM v_calls WHERE replayed = {} AND currency = '{}'"
    for currency in ("USD", "CNY"):
        chosen = {"currency": quoted(currency)}
        for title, replayed in (("Spent A", 0), ("Saved by replay A", 1)):
            expected = execute(url, spent.format(replayed, currency))[0][0]
            assert answers(url, panels[title], chosen)[0][0] == pytest.approx(expected)


def test_the_range_is_served_by_the_index(filled: tuple[str, str]) -> None:
    target, url = filled
    for name in PAGES:
        for title, text in queries(made(f"grafana/{target}/{name}.json")):
            asked = expand(text, RANGE_S[0], RANGE_S[0] + 600, 60, CHOSEN)
            assert _scans(target, url, asked) == [], title


def _scans(target: str, url: str, text: str) -> list[str]:
    """The lines of the plan that read all calls."""
    if target == "sqlite":
        plan = [str(row[3]) for row in execute(url, f"EXPLAIN QUERY PLAN {text}")]
        return [line for line in plan if line.startswith("SCAN calls") and "INDEX" not in line]
    # It would rather read a small table whole.
    forbidding = with_parts(url, options="-cenable_seqscan=off")
    return [
        str(row[0]) for row in execute(forbidding, f"EXPLAIN {text}") if "Seq Scan on calls" in str(row[0])
    ]


def test_files_are_what_the_code_makes() -> None:
    root = folder()
    lying = {path.relative_to(root).as_posix(): path.read_text() for path in root.glob("grafana/*/*.json")}
    assert lying == MADE, "run `make dashboards`"


def test_the_readme_names_every_panel() -> None:
    text = (folder() / "README.md").read_text(encoding="utf-8")
    assert with_contents(text, DASHBOARDS) == text, "run `make dashboards`"
    assert contents(DASHBOARDS) in text


def test_pictures_show_the_panels_that_there_are() -> None:
    for dashboard in DASHBOARDS:
        text = (folder() / "pictures" / f"{dashboard.name}.svg").read_text(encoding="utf-8")
        titles = [unescape(title) for title in re.findall(r'<text class="t"[^>]*>([^<]*)</text>', text)]
        assert titles == [panel.title for panel in dashboard.panels], "run `make dashboards`"


@pytest.mark.parametrize("name", MADE)
def test_json_is_what_grafanas_schema_says(name: str) -> None:
    assert faults(made(name)) == []


@pytest.mark.parametrize("name", MADE)
def test_panels_can_be_told_apart_and_say_what_they_answer(name: str) -> None:
    dashboard = made(name)
    assert 8 <= len(dashboard["uid"]) <= 40
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in dashboard["panels"]:
        assert panel["description"].rstrip().endswith(("?", "."))
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) > 0


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        (("graphTooltip",), 7, "/graph_tooltip is 7"),
        (("panels", 0, "gridPos", "h"), "4", "/panels/0/grid_pos/h is '4'"),
        (("panels", 0, "options", "colorMode"), "pink", "/panels/0/options/color_mode is 'pink'"),
        (("panels", 0, "tooltip"), {}, "/panels/0/tooltip is unknown"),
    ],
)
def test_what_grafanas_schema_forbids_is_found(place: tuple[Any, ...], value: Any, fault: str) -> None:
    dashboard = made("grafana/sqlite/spend.json")
    inside: Any = dashboard
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    (found,) = faults(dashboard)
    assert found.startswith(fault)


@pytest.mark.parametrize("name", MADE)
def test_panels_do_not_overlap(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in made(name)["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not taken & cells
        taken |= cells


@pytest.mark.parametrize("name", SQL_FILES)
def test_queries_read_nothing_but_the_views(name: str) -> None:
    for title, text in queries(made(name)):
        tables = set(re.findall(r"\b(?:FROM|JOIN)\s+(?:LATERAL\s+)?([a-z_]+)", text))
        assert tables <= {"v_calls", "jsonb_each_text", "json_each"}, title


def test_every_panel_of_a_dashboard_is_in_each_of_its_targets() -> None:
    for dashboard in DASHBOARDS:
        for target in dashboard.targets:
            assert len(grafana_json(dashboard, target)["panels"]) == len(dashboard.panels)
