"""The built wheel carries what the package needs, and works without a checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    kept = shutil.ignore_patterns(".venv", ".git", "__pycache__", "*.db", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, source, ignore=kept)
    build = f"from hatchling.build import build_wheel; print(build_wheel({str(folder)!r}))"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_carries_migrations_and_the_start_hook_but_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "recorder/migrations/env.py" in names
    assert any(name.startswith("recorder/migrations/versions/0001_") for name in names)
    assert "recorder/cli/site/sitecustomize.py" in names
    assert "recorder/py.typed" in names
    assert {"recorder/dashboards/compose.yaml", "recorder/dashboards/grafana/sqlite/spend.json"} <= set(names)
    assert not [name for name in names if name.startswith(("tests/", "migrations/"))]


def test_unpacked_wheel_creates_a_store(wheel: Path, tmp_path: Path) -> None:
    unpacked = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(unpacked)
    program = f"""
import httpx2, recorder
assert recorder.__file__.startswith({str(unpacked)!r}), recorder.__file__
with recorder.Recorder("sqlite:///calls.db", strict=True) as rec:
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json={{"choices": []}}))
    rec.wrap(httpx2.Client(transport=transport)).post("https://a.test/chat/completions", json={{}})
    assert rec.flush()
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
