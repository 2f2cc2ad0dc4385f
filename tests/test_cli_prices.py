"""`recorder prices` and `recorder reprice`, and costs as the other commands show them."""

from __future__ import annotations

import json
import sys
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

import recorder.cli.main  # noqa: F401 - `recorder.cli.main` is also the name of the function
from recorder.call import AnswerHalf, Call, RequestHalf, Usage
from recorder.cli.money import exact_units
from recorder.cli.text import json_text
from recorder.ledger import Store
from recorder.pricing import curated, plain_price

from .ledger_calls import a_call, store_calls
from .prices import us
from .test_cli_text import dangerous

app = sys.modules["recorder.cli.main"].app
SET = "prices set corp --host model.test --model small-1 --currency eur --input 0.20 --output 0.80"


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path}/calls.db"
    monkeypatch.setenv("RECORDER_STORE", url)
    return url


def deepseek(at: str, model: str = "deepseek-chat", **changes: Any) -> Call:
    answer = AnswerHalf(complete=True, model=model, usage=Usage(10_000, 8_000, None, 2_000))
    request = RequestHalf("chat", "deepseek", "api.deepseek.com", 443, "chat", model)
    return a_call(started_us=us(at), request=request, answer=answer, **changes)


@pytest.fixture
def calls(url: str) -> list[str]:
    """Two calls that have a price, one of them replayed, and one that has none; their ids."""
    stored = [deepseek("2025-11-01T12:00"), deepseek("2025-11-02T12:00", replayed=True), a_call()]
    store_calls(url, *stored)
    return [call.id for call in stored]


def invoke(command: str, *more: str, width: int | None = None) -> Result:
    variables = {"COLUMNS": None if width is None else str(width), "FORCE_COLOR": None, "TZ": "UTC"}
    return CliRunner(env=variables).invoke(app, [*command.split(), *more])


