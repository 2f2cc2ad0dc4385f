"""The command `recorder`."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from rich.text import Text
from typer.core import TyperGroup

from .. import __version__
from ..errors import RecorderError
from . import budget, cassette, dashboards, db, prices
from .console import accept_any_character, say
from .demo import demo
from .drain import drain
from .export import export
from .import_calls import import_calls
from .ls import ls
from .report import report
from .reprice import reprice
from .run import run
from .show import show
from .tail import tail
from .text import styled_block
from .ui import ui


class Commands(TyperGroup):
    """All commands; a user-visible error of any of them is printed in its one or two lines."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; exit code 1 on a RecorderError."""
        try:
            return super().invoke(ctx)
        except RecorderError as error:
            say(Text().append("recorder: ", "bold red").append_text(styled_block(str(error))))
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"recorder {__version__}\n")
        raise typer.Exit


@app.callback()
def _recorder(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A flight recorder for LLM calls."""


app.command()(demo)
app.command(context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True})(run)
app.command()(ls)
app.command()(show)
app.command()(tail)
app.command()(report)
app.command()(ui)
app.command()(reprice)
app.command()(drain)
app.command()(export)
app.command("import")(import_calls)
app.add_typer(db.app, name="db")
app.add_typer(cassette.app, name="cassette")
app.add_typer(prices.app, name="prices")
app.add_typer(budget.app, name="budget")
app.add_typer(dashboards.app, name="dashboards")


def main() -> None:
    """Run the command line; never fails on a character that the output's encoding lacks."""
    accept_any_character()
    app(prog_name="recorder")
