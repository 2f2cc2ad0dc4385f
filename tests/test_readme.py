"""The README does what it says: its code runs, its commands exist, its tables are what the commands print."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

import recorder
from recorder.call import AnswerHalf, Call, CallError, RequestHalf, Usage
from recorder.cassettes import Recorded
from recorder.cassettes.file import FileCassette
from recorder.cli.main import app
from recorder.demo.upstream import Upstream
from recorder.exchange import Ending, Exchange, Request, ResponseHead
from recorder.ledger import Store

from .drivers import Reply
from .ledger_calls import a_call, store_calls
from .otel import Otel, ask, recording
from .picture_terminal import PICTURE

pytest_plugins = ("pytester",)

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8")
ALL_BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
TESTS = [block for block in ALL_BLOCKS if "import pytest" in block]
BLOCKS = [block for block in ALL_BLOCKS if block not in TESTS]
GENERATED = dict(re.findall(r"<!-- (\w+) -->\n```\w*\n(.*?)```", TEXT, re.DOTALL))
QUIET = ("-p", "no:cacheprovider", "-p", "no:langsmith_plugin")
ASK = b'{"model":"deepseek-chat","messages":[{"role":"user","content":"Hi"}]}'
ANSWER = (
    b'{"id":"c-1","object":"chat.completion","model":"deepseek-chat","choices":[{"index":0,"message":{"role":"assistant",'
    b'"content":"Hello!\\n\\nHow can I help you today?"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":5,"completion_tokens":9,"total_tokens":14}}'
)
PICTURES = [
    page.parent / name
    for page in (README, ROOT / "dashboards" / "README.md")
    for name in re.findall(r"!\[[^]]*\]\(([^)]*)\)", page.read_text(encoding="utf-8"))
]
COMMANDS = {"ls": ["ls"]}


def readme_calls() -> list[Call]:
    """A short morning: whole and streamed answers, a retry, a time-out, a stream that was left."""
    chat, reasoner = "deepseek-chat", "deepseek-reasoner"
    return [
        made(1, chat, 1.84, Usage(1204, 1024, None, 350), tail="a1f0c2d4"),
        made(2, reasoner, 9.31, Usage(312, 0, None, 1811, 1466), first_token_s=6.02, tail="5be07731"),
        made(4, chat, 0.09, error=CallError("rate_limit_reached", "slow down"), tail="c8d92e10"),
        made(5, chat, 2.11, Usage(1204, 1152, None, 402), attempt=2, tail="77aa03f9"),
        made(
            9,
            "deepseek-r1",
            4.52,
            Usage(18, None, None, 156),
            "deepseek-onprem",
            first_token_s=1.2,
            tail="0e4411bb",
        ),
        made(12, chat, 60.0, error=CallError("httpx2.ReadTimeout", "timed out"), tail="f3126c58"),
        made(13, chat, 0.71, outcome="incomplete", first_token_s=0.38, tail="9d20e6a7"),
    ]


def made(
    minute: int,
    model: str,
    seconds: float,
    usage: Usage | None = None,
    provider: str = "deepseek",
    *,
    tail: str,
    error: CallError | None = None,
    outcome: Any = "ok",
    attempt: int = 1,
    first_token_s: float | None = None,
) -> Call:
    first_token_ns = None if first_token_s is None else int(first_token_s * 1e9)
    return a_call(
        id=f"019aa000-0000-7000-8000-0000{tail}",
        started_us=1_763_719_200_000_000 + minute * 61_000_000,
        duration_ns=int(seconds * 1e9),
        request=RequestHalf("chat", provider, "api.deepseek.com", 443, "chat", model, attempt=attempt),
        answer=AnswerHalf(model=None if error else model, usage=usage, first_token_ns=first_token_ns),
        outcome="error" if error else outcome,
        error=error,
    )


@pytest.fixture
def deepseek(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    """Let requests to api.deepseek.com reach a local upstream instead."""
    with Upstream() as upstream:
        send = httpx2.HTTPTransport.handle_request

        def redirected(transport: Any, request: Any) -> Any:
            url = httpx2.URL(f"{upstream.base_url}{request.url.path}")
            headers = [pair for pair in request.headers.raw if pair[0].lower() != b"host"]
            headers.append((b"authorization", b"Bearer sk-test0123456789abcdefghij"))
            local = httpx2.Request(request.method, url, headers=headers, content=request.content)
            return send(transport, local)

        monkeypatch.setattr(httpx2.HTTPTransport, "handle_request", redirected)
        yield upstream


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_python_blocks_run(
    block: str, deepseek: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(block.replace("sk-…", "sk-0123456789abcdefghijklmn"), README, "exec"), names)
    for held in (names.get("client"), names.get("rec")):
        if held is not None:
            held.close()
    calls = block.count(".create(") + block.count("client.post(")
    replays = "recorder.cassette(" in block
    assert len(deepseek.requests) == (1 if replays else calls)
    if calls and not replays:
        outcomes = {row["outcome"] for row in Store("sqlite:///calls.db").calls()}
        assert outcomes == {"ok"}


@pytest.mark.parametrize("block", TESTS, ids=range(len(TESTS)))
def test_tests_are_recorded_once_and_then_replayed(
    block: str, deepseek: Upstream, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    pytester.makepyfile(test_answer=block.replace("sk-…", "sk-0123456789abcdefghijklmn"))
    pytester.runpytest_inprocess("--recorder-mode=once", *QUIET).assert_outcomes(passed=1)
    pytester.runpytest_inprocess(*QUIET).assert_outcomes(passed=1)
    assert len(deepseek.requests) == 1
    assert [path.name for path in pytester.path.glob("cassettes/test_answer/*")] == ["test_greeting.yaml"]


def test_cassette_reads_as_shown(tmp_path: Path) -> None:
    path = tmp_path / "cassettes" / "test_answer" / "test_greeting.yaml"
    path.parent.mkdir(parents=True)
    FileCassette(path).save([Recorded(readme_exchange(), "", credential=1)])
    shown("cassette", path.read_text(encoding="utf-8"), "yaml")


def test_miss_reads_as_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    FileCassette("test_greeting.yaml").save([Recorded(readme_exchange(), "", credential=1)])
    asked = readme_exchange().request.body.replace(b"Hi", b"Hello").replace(b"}]}", b'}],"user":"u-7"}')
    with recorder.cassette("test_greeting.yaml") as cassette, cassette.wrap(httpx2.Client()) as client:
        with pytest.raises(recorder.CassetteMiss) as miss:
            client.post("https://api.deepseek.com/chat/completions", content=asked)
        shown("miss", f"{miss.value}\n")


def readme_exchange() -> Exchange:
    headers = ((b"Authorization", b"Bearer REDACTED"), (b"Content-Type", b"application/json"))
    return Exchange(
        Request("POST", "https://api.deepseek.com/chat/completions", headers, ASK),
        1_763_719_200_000_000,
        Ending("complete", 1_200_000_000),
        ResponseHead(200, ((b"Content-Type", b"application/json"),), reason=b"OK", at_ns=1_180_000_000),
        (ANSWER,),
        (1_190_000_000,),
    )


def shown(name: str, printed: str, language: str = "") -> None:
    """That this is what the README shows; with UPDATE_README set, it does from now on."""
    if os.environ.get("UPDATE_README"):
        block = f"<!-- {name} -->\n```{language}\n{printed}```"
        text = README.read_text(encoding="utf-8")
        pattern = rf"<!-- {name} -->\n```\w*\n.*?```"
        README.write_text(re.sub(pattern, lambda _: block, text, flags=re.DOTALL), encoding="utf-8")
    else:
        assert printed == GENERATED[name]


def test_span_reads_as_shown(otel: Otel, tmp_path: Path) -> None:
    asked = {"model": "deepseek-chat", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0.7}
    with recording(otel, tmp_path, content="SPAN_ONLY") as rec:
        ask(rec, Reply(chunks=[ANSWER]), asked, url="https://api.deepseek.com/chat/completions")
    told = {**otel.attributes, "recorder.operation_id": "019aa000-0000-7000-8000-0000a1f0c2d4"}
    lines = [f"{otel.span.name} · {otel.span.kind.name}"]
    lines += [f"  {name:<34} {value}" for name, value in sorted(told.items())]
    shown("span", "\n".join(lines) + "\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_tables_are_what_the_commands_print(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TZ", "UTC")
    url = f"sqlite:///{tmp_path}/calls.db"
    store_calls(url, *readme_calls())
    result = CliRunner().invoke(app, [*COMMANDS[name], "--store", url])
    assert result.exit_code == 0
    shown(name, result.stdout)


def test_the_terminals_picture_has_the_columns_that_a_report_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "104")
    url = f"sqlite:///{tmp_path}/calls.db"
    store_calls(url, *readme_calls())
    printed = CliRunner().invoke(app, ["report", "--by", "model", "--store", url]).stdout
    drawn = re.findall(r"<text[^>]*>([^<]*)</text>", PICTURE.read_text(encoding="utf-8"))
    assert " ".join(printed.splitlines()[0].split()) in " ".join(" ".join(map(unescape, drawn)).split())


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_pictures_are_there_and_small_and_ask_nobody_for_anything(path: Path) -> None:
    drawn = path.read_bytes()
    assert 5_000 < len(drawn) < 150_000
    if path.suffix == ".svg":
        assert re.findall(rb"@import|@font-face|<image|<script|url\((?!#)|href=", drawn) == []


def test_exports_and_imports_run_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECORDER_STORE", "sqlite:///calls.db")
    store_calls("sqlite:///calls.db", *readme_calls())
    commands = re.findall(r"^recorder ((?:export|import|ls --where|ls --search) [^#\n]+)", TEXT, re.MULTILINE)
    assert len(commands) >= 7
    for command in commands:
        result = CliRunner().invoke(
            app, shlex.split(command.replace("--since 30d", "").replace("--since 7d", ""))
        )
        assert result.exit_code == 0, command
    assert len(Store("sqlite:///other.db").calls()) == 7
    assert len(Path("errors.har").read_text(encoding="utf-8").splitlines()) == 2 + 2


def test_commands_named_in_the_readme_exist() -> None:
    named = set(
        re.findall(
            r"\brecorder (ls|show|tail|report|run|demo|export|import|db \w+|cassette \w+|dashboards \w+)",
            TEXT,
        )
    )
    assert {"ls", "show", "tail", "report", "run", "db check"} <= named
    for command in named:
        assert CliRunner().invoke(app, [*command.split(), "--help"]).exit_code == 0
    targets = set(re.findall(r"^make (\w+)", TEXT, re.MULTILINE))
    assert targets
    for target in targets:
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
