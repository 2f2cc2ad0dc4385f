"""The commands, as a shell sees them: output, errors and exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from rich.cells import cell_len
from typer.testing import CliRunner, Result

import recorder.cli.main  # noqa: F401 - `recorder.cli.main` is also the name of the function
from recorder.body import read_answer
from recorder.call import Call, CallError
from recorder.demo.upstream import Upstream
from recorder.dialects import dialect_for
from recorder.exchange import Ending, Exchange, Request, ResponseHead
from recorder.ledger import Store

from .databases import columns, execute
from .ledger_calls import record, store_calls, store_records
from .test_cli_text import HOSTILE, dangerous

app = sys.modules["recorder.cli.main"].app
Change = Callable[[str], object]
MS = 1_000_000
DAY_US = 86_400_000_000
NOW_US = time.time_ns() // 1000
ROOT = Path(__file__).resolve().parents[1]
EVIL = "\x1b[31mred\x1b]0;title\x07 \u202etxet\u202c \u200b\r\nsecond [bold]line[/bold]\x9b1m"
USAGE = {
    "prompt_tokens": 1204,
    "completion_tokens": 350,
    "prompt_tokens_details": {"cached_tokens": 1024},
    "completion_tokens_details": {"reasoning_tokens": 120},
}


def an_exchange(
    asked: dict[str, Any], chunks: list[bytes], *, at_us: int = NOW_US, **changes: Any
) -> Exchange:
    """An exchange whose chunks came 100 ms apart."""
    values: dict[str, Any] = {
        "request": Request(
            "POST",
            "https://api.deepseek.com/chat/completions",
            ((b"Authorization", b"[redacted]"), (b"Content-Type", b"application/json")),
            json.dumps(asked).encode(),
        ),
        "started_us": at_us,
        "ending": Ending("complete", (len(chunks) + 2) * 100 * MS),
        "head": ResponseHead(200, ((b"X-Served-By", b"edge-1"),), at_ns=100 * MS),
        "chunks": tuple(chunks),
        "arrivals_ns": tuple((index + 2) * 100 * MS for index in range(len(chunks))),
    }
    return Exchange(**{**values, **changes})


def meant(exchange: Exchange, number: int, *, provider: str = "deepseek", **changes: Any) -> Call:
    """The call that an exchange means."""
    dialect = dialect_for("POST", "/chat/completions")
    assert dialect is not None
    half = dialect.read_request(exchange.request, provider)
    answer = dialect.read_answer(exchange, read_answer(exchange), half)
    values: dict[str, Any] = {
        "id": f"019aa000-0000-7000-8000-{number:04x}{number * 40503 % 65536:04x}{number:04x}",
        "operation_id": "019aa000-0000-7000-8000-operation",
        "started_us": exchange.started_us,
        "duration_ns": exchange.ending.at_ns,
        "request": half,
        "answer": answer,
        "outcome": "error" if answer.error else "ok",
        "error": answer.error,
        "http_status": exchange.head.status if exchange.head else None,
        "first_byte_ns": exchange.head.at_ns if exchange.head else None,
    }
    return Call(**{**values, **changes})


def stored(url: str, exchange: Exchange, number: int, **changes: Any) -> str:
    """Store the call that an exchange means; its id."""
    call = meant(exchange, number, **changes)
    store_calls(url, call, exchange=exchange)
    return call.id


def asking(model: str = "deepseek-chat", text: str = "Where is Tokyo?", **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


def answering(model: str = "deepseek-chat", text: str | None = "In Japan.", **more: Any) -> bytes:
    message = {"role": "assistant", "content": text, **more}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return json.dumps({"id": "r-1", "model": model, "choices": choices, "usage": USAGE}).encode()


def streaming(*deltas: dict[str, Any]) -> list[bytes]:
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    events: list[Any] = [{"choices": [choice]} for choice in choices]
    events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": USAGE})
    return [*(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events), b"data: [DONE]\n\n"]


@pytest.fixture
def url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store that is not there yet, and the default of all commands; SQLite's, unless a test is `on_both`."""
    url: str = request.getfixturevalue(getattr(request, "param", "sqlite_url"))
    monkeypatch.setenv("RECORDER_STORE", url)
    return url


