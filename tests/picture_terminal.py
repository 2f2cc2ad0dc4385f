"""The README's picture of a terminal: what commands print on the demo's calls: `python -m tests.picture_terminal`.

The times are those of the machine that it was drawn on, and the prices are made up; all else is as it comes.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from recorder.demo.scenario import run
from recorder.demo.target import Target
from recorder.demo.upstream import Upstream
from recorder.ledger import Store
from recorder.ledger.price_list import PriceList
from recorder.recorder import Recorder

PICTURE = Path(__file__).resolve().parents[1] / ".github" / "pictures" / "terminal.svg"
COLUMNS = 104
_KEY = "sk-demo0123456789abcdefghijklmn"
_PRICES = {"deepseek-chat": ("0.28", "0.42"), "deepseek-reasoner": ("0.55", "2.19")}
_DARK = ((72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34))
_LIGHT = ((88, 166, 255), (188, 140, 255), (57, 197, 207), (177, 186, 196))
_THEME = TerminalTheme((13, 17, 23), (201, 209, 217), [*_DARK, *_LIGHT])


def picture(url: str, commands: Iterable[str]) -> str:
    """What a terminal shows after some commands, as SVG that asks for no font of others."""
    terminal = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for number, command in enumerate(commands):
        terminal.print(Text(f"{chr(10) if number else ''}$ recorder {command}", "bold"))
        for line in printed(url, command.split()).splitlines():
            terminal.print(Text.from_ansi(line))
    drawn = terminal.export_svg(title="", theme=_THEME, unique_id="t")
    return re.sub(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", "", drawn, flags=re.DOTALL).replace(
        "Fira Code,", "Menlo, Consolas,"
    )


def printed(url: str, arguments: list[str]) -> str:
    """What a command writes to a terminal of colours."""
    coloured = {
        **os.environ,
        "RECORDER_STORE": url,
        "COLUMNS": str(COLUMNS),
        "FORCE_COLOR": "1",
        "TERM": "xterm-256color",
        "TZ": "UTC",
    }
    done = subprocess.run(
        [sys.executable, "-m", "recorder", *arguments],
        env=coloured,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def make_calls(url: str) -> str:
    """Make the demo's calls; the id of the one that reasons."""
    for model, (prompt, answer) in _PRICES.items():
        row = {"model": model, "host": "127.0.0.1", "input": prompt, "output": answer}
        PriceList(url).set(model, row)
    with Upstream() as upstream:
        chat, reasoner = _PRICES
        target = Target(upstream.base_url, _KEY, chat, reasoner, gateway_url=upstream.gateway_url)
        with Recorder(url, providers=target.providers) as recorder:
            for step in run(recorder, target):
                assert step.failure is None, step.failure
    (call,) = (row for row in Store(url).calls(limit=None) if row["request_model"] == "deepseek-reasoner")
    return str(call["id"])


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        url = f"sqlite:///{scratch}/calls.db"
        reasoning = make_calls(url)[-8:]
        PICTURE.write_text(picture(url, ["report --by model", f"show {reasoning}"]), encoding="utf-8")


if __name__ == "__main__":
    main()
