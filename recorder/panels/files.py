"""The files of the dashboards: which there are, what is in those that are made here, and where they lie.

`python -m recorder.panels` writes the made ones; the others (provisioning, compose, alerts) are written by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from .contents import with_contents
from .failures import ERRORS
from .genai import GENAI
from .grafana import grafana_json
from .latency import LATENCY
from .panel import Dashboard, Target
from .spend import SPEND
from .store import STORE
from .usage import USAGE

DASHBOARDS: Final[tuple[Dashboard, ...]] = (SPEND, LATENCY, ERRORS, USAGE, GENAI, STORE)
"""All dashboards, in the order in which people look at them."""


def made_files() -> dict[str, str]:
    """The dashboards that Grafana imports: path in the dashboards' folder, and text."""
    return {
        f"grafana/{target}/{dashboard.name}.json": json.dumps(
            grafana_json(dashboard, target), indent=2, ensure_ascii=False
        )
        + "\n"
        for dashboard in DASHBOARDS
        for target in dashboard.targets
    }


def folder() -> Path:
    """The dashboards' folder: inside an installed wheel, beside the package in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "dashboards"
    return installed if installed.is_dir() else package.parent / "dashboards"


def files_for(targets: Iterable[Target]) -> dict[str, bytes]:
    """The files that go with some targets: their dashboards, and all that is shared."""
    wanted = tuple(f"grafana/{target}/" for target in targets)
    root = folder()
    found = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
    return {
        name: text
        for name, text in found.items()
        if not name.startswith("grafana/") or name.startswith(wanted)
    }


def write_made(root: Path) -> None:
    """Write the made files and the README's list of panels anew, and remove files that are not made any more."""
    made = made_files()
    for path in root.glob("grafana/*/*.json"):
        if path.relative_to(root).as_posix() not in made:
            path.unlink()
    for name, text in made.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    readme = root / "README.md"
    readme.write_text(with_contents(readme.read_text(encoding="utf-8"), DASHBOARDS), encoding="utf-8")
