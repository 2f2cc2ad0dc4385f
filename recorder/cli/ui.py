"""`recorder ui`: the calls of a store as a page in the browser."""

from __future__ import annotations

import socket
import sys
import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import quote

import typer

from ..errors import MissingExtra, RecorderError
from . import options
from .console import say
from .store import open_to_look

if TYPE_CHECKING:
    from ..ledger import Store
    from ..web.security import Access

_CASSETTES: Final = Path("tests", "cassettes")


def ui(
    store: options.Store = None,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 for any free one.")] = 8787,
    token: Annotated[
        str | None,
        typer.Option(
            metavar="T", envvar="RECORDER_UI_TOKEN", help="Let in only who has this.", show_envvar=True
        ),
    ] = None,
    proxy_user_header: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Let in only what a proxy in front sends with this header."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name under which the page is asked for; may be repeated."),
    ] = None,
    cassettes: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="Show the cassette files below this folder, too. [default: tests/cassettes, where it is]",
        ),
    ] = None,
    no_content: Annotated[
        bool, typer.Option("--no-content", help="Show figures alone: nothing of what was said.")
    ] = False,
    open: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Look at calls in the browser: what they cost, how long they took, what was said.

    Reads only. Listens to this machine alone; to others only with --token, or behind a proxy that says who asks.
    """
    try:
        from ..web.app import create_app
        from ..web.security import access_for, is_loopback
        from ..web.server import serve
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name), "web") from None
    if not is_loopback(host) and token is None and proxy_user_header is None:
        raise typer.BadParameter(
            f"{host} can be reached by others: let in only who has a token (--token T), or who comes through a "
            "proxy of yours (--proxy-user-header NAME)",
            param_hint="--host",
        )
    if token is not None and not token.strip():
        raise typer.BadParameter("is empty", param_hint="--token")
    opened = open_to_look(options.store_url(store))
    access = access_for(host, token, proxy_user_header, allow_host or ())
    port = _free_port(host, port)
    _announce(opened, host, port, access, open=open)
    ending = threading.Event()
    folder = cassettes or (_CASSETTES if _CASSETTES.is_dir() else None)
    site = create_app(opened, access, content=not no_content, ending=ending, cassettes=folder)
    serve(site, host, port, ending)


def _announce(store: Store, host: str, port: int, access: Access, *, open: bool) -> None:
    store.calls(limit=1)  # says now what is wrong with the store
    name = f"[{host}]" if ":" in host else host
    address = f"http://{name}:{port}/" + (f"?token={quote(access.token, safe='')}" if access.token else "")
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()
    say("Ctrl-C ends it.", "dim")
    if open:
        # By then the server listens; a browser that is quicker tries again.
        threading.Timer(0.5, webbrowser.open, [address]).start()


def _free_port(host: str, port: int) -> int:
    """The port, or with 0 one that is free. Raises RecorderError where it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((host, port))
            return int(tried.getsockname()[1])
    except OSError as error:
        raise RecorderError(
            f"cannot listen at {host} port {port}: {error.strerror or error}; choose another with --port"
        ) from None
