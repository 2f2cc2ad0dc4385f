"""The README does what it says: its code runs, its commands exist, its tables are what the commands print."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from recorder.call import AnswerHalf, Call, CallError, RequestHalf, Usage
from recorder.cli.main import app
from recorder.demo.upstream import Upstream
from recorder.ledger import Store

from .ledger_calls import a_call, store_calls

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
GENERATED = dict(re.findall(r"<!-- (\w+) -->\n```\n(.*?)```", TEXT, re.DOTALL))
COMMANDS = {"ls": ["ls"], "report": ["report", "--by", "model,day"]}


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
    assert len(deepseek.requests) == calls
    if calls:
        outcomes = {row["outcome"] for row in Store("sqlite:///calls.db").calls()}
        assert outcomes == {"ok"}


@pytest.mark.parametrize("name", COMMANDS)
def test_tables_are_what_the_commands_print(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "112")
    monkeypatch.setenv("TZ", "UTC")
    url = f"sqlite:///{tmp_path}/calls.db"
    store_calls(url, *readme_calls())
    result = CliRunner().invoke(app, [*COMMANDS[name], "--store", url])
    assert result.exit_code == 0
    if os.environ.get("UPDATE_README"):
        printed = f"<!-- {name} -->\n```\n{result.stdout}```"
        text = README.read_text(encoding="utf-8")
        README.write_text(
            re.sub(rf"<!-- {name} -->\n```\n.*?```", lambda _: printed, text, flags=re.DOTALL),
            encoding="utf-8",
        )
    else:
        assert result.stdout == GENERATED[name]


def test_commands_named_in_the_readme_exist() -> None:
    named = set(re.findall(r"\brecorder (ls|show|tail|report|run|demo|db \w+)", TEXT))
    assert {"ls", "show", "tail", "report", "run", "db check"} <= named
    for command in named:
        assert CliRunner().invoke(app, [*command.split(), "--help"]).exit_code == 0
    targets = set(re.findall(r"^make (\w+)", TEXT, re.MULTILINE))
    assert targets
    for target in targets:
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