on_both = pytest.mark.parametrize(
    "url", ["sqlite_url", "made_postgres_url"], ids=["sqlite", "postgresql"], indirect=True
)


@pytest.fixture
def change(url: str) -> Change:
    """Run a statement against the store, and count its calls anew."""

    def run(statement: str) -> None:
        execute(url, statement)
        if " calls" in statement:
            Store(url).roll_up(rebuild=True)

    return run


@pytest.fixture
def ids(url: str) -> dict[str, str]:
    """A store with one call of each kind, a second apart; by name, oldest first."""
    tools = [{"type": "function", "function": {"name": "get_weather"}}]
    function = {"name": "get_weather", "arguments": '{"in":"Tokyo"}'}
    tool_calls = [{"id": "t-1", "type": "function", "function": function}]
    limited = json.dumps({"error": {"message": "Slow down.", "code": "rate_limit_exceeded"}}).encode()
    thoughts = [{"reasoning_content": "Think: "}, {"reasoning_content": "Japan."}]
    stream = streaming(*thoughts, {"content": "In 日本."})
    timeout = Ending("error", 60_000 * MS, "request", "httpx2.ReadTimeout")
    calls: dict[str, tuple[Exchange, dict[str, Any]]] = {
        "old": (an_exchange(asking(), [answering()], at_us=NOW_US - 400 * DAY_US), {}),
        "timeout": (
            an_exchange(asking(), [], head=None, ending=timeout),
            {"outcome": "error", "error": CallError("httpx2.ReadTimeout", "timed out")},
        ),
        "limited": (
            an_exchange(asking("gpt-4o-mini"), [limited], head=ResponseHead(429, at_ns=95 * MS)),
            {"provider": "openai"},
        ),
        "served": (
            an_exchange(asking("gpt-4o-mini"), [answering("gpt-4o-mini-2024")]),
            {"provider": "openai"},
        ),
        "stream": (
            an_exchange(asking("deepseek-reasoner", stream=True, temperature=0.2), stream),
            {"session_id": "s-1", "user_id": "u-7", "tags": {"feature": "search"}},
        ),
        "tools": (an_exchange(asking(tools=tools), [answering(text=None, tool_calls=tool_calls)]), {}),
        "left": (an_exchange(asking(stream=True), stream[:3]), {"outcome": "incomplete"}),
        "replayed": (an_exchange(asking(), [answering()]), {"replayed": True, "cassette": "checkout"}),
        "evil": (
            an_exchange(asking(EVIL, EVIL), [answering(EVIL, EVIL)]),
            {"provider": EVIL, "session_id": EVIL, "tags": {EVIL: EVIL}},
        ),
    }
    found = {}
    records = []
    for number, (name, (exchange, changes)) in enumerate(calls.items()):
        at_us = exchange.started_us - (len(calls) - number) * 1_000_000
        call = meant(exchange, number + 1, started_us=at_us, **changes)
        found[name] = call.id
        records.append(record(call, exchange))
    store_records(url, records)
    return found


def invoke(*arguments: str, width: int | None = None) -> Result:
    """Run a command in this process; without a width there is no terminal."""
    variables = {"COLUMNS": None if width is None else str(width), "FORCE_COLOR": None}
    return CliRunner(env=variables).invoke(app, list(arguments))