def invoke_json(command: str, *more: str) -> Any:
    result = invoke(command, *more, "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout, parse_float=Decimal)


def test_prices_of_a_day_are_listed(calls: list[str]) -> None:
    text = invoke("prices list --at 2025-11-01").stdout
    assert "deepseek-v3.2/deepseek-chat" in text
    assert "deepseek-v3.1" not in text
    assert "2 of 64 rows · the rest: --all" in text
    assert "deepseek-v3.1" in invoke("prices list --all").stdout


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_lists_fit_any_width(calls: list[str], width: int) -> None:
    lines = invoke("prices list --all", width=width).stdout.splitlines()
    assert all(cell_len(line) <= width for line in lines)


def test_rates_are_exact_in_json(calls: list[str]) -> None:
    rows = invoke_json("prices list --all --model deepseek-v4-pro")
    rates = {row["id"]: row["cached"] for row in rows}
    assert rates["deepseek-v4-pro-preview/deepseek-v4-pro"] == Decimal("0.003625")
    curated_rows = [plain_price(row) for row in curated().prices if row.fits("deepseek-v4-pro")]
    wanted = json.loads(json_text(curated_rows), parse_float=Decimal)
    assert {row["id"]: row for row in rows} == {row["id"]: row for row in wanted}


def test_a_row_is_shown_with_its_source_and_holidays(calls: list[str]) -> None:
    text = invoke("prices show deepseek-flash-peak/deepseek-flash").stdout
    assert "curated · on" in text
    assert "Mon-Fri 09:00-12:00,14:00-18:00 Asia/Shanghai except CN" in text
    assert "2026-10-01..2026-10-07" in text
    assert "api-docs.deepseek.com" in text
    assert invoke_json("prices show deepseek-flash-peak/deepseek-flash")["from"] == "2026-09-10T04:00:00Z"


def test_a_row_of_ones_own_prices_a_gateway(url: str, calls: list[str]) -> None:
    result = invoke(SET)
    assert result.exit_code == 0
    assert "your own · on" in result.stdout
    assert "recorder reprice" in result.stderr
    store_calls(url, a_call())
    (call,) = Store(url).calls(limit=1, where={"host": "model.test", "currency": "EUR"})
    assert (call["cost"], call["cost_source"]) == (0.0000064, "book:corp")


def test_a_row_is_changed_and_removed(calls: list[str]) -> None:
    assert invoke(SET).exit_code == 0
    changed = ("--from", "2026-01-01", "--cached", "0.1", "--hours", "09:00-17:00 Europe/Berlin", "--off")
    assert invoke("prices set corp", *changed).exit_code == 0
    row = invoke_json("prices show corp")
    assert (row["cached"], row["hours"], row["enabled"]) == (
        Decimal("0.1"),
        "09:00-17:00 Europe/Berlin",
        False,
    )
    assert row["output"] == Decimal("0.80")
    assert invoke("prices set corp --hours none --cached none --on").exit_code == 0
    row = invoke_json("prices show corp")
    assert (row["cached"], row["hours"], row["enabled"]) == (None, None, True)
    assert "removed corp" in invoke("prices set corp --remove").stdout
    assert invoke("prices show corp").exit_code == 1


@pytest.mark.parametrize(
    ("command", "code", "complaint"),
    [
        ("prices set corp", 2, "say what to set"),
        ("prices set corp --host h --model m", 1, "a row needs a rate"),
        ("prices set corp --model m --input -3", 1, "is no rate"),
        ("prices set corp --model m --input 1 --hours noon", 1, "are no days of the week"),
        ("prices set corp --model m --input 1 --from soon", 2, "is no time"),
        ("prices set nothing --remove", 1, "has no price row 'nothing'"),
        ("prices show nothing", 1, "prices list --all"),
        ("prices import missing.toml", 1, "missing.toml is no price book"),
        ("prices import missing.toml --reset", 2, "without a file"),
        ("prices currency deepseek GBP", 1, "there are: CNY, USD"),
        ("reprice", 2, "--since"),
        ("reprice --since soon", 2, "is no time"),
    ],
)
def test_mistakes_are_explained(calls: list[str], command: str, code: int, complaint: str) -> None:
    result = invoke(command, width=200)
    assert (result.exit_code, result.stdout) == (code, "")
    assert complaint in result.stderr


def test_prices_can_be_set_before_anything_was_recorded(url: str) -> None:
    assert invoke("prices list").exit_code == 1
    assert invoke(SET).exit_code == 0
    assert "of 65 rows" in invoke("prices list").stdout


def test_a_book_that_was_listed_can_be_imported(calls: list[str], tmp_path: Path) -> None:
    file = tmp_path / "book.json"
    file.write_text(
        invoke("prices list --all --format json").stdout.replace("api.deepseek.com", "proxy.corp")
    )
    assert invoke("prices import", str(file)).stdout == "64 changed\n"
    assert "64 rows of yours kept" in invoke("prices import").stdout
    assert invoke("prices import --reset").stdout.startswith("64 changed")
    assert invoke("prices import").stdout == "up to date\n"


def test_the_example_of_the_curated_book_can_be_imported(calls: list[str], tmp_path: Path) -> None:
    book = Path(sys.modules["recorder.pricing.curated"].__file__ or "").with_name("book.toml").read_text()
    example = "\n".join(line[4:] for line in book.splitlines() if line.startswith("#   "))
    assert tomllib.loads(example)["price"][0]["host"] == "llm.corp.local"
    file = tmp_path / "own.toml"
    file.write_text(example)
    assert invoke("prices import", str(file)).stdout == "2 added\n"


def test_check_says_what_is_missing_by_its_exit_code(calls: list[str]) -> None:
    result = invoke("prices check")
    assert result.exit_code == 1
    assert "problem  1 call of small-1 at corp (model.test) has no price" in result.stdout
    assert invoke(SET).exit_code == 0
    assert "can be priced now: recorder reprice --since 2025-11-21" in invoke("prices check").stdout
    assert invoke("reprice --since all").exit_code == 0
    assert "small-1" not in invoke("prices check").stdout
    kinds = {each["kind"] for each in json.loads(invoke("prices check --format json").stdout)}
    assert kinds <= {"holidays"}


def test_reprice_says_the_difference_by_model_and_currency(calls: list[str]) -> None:
    invoke(SET)
    invoke("prices set deepseek-v3.2/deepseek-chat --input 0.38")
    dry = invoke("reprice --since 2025-01-01 --dry-run").stdout.splitlines()
    assert dry[1].split() == ["deepseek-chat", "USD", "2", "$0.0016", "$0.0018", "+$0.0002"]
    assert dry[2].split() == ["small-1", "EUR", "1", "unpriced", "0.0000064", "EUR", "+0.0000064", "EUR"]
    assert dry[3] == "3 calls checked · 3 would change · 1 unpriced before · nothing was written"
    done = invoke_json("reprice --since 2025-01-01")
    assert done["differences"][0]["difference"] == Decimal("0.0002")
    assert done["differences"][1] == {
        "model": "small-1",
        "currency": "EUR",
        "calls": 1,
        "before": None,
        "after": Decimal("0.0000064"),
        "difference": Decimal("0.0000064"),
    }
    assert invoke("reprice --since 2025-01-01").stdout == "3 calls checked · 0 changed\n"


def test_show_tells_how_a_cost_came_about_and_what_it_was(calls: list[str]) -> None:
    text = invoke("show", calls[0]).stdout
    assert "cost        $0.001624 · book:deepseek-v3.2/deepseek-chat" in text
    assert "input 2,000 × 0.28 + cached 8,000 × 0.028 + output 2,000 × 0.42 USD a million tokens" in text
    assert (
        "cost        unpriced: no row for model small-1 at provider corp" in invoke("show", calls[2]).stdout
    )
    invoke("prices set deepseek-v3.2/deepseek-chat --input 0.38")
    assert "computed" not in invoke("show", calls[0]).stdout
    invoke("reprice --since all")
    text = invoke("show", calls[0]).stdout
    assert "cost        $0.001824" in text
    assert "before      $0.001624 until " in text
    shown = invoke_json("show", calls[0])
    assert [line["cost"] for line in shown["cost_lines"]] == [
        Decimal("0.00076"),
        Decimal("0.000224"),
        Decimal("0.00084"),
    ]
    assert shown["cost_changes"][0]["former_cost"] == Decimal("0.001624")


def test_ls_says_unpriced_and_not_nothing(calls: list[str]) -> None:
    lines = invoke("ls").stdout.splitlines()
    assert lines[0].endswith("cost")
    assert [line.split()[-1] for line in lines[1:4]] == ["unpriced", "$0.0016", "$0.0016"]
    assert lines[4].endswith(" · $0.0016 · 1 unpriced")


def test_report_sums_each_currency_and_says_what_was_saved(calls: list[str]) -> None:
    invoke(SET)
    invoke("reprice --since all")
    lines = invoke("report --by provider").stdout.splitlines()
    assert lines[-2].endswith("0.0000064 EUR + $0.0016")
    assert "1 replayed, not counted, $0.0016 saved" in lines[-1]
    total = invoke_json("report --by provider")[-1]
    assert total["cost"] == {"EUR": Decimal("0.0000064"), "USD": Decimal("0.001624")}
    assert total["saved"] == {"USD": Decimal("0.001624")}
    assert total["without_cost"] == 0


def test_amounts_in_json_have_all_their_digits() -> None:
    pico = 9_007_199_254_740_993_123_456_789
    assert json_text({"cost": exact_units(pico)}, indent=None) == '{"cost": 9007199254740.993123456789}'
    assert json_text([exact_units(-1), exact_units(10**13)], indent=None) == "[-0.000000000001, 10]"
    assert json_text({"a": "\ue0005\ue000"}, indent=None) == '{"a": "\\ue0005\\ue000"}'


def test_nothing_in_a_row_is_obeyed_by_a_terminal(calls: list[str], tmp_path: Path) -> None:
    evil = "\x1b[31mred\x1b]0;title\x07 [bold]x[/bold]"
    row = {"id": evil, "model": evil, "host": "model.test", "input": 1, "note": evil, "source": evil}
    file = tmp_path / "book.json"
    file.write_text(json.dumps([row]))
    assert invoke("prices import", str(file)).exit_code == 0
    output = "".join(
        invoke(f"prices {command}").output for command in ("list --all", "check", f"show {evil[:4]}")
    )
    assert dangerous(output, allowed="\n") == []
