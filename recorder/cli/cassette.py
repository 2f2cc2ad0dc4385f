"""`recorder cassette`: looking at cassettes, moving them, and keeping them true."""

from __future__ import annotations

import typer

from .cassette_cut import cut_cassette
from .cassette_diff import diff_cassettes
from .cassette_export import export_cassette
from .cassette_import import import_cassettes
from .cassette_list import list_cassettes
from .cassette_prune import prune_cassettes
from .cassette_show import show_cassette
from .cassette_verify import verify_cassette

app = typer.Typer(help="Look at cassettes, move them, keep them true.", no_args_is_help=True)

app.command("list")(list_cassettes)
app.command("show")(show_cassette)
app.command("export")(export_cassette)
app.command("import")(import_cassettes)
app.command("diff")(diff_cassettes)
app.command("verify")(verify_cassette)
app.command("prune")(prune_cassettes)
app.command("cut")(cut_cassette)
