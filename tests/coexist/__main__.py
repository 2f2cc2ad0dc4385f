"""Run recorder beside others: `python -m tests.coexist`, or `make test-coexist`.

Some of these pytest plugins and tracers cannot be installed together, so each has an environment below `.venv/coexist`.
Beside a plugin a suite is recorded and then replayed with its upstream gone, and pytest must list everybody's
options and fixtures. Beside a tracer each call must have one span of a model call, beside gevent one row.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path

from .upstream import upstream

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OURS = ("--recorder-mode", "--recorder-report", "recorded --", "recorder_config [session scope] --")
REPLAY = ("--recorder-mode=none", "--recorder-report", "--recorder-orphans", "--recorder-on-unused=fail")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An environment: what is installed in it, which suite runs, with which arguments, and what pytest must list.

    `misses` is the test that must fail when all is replayed.
    """

    name: str
    packages: tuple[str, ...]
    suite: str
    record: tuple[str, ...] = ()
    replay: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    misses: str = "no_test"


NEIGHBOURS = (
    Neighbour(
        "pytest-recording",
        ("pytest-recording", "vcrpy>=9.4"),
        "beside_vcr.py",
        record=("--record-mode=once",),
        replay=("--record-mode=none", "--block-network"),
        listed=("--record-mode", "--block-network", "--disable-recording", "vcr --", "vcr_config --"),
    ),
    Neighbour(
        "cassetter",
        ("cassetter",),
        "beside_vcr.py",
        record=("--record-mode=once",),
        replay=("--record-mode=none",),
        listed=("--record-mode", "vcr --", "cassette --", "vcr_config [module scope] --"),
    ),
    Neighbour(
        "asyncio",
        ("pytest-asyncio", "anyio", "trio"),
        "beside_asyncio.py",
        listed=("--asyncio-mode",),
        misses="test_swallowed_miss",
    ),
    Neighbour(
        "xdist",
        ("pytest-asyncio", "anyio", "trio", "pytest-xdist"),
        "beside_asyncio.py",
        record=("-n2",),
        replay=("-n2",),
        listed=("--numprocesses", "worker_id [session scope] --"),
        misses="test_swallowed_miss",
    ),
)


TRACERS = tuple(
    Neighbour(name, ("openai>=3.54", "opentelemetry-sdk>=1.37", *packages), "beside_tracing.py")
    for name, packages in (
        ("httpx", ("opentelemetry-instrumentation-httpx>=0.65b0",)),
        ("genai-openai", ("opentelemetry-instrumentation-genai-openai>=1.3b0",)),
        ("openllmetry", ("opentelemetry-instrumentation-openai",)),
        ("openinference", ("openinference-instrumentation-openai",)),
        ("logfire", ("logfire",)),
        ("anthropic", ("anthropic>=2.12",)),
        ("distro", ("opentelemetry-distro",)),
    )
)


GREENLETS = Neighbour("gevent", ("gevent>=25.9",), "beside_gevent.py")


def main(names: list[str]) -> int:
    """Run those named, or all; how many failed."""
    failed = 0
    for neighbour in (*NEIGHBOURS, *TRACERS, GREENLETS):
        if names and neighbour.name not in names:
            continue
        python = environment(neighbour)
        problems = run(python, neighbour) if neighbour in NEIGHBOURS else script(python, neighbour)
        print(f"{neighbour.name}: {'; '.join(problems) if problems else 'ok'}", flush=True)
        failed += bool(problems)
    return failed


def environment(neighbour: Neighbour) -> Path:
    """Its Python; the environment is made once, and brought up to date each time."""
    folder = ROOT / ".venv" / "coexist" / neighbour.name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        venv.create(folder, with_pip=True, clear=True)
    pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    subprocess.run([*pip, "--editable", f"{ROOT}[httpx2]", "pytest>=9", *neighbour.packages], check=True)
    return python


def run(python: Path, neighbour: Neighbour) -> list[str]:
    """What does not work."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("conftest.py", neighbour.suite):
            shutil.copy(HERE / name, folder)
        listing = (
            pytest(python, Path(folder), "--help").stdout + pytest(python, Path(folder), "--fixtures").stdout
        )
        with upstream() as url:
            recording = (neighbour.suite, "--recorder-mode=once", *neighbour.record)
            recorded = pytest(python, Path(folder), *recording, upstream=url)
        replaying = (neighbour.suite, *REPLAY, *neighbour.replay)
        replayed = pytest(python, Path(folder), *replaying, "-k", f"not {neighbour.misses}", upstream=url)
        missed = pytest(python, Path(folder), *replaying, "-k", neighbour.misses, upstream=url)
    problems = [f"{name!r} is not listed" for name in (*OURS, *neighbour.listed) if name not in listing]
    if neighbour.misses != "no_test" and (missed.returncode != 1 or "has no answer" not in missed.stdout):
        problems.append(f"a swallowed miss does not fail:\n{missed.stdout}{missed.stderr}")
    for what, done in (("recording", recorded), ("replay", replayed)):
        if done.returncode:
            problems.append(f"{what} fails:\n{done.stdout}{done.stderr}")
    return problems


def script(python: Path, neighbour: Neighbour) -> list[str]:
    """What a script says is wrong, with calls that another tracer sees as well, or that greenlets make."""
    command = [str(python), str(HERE / neighbour.suite), neighbour.name]
    if neighbour.name == "distro":
        command.insert(0, str(python.with_name("opentelemetry-instrument")))
    environment = {**os.environ, "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}
    environment |= {"OTEL_LOGS_EXPORTER": "none"}
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    return [f"{done.stdout}{done.stderr}"] if done.returncode else []


def pytest(
    python: Path, folder: Path, *arguments: str, upstream: str = ""
) -> subprocess.CompletedProcess[str]:
    """pytest in that environment, with nothing of this project's configuration."""
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "RECORDER_MODE")}
    command = [
        str(python),
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        "--rootdir",
        str(folder),
    ]
    return subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env={**kept, "UPSTREAM": upstream},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
