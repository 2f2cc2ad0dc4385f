"""`recorder dashboards`: the dashboards as files, and the metrics of the store that some of them show."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from ..errors import DashboardError
from . import options
from .calls import counted
from .console import say
from .store import open_store
from .text import styled

app = typer.Typer(help="Dashboards for Grafana and alerts for Prometheus.", no_args_is_help=True)


@app.command("export")
def export_dashboards(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write; made if it is not there.")],
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TARGET",
            help="Only the dashboards that ask this: postgres, sqlite or prometheus; may be repeated.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that differ.")] = False,
) -> None:
    """Write the dashboards, their provisioning, a compose file and the alert rules.

    Nothing is written if a file is there already and differs, unless --force says so.
    """
    from .. import panels

    wanted = [name for name in panels.TARGETS if target is None or name in target]
    if wrong := sorted(set(target or ()) - set(panels.TARGETS)):
        raise typer.BadParameter(
            f"{wrong[0]!r} is none of {', '.join(panels.TARGETS)}", param_hint="--target"
        )
    files = panels.files_for(wanted)
    if not force:
        _refuse_differing(folder, files)
    for name, text in files.items():
        _write(folder / name, text)
    say(Text(f"{counted(len(files), 'file')} written to ").append_text(styled(folder, "cyan")))
    say(Text("What they show, and how to start: ", "dim").append_text(styled(folder / "README.md", "dim")))


@app.command("metrics")
def print_metrics(
    to: Annotated[
        Path | None,
        typer.Option(
            "--to",
            metavar="FILE",
            help="Write them there, at once: a .prom file for node_exporter's textfile collector.",
        ),
    ] = None,
    store: options.Store = None,
) -> None:
    """Print budgets, unpriced and lost calls, and outcomes, in Prometheus' text format."""
    from ..interchange.writing import written
    from ..ledger import Budgets
    from ..panels.store_metrics import store_metrics

    url = options.store_url(store)
    text = store_metrics(open_store(url), Budgets(url).all(), time.time_ns() // 1000)
    if to is None:
        sys.stdout.write(text)
        return
    with written(to) as file:
        file.write(text.encode())


def _refuse_differing(folder: Path, files: dict[str, bytes]) -> None:
    differing = [name for name, text in files.items() if _differs(folder / name, text)]
    if differing:
        raise DashboardError(
            f"{folder / differing[0]} is there already and differs"
            + (f", and so do {len(differing) - 1} more" if len(differing) > 1 else "")
            + "; choose another directory, or replace them with --force"
        )


def _differs(path: Path, text: bytes) -> bool:
    try:
        return path.read_bytes() != text
    except FileNotFoundError:
        return False
    except OSError as error:
        raise DashboardError(f"{path} cannot be read: {error.strerror or error}") from error


def _write(path: Path, text: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    except OSError as error:
        raise DashboardError(f"{path} cannot be written: {error.strerror or error}") from error
