"""Imports go one way through the rooms: each line may import from the lines above it, and from itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import recorder

ROOMS = (
    {"errors", "settings", "visible", "amounts"},
    {"exchange", "capture", "replay_capture", "body", "sse", "json_text", "json_spans", "byte_edits"},
    {
        "secret_names",
        "secret_alarm",
        "secret_shapes",
        "credential_headers",
        "rewriting",
        "form_fields",
        "named_values",
        "percent_encoding",
        "url_strings",
        "known_heads",
        "known_messages",
        "stream_fields",
        "secret_rules",
        "secret_edits",
        "clean_heads",
        "redact",
    },
    {"call", "dialects"},
    {"pricing"},
    {"cassettes"},
    {"guard", "ids", "tagging", "pausing", "particulars", "sampling", "bare", "routes"},
    {"telemetry"},
    {"attempt", "beginning", "cassettes_in_use", "ended", "played", "recording"},
    {"adapters"},
    {"ledger"},
    {
        "cassette_context",
        "cassette_coverage",
        "cassette_decorator",
        "cassette_spans",
        "file_cassette",
        "stored_cassette",
        "recorder",
    },
    {"instrumentor"},
    {"audit"},
    {"interchange"},
    {"panels"},
    {"demo"},
    {"testing"},
    {"web"},
    {"pytest_plugin", "cli", "__main__"},
)
ROOT = Path(recorder.__file__).parent
LEVEL = {name: level for level, names in enumerate(ROOMS) for name in names}
HEAVY = ("httpx", "httpx2", "sqlalchemy", "msgspec", "opentelemetry", "alembic", "typer", "rich", "yaml")


def modules() -> Iterator[tuple[Path, str, str]]:
    """Each module: its path, its dotted package, and the room that it is in."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts == ("__init__",) or "site" in parts:
            continue
        package = ".".join(("recorder", *(parts[:-1])))
        yield path, package, parts[0]


def imported(path: Path, package: str) -> Iterator[str]:
    """The rooms that a module imports from."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package.split(".")[: len(package.split(".")) - node.level + 1]
            target = [*base, *(node.module.split(".") if node.module else ())]
            names = [target[1]] if len(target) > 1 else [alias.name for alias in node.names]
            yield from (name for name in names if not name.startswith("__"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "recorder":
            yield (node.module or "").split(".")[1] if "." in (node.module or "") else "recorder"


def test_imports_go_one_way() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path, package, room in modules()
        for name in imported(path, package)
        if LEVEL[name] > LEVEL[room]
    ]
    assert wrong == []


def test_every_module_has_a_room() -> None:
    assert {room for _, _, room in modules()} == set(LEVEL)


def test_importing_recorder_imports_nothing_heavy() -> None:
    program = "import recorder, sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert not set(HEAVY) & set(done.stdout.split())


def test_public_names_resolve_and_nothing_else_does() -> None:
    assert all(getattr(recorder, name) is not None for name in recorder.__all__)
    assert set(recorder.__all__) <= set(dir(recorder))
    assert not hasattr(recorder, "nonsense")