def invoke_json(*arguments: str) -> Any:
    result = invoke(*arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def listed(*options: str) -> list[str]:
    """The ids that `ls` gives."""
    return [call["id"] for call in invoke_json("ls", *options)]


def shell(*arguments: str, variables: Mapping[str, str] = {}) -> subprocess.CompletedProcess[str]:
    """`recorder …` as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "recorder", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        env={**os.environ, **variables},
        check=False,
    )


@on_both
def test_ls_prints_the_columns_of_the_view(ids: dict[str, str], url: str) -> None:
    calls = invoke_json("ls")
    assert list(calls[0]) == columns(url, "v_calls")
    assert calls[4]["tags"] == {"feature": "search"}


@on_both
def test_ls_begins_with_the_newest(ids: dict[str, str]) -> None:
    assert listed() == list(ids.values())[::-1]
    assert listed("-n", "2") == [ids["evil"], ids["replayed"]]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140, 200])
def test_ls_has_one_line_a_call_at_any_width(ids: dict[str, str], width: int) -> None:
    lines = invoke("ls", width=width).stdout.splitlines()
    assert all(cell_len(line) <= width for line in lines)
    assert [line for line in lines if any(id[-8:] in line for id in ids.values())] == lines[1 : len(ids) + 1]


def test_ls_says_at_80_columns_what_matters(ids: dict[str, str]) -> None:
    text = invoke("ls", width=80).stdout
    assert all(word in text for word in ("id", "outcome", "took", "rate_limit", "ReadTimeout", "ok replayed"))
    assert "9 calls · 2 errors · 1 incomplete · 1 replayed · " in text


def test_ls_without_a_terminal_cuts_nothing(ids: dict[str, str]) -> None:
    text = invoke("ls").stdout
    assert "gpt-4o-mini → gpt-4o-mini-2024" in text
    assert "error httpx2.ReadTimeout" in text


@on_both
@pytest.mark.parametrize(
    ("options", "names"),
    [
        ("--errors", ["limited", "timeout"]),
        ("--outcome incomplete", ["left"]),
        ("--model gpt-4o-mini", ["served", "limited"]),
        ("--model gpt-4o-mini-2024", ["served"]),
        ("--provider openai --errors", ["limited"]),
        ("--session s-1 --user u-7", ["stream"]),
        ("--tag feature=search", ["stream"]),
        ("--until 300d", ["old"]),
        ("--since 1h --provider openai", ["served", "limited"]),
        ("--where outcome!=ok --where host=none", []),
        ("--where outcome=error --where http_status>=400", ["limited"]),
        ("--where tag.feature^=sea --where model!=none", ["stream"]),
        ("--where started_at<300d", ["old"]),
    ],
)
def test_ls_filters(ids: dict[str, str], options: str, names: list[str]) -> None:
    assert listed(*options.split()) == [ids[name] for name in names]


@on_both
def test_ls_says_how_to_get_the_next_page(ids: dict[str, str]) -> None:
    pages = [listed("-n", "2")]
    while (older := f"older: --before {pages[-1][-1]}") in invoke("ls", "-n", "2", *_before(pages)).stdout:
        pages.append(listed("-n", "2", *older.split()[1:]))
    assert [id for page in pages for id in page] == listed("-n", "0")
    assert "older" not in invoke("ls", "-n", "0").stdout


def _before(pages: list[list[str]]) -> tuple[str, ...]:
    return ("--before", pages[-2][-1]) if len(pages) > 1 else ()


@on_both
def test_ls_tells_what_was_lost(ids: dict[str, str], change: Change) -> None:
    change("INSERT INTO losses (at_us, host, pid, calls, reason) VALUES (1, 'h', 1, 3, 'full')")
    assert "3 calls could not be stored" in invoke("ls").stdout


@on_both
def test_cost_is_shown_only_where_there_is_one(ids: dict[str, str], change: Change) -> None:
    change("UPDATE calls SET cost_pico = NULL, currency = NULL")
    assert "cost" not in invoke("ls").stdout + invoke("report").stdout
    change("UPDATE calls SET cost_pico = 12300000000, currency = 'USD' WHERE seq = 4")
    for command in ("ls", "report"):
        lines = invoke(command).stdout.splitlines()
        assert lines[0].endswith("cost")
        assert any("$0.0123" in line for line in lines)


@on_both
def test_an_empty_store_says_how_to_record(ids: dict[str, str], change: Change) -> None:
    change("DELETE FROM calls")
    result = invoke("ls")
    assert result.exit_code == 0
    assert "recorder run -- python app.py" in result.stderr
    assert listed() == []


@pytest.mark.parametrize("command", ["ls", "show last", "report", "db check"])
def test_a_store_that_is_not_there_is_an_error_of_one_line(url: str, command: str) -> None:
    result = invoke(*command.split())
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("recorder: nothing was recorded in ")
    assert len(result.stderr.splitlines()) <= 2


@pytest.mark.parametrize(
    "command",
    [
        "ls --since soon",
        "ls --tag novalue",
        "ls --errors --outcome ok",
        "ls --outcome fine",
        "ls --where usr_id=7",
        "report --by colour",
        "report --where model",
        "nonsense",
        "run",
    ],
)
def test_wrong_usage_is_exit_code_2(ids: dict[str, str], command: str) -> None:
    assert invoke(*command.split()).exit_code == 2


def test_a_store_can_be_named(ids: dict[str, str], url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECORDER_STORE")
    assert len(listed("--store", url)) == len(ids)


@on_both
@pytest.mark.parametrize("part", [slice(None), slice(-8, None), slice(-6)], ids=["all", "end", "beginning"])
def test_show_finds_a_call_by_part_of_its_id(ids: dict[str, str], part: slice) -> None:
    assert ids["tools"] in invoke("show", ids["tools"][part]).stdout.splitlines()[0]


@on_both
def test_show_finds_the_last_call(ids: dict[str, str]) -> None:
    assert ids["evil"] in invoke("show", "last").stdout.splitlines()[0]


def test_show_of_what_is_not_there_fails(ids: dict[str, str]) -> None:
    assert invoke("show", "ffffffff").exit_code == 1
    assert "several" in invoke("show", "019aa000").stderr


@pytest.mark.parametrize(
    "part",
    [
        "deepseek at api.deepseek.com",
        "session     s-1",
        "feature=search",
        "temperature=0.2",
        "in 1,204 (cached 1,024) · out 350 (reasoning 120)",
        "│ Where is Tokyo?",
        "│ Think: Japan.",
        "│ In 日本.",
        "first byte 0.10s",
    ],
)
def test_show_tells_all_of_a_stream(ids: dict[str, str], part: str) -> None:
    assert part in invoke("show", ids["stream"], width=100).stdout


def test_show_draws_where_the_time_went(ids: dict[str, str]) -> None:
    bars = [line for line in invoke("show", ids["stream"]).stdout.splitlines() if "━" in line]
    assert [line.split()[0] for line in bars] == ["waiting", "reasoning", "answer"]


def test_show_tells_tools_and_their_calls(ids: dict[str, str]) -> None:
    text = invoke("show", ids["tools"]).stdout
    assert "tools       get_weather" in text
    assert "calls get_weather t-1" in text
    assert '{"in":"Tokyo"}' in text


def test_show_tells_what_went_wrong(ids: dict[str, str]) -> None:
    text = invoke("show", ids["limited"]).stdout
    assert "error rate_limit_exceeded" in text
    assert "Slow down." in text
    assert "timed out" in invoke("show", ids["timeout"]).stdout


@on_both
def test_show_gives_raw_bodies_byte_for_byte(ids: dict[str, str], url: str) -> None:
    exchange = Store(url).exchange(ids["stream"])
    assert invoke("show", ids["stream"], "--raw", "response").stdout_bytes == exchange.body
    assert invoke("show", ids["stream"], "--raw", "request").stdout_bytes == exchange.request.body


def test_show_gives_headers_and_chunks_when_asked(ids: dict[str, str]) -> None:
    text = invoke("show", ids["stream"], "--headers", "--chunks").stdout
    assert "X-Served-By: edge-1" in text
    assert "Chunks  5" in text
    assert "0.200s" in text
    assert "X-Served-By" not in invoke("show", ids["stream"]).stdout


def test_show_cuts_long_texts_and_says_so(url: str) -> None:
    id = stored(url, an_exchange(asking(text="word " * 2000), [answering()]), 1)
    short, full = (invoke("show", id, *more).stdout for more in ([], ["--full"]))
    assert f"recorder show {id[-8:]} --full" in short
    assert "more characters" in short
    assert full.count("word") == 2000


def test_show_leaves_out_the_middle_of_a_long_conversation(url: str) -> None:
    asked = asking()
    asked["messages"] = [{"role": "system", "content": "be brief"}, *asked["messages"] * 20]
    text = invoke("show", stored(url, an_exchange(asked, [answering()]), 1)).stdout
    assert "be brief" in text
    assert "14 messages before" in text
    assert text.count("Where is Tokyo?") == 6


@on_both
def test_show_as_json_has_the_row_and_what_was_said(ids: dict[str, str]) -> None:
    shown = invoke_json("show", ids["stream"], "--chunks")
    assert shown["id"] == ids["stream"]
    assert shown["messages"][0]["content"] == "Where is Tokyo?"
    assert shown["choices"][0]["reasoning"] == "Think: Japan."
    assert [chunk["at_s"] for chunk in shown["chunks"]] == pytest.approx([0.2, 0.3, 0.4, 0.5, 0.6])


@on_both
def test_show_of_a_call_without_payload_says_so(ids: dict[str, str], change: Change) -> None:
    change("DELETE FROM payloads")
    result = invoke("show", ids["stream"])
    assert result.exit_code == 0
    assert "was removed" in result.stdout
    assert "in 1,204" in result.stdout


@pytest.mark.parametrize("command", ["ls", "show last --headers --chunks", "report --by model,provider"])
@pytest.mark.parametrize("format", ["table", "json"])
def test_escapes_are_shown_and_not_obeyed(ids: dict[str, str], command: str, format: str) -> None:
    text = invoke(*command.split(), "--format", format).output
    assert dangerous(text, allowed="\n") == []
    assert "[31m" in text


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HOSTILE, HOSTILE)
def test_no_control_character_reaches_the_terminal(url: str, evil: str, more: str) -> None:
    message = {"role": more, "content": evil, "name": evil, "tool_call_id": more}
    exchange = an_exchange({"model": evil, more: evil, "messages": [message]}, [answering(more, evil)])
    error = {"outcome": "error", "error": CallError(more, evil)}
    id = stored(url, exchange, time.time_ns(), provider=more, session_id=evil, tags={more: evil}, **error)
    for command in ("ls -n 1", f"show {id} --full --headers --chunks", "report --by model"):
        for format in ("table", "json"):
            result = invoke(*command.split(), "--format", format, width=90)
            assert result.exit_code == 0, result.output
            assert dangerous(result.output, allowed="\n") == []


def test_bytes_that_a_terminal_would_obey_are_kept_from_it(
    ids: dict[str, str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typer.testing._NamedTextIOWrapper.isatty", lambda self: True)
    id = stored(url, an_exchange(asking(), [b"\x1b[2J"]), 99)
    result = invoke("show", id, "--raw", "response")
    assert (result.exit_code, result.stdout_bytes) == (1, b"")
    assert invoke("show", ids["stream"], "--raw", "response").exit_code == 0


@on_both
def test_report_ends_with_the_total(ids: dict[str, str]) -> None:
    rows = invoke_json("report", "--by", "provider,tag:feature")
    assert rows[-1]["total"]
    assert rows[-1]["calls"] == sum(row["calls"] for row in rows[:-1]) == len(ids) - 1
    assert {row["tag:feature"] for row in rows} == {None, "search"}


def test_report_groups_once_by_what_is_named_twice(ids: dict[str, str]) -> None:
    twice, once = (invoke("report", "--by", names).stdout for names in ("model,model", "model"))
    assert twice == once


@on_both
def test_report_filters(ids: dict[str, str]) -> None:
    group, total = invoke_json("report", "--where", "model=gpt-4o-mini")
    assert (group["model"], group["calls"], group["errors"]) == ("gpt-4o-mini", 1, 1)
    assert (total["model"], total["calls"]) == (None, 1)


@pytest.mark.parametrize("width", [80, 140])
def test_report_fits(ids: dict[str, str], width: int) -> None:
    lines = invoke("report", "--by", "model,day", width=width).stdout.splitlines()
    assert all(cell_len(line) <= width for line in lines)
    total = next(number for number, line in enumerate(lines) if line.startswith("total"))
    assert "1 replayed" in "".join(lines[total + 1 :])


@on_both
def test_db_check_counts_what_is_fine(ids: dict[str, str]) -> None:
    assert invoke("db", "check").stdout == "fine: 9 calls, 9 payloads\n"


@on_both
def test_db_check_names_what_is_not(ids: dict[str, str], change: Change) -> None:
    change("UPDATE payloads SET record = pieces")
    result = invoke("db", "check")
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == len(ids)


@on_both
def test_db_upgrade_says_where_it_stands(ids: dict[str, str]) -> None:
    assert invoke("db", "upgrade").stdout.startswith("up to date (")


@pytest.fixture
def another_soon(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """While `tail` sleeps for the first time a call is stored; its third sleep is ended by Ctrl-C."""
    sleeps = iter(range(2))

    def sleep(seconds: float) -> None:
        turn = next(sleeps, None)
        if turn is None:
            raise KeyboardInterrupt
        if turn == 0:
            stored(url, an_exchange(asking(), []), 77)

    monkeypatch.setattr("recorder.cli.tail.time.sleep", sleep)


@on_both
@pytest.mark.usefixtures("another_soon")
def test_tail_goes_on_with_what_is_stored(ids: dict[str, str]) -> None:
    result = invoke("tail", "-n", "2", "--format", "json")
    assert result.exit_code == 0
    calls = [json.loads(line) for line in result.stdout.splitlines()]
    assert [call["id"] for call in calls[:2]] == [ids["replayed"], ids["evil"]]
    assert len(calls) == 3


@pytest.mark.parametrize("url", ["sqlite_url", "postgres_url"], indirect=True)
@pytest.mark.usefixtures("another_soon")
def test_tail_waits_for_a_store(url: str) -> None:
    result = invoke("tail", width=80)
    assert result.exit_code == 0
    assert result.stderr.count("waiting") == 1
    assert result.stdout.startswith("time ")
    assert len(result.stdout.splitlines()) == 2


def test_help_needs_neither_database_nor_clients() -> None:
    program = "import sys, recorder.cli; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, cwd=ROOT)
    assert not {b"sqlalchemy", b"alembic", b"httpx", b"httpx2", b"openai"} & set(done.stdout.split())


def test_python_m_recorder_works() -> None:
    done = shell("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("recorder ")


def test_a_reader_that_leaves_early_is_no_error(ids: dict[str, str]) -> None:
    command = f"{sys.executable} -m recorder ls --format json | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.stdout, done.stderr) == ("[\n", "")


def test_output_that_cannot_say_everything_still_comes(ids: dict[str, str]) -> None:
    done = shell("show", ids["stream"], variables={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "In \\u65e5\\u672c." in done.stdout


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def program(tmp_path: Path, upstream: Upstream) -> str:
    """A program that makes as many calls as it is told to, and ends with code 7."""
    path = tmp_path / "app.py"
    path.write_text(
        "import sys, httpx2\n"
        "for _ in range(int(sys.argv[1])):\n"
        f"    httpx2.post('{upstream.base_url}/chat/completions', json={{'model': 'm', 'messages': []}})\n"
        "sys.exit(7)\n"
    )
    return str(path)


@on_both
def test_run_records_a_program_that_knows_nothing(url: str, program: str) -> None:
    done = shell("run", "--", sys.executable, program, "3")
    assert done.returncode == 7
    assert done.stderr == f"recorded 3 calls in {url} · recorder ls\n"
    assert len(listed()) == 3


def test_run_names_a_store_that_is_not_the_default(program: str, tmp_path: Path) -> None:
    done = shell("run", "--store", f"sqlite:///{tmp_path}/other.db", "--", sys.executable, program, "1")
    assert done.stderr.endswith(f"recorder ls --store sqlite:///{tmp_path}/other.db\n")


def test_run_inside_run_records_a_child_of_the_child_once(url: str, program: str) -> None:
    parent = f"import subprocess, sys, httpx2; subprocess.run([sys.executable, {program!r}, '2'])"
    shell("run", "--", sys.executable, "-m", "recorder", "run", "--", sys.executable, "-c", parent)
    assert len(listed()) == 2


def test_run_runs_the_sitecustomize_that_was_there(url: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.seen = __name__")
    program = "import sys, sitecustomize; print(sys.seen, sitecustomize.__file__, *sys.path, sep='\\n')"
    done = shell("run", "--", sys.executable, "-c", program, variables={"PYTHONPATH": str(tmp_path)})
    seen, file, *paths = done.stdout.splitlines()
    assert (seen, file) == ("sitecustomize", f"{tmp_path}/sitecustomize.py")
    assert not any(path.endswith("cli/site") for path in paths)


def test_run_leaves_a_program_with_a_module_named_recorder_alone(url: str, tmp_path: Path) -> None:
    (tmp_path / "recorder.py").write_text("name = 'mine'")
    (tmp_path / "app.py").write_text("import httpx2, recorder; print(recorder.name)")
    done = shell("run", "--", sys.executable, str(tmp_path / "app.py"))
    assert (done.returncode, done.stdout) == (0, "mine\n")
    assert "another module named recorder" in done.stderr.splitlines()[0]
    assert done.stderr.splitlines()[1].startswith("recorded no calls")


def test_run_costs_a_program_one_line_where_it_cannot_record(url: str, tmp_path: Path) -> None:
    (tmp_path / "msgspec.py").write_text("raise RuntimeError('broken')")
    (tmp_path / "app.py").write_text("import httpx2; print('ran')")
    done = shell("run", "--", sys.executable, str(tmp_path / "app.py"))
    assert (done.returncode, done.stdout) == (0, "ran\n")
    assert done.stderr.splitlines()[0] == "recorder: RuntimeError: broken; the program runs unrecorded"


def test_run_of_a_command_that_is_not_there_is_127(url: str) -> None:
    done = shell("run", "no-such-command-anywhere")
    assert (done.returncode, done.stderr) == (127, "recorder: no-such-command-anywhere: command not found\n")


def test_run_of_what_is_no_program_is_126(url: str, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no program")
    assert shell("run", str(tmp_path / "data")).returncode == 126


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_passes_signals_on_and_gives_the_code_of_a_shell(url: str, number: signal.Signals) -> None:
    program = "import signal, time; signal.signal(2, signal.SIG_DFL); print('up', flush=True); time.sleep(60)"
    child = subprocess.Popen(
        [sys.executable, "-m", "recorder", "run", "--", sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        start_new_session=True,
    )
    assert child.stdout is not None
    with child.stdout as output:
        output.readline()
        child.send_signal(number)
        assert child.wait(30) == 128 + number


def test_run_refuses_a_store_that_cannot_be(tmp_path: Path) -> None:
    done = shell("run", "--store", "calls.db", "--", sys.executable, "-c", "print('ran')")
    assert (done.returncode, done.stdout) == (1, "")
    assert "sqlite:///calls.db" in done.stderr


@on_both
def test_db_stats_says_where_the_bytes_are(ids: dict[str, str]) -> None:
    lines = invoke("db", "stats", width=80).stdout.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["part", "calls", "payloads", "blobs"]
    assert lines[1].split()[1] == str(len(ids))
    assert all(cell_len(line) <= 80 for line in lines)
    told = json.loads(invoke("db", "stats", "--format", "json").stdout)
    assert [part["rows"] > 0 for part in told["parts"] if part["name"] == "rollups"] == [True]
    assert told["total_bytes"] == sum(part["bytes"] for part in told["parts"])
    assert told["ratio"] == told["sent_bytes"] / told["kept_bytes"]
