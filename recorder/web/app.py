"""The application: its routes, over one store, for those who may look."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from ..errors import CallNotFound, CassetteError, PriceError, RecorderError
from ..ledger.url import shown
from .pages import call, calls, cassettes, compare, conversation, differences, live, overview, prices
from .security import Access, Guard
from .site import Site

if TYPE_CHECKING:
    from ..ledger import Store

_STATIC: Final = Path(__file__).with_name("static")


class _Assets(StaticFiles):
    """Files that a browser may keep, since their addresses carry a version."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        answer = super().file_response(*args, **kwargs)
        answer.headers["Cache-Control"] = "max-age=3600"
        return answer


def create_app(
    store: Store,
    access: Access | None = None,
    *,
    content: bool = True,
    ending: Event | None = None,
    cassettes: Path | None = None,
) -> Guard:
    """The page over a store and a folder of cassettes; without `content` nothing of what was said is shown."""
    site = Site(store, shown(store.url), content=content, ending=ending, cassettes=cassettes)
    app = Starlette(
        routes=[
            *[Route(path, endpoint, methods=["GET"]) for path, endpoint in PAGES.items()],
            Mount("/static", _Assets(directory=_STATIC)),
        ],
        exception_handlers={HTTPException: _http_problem, RecorderError: _problem, Exception: _failure},
    )
    app.state.site = site
    return Guard(app, access or Access())


PAGES: Final = {
    "/": overview.overview,
    "/calls": calls.calls,
    "/calls.csv": calls.export,
    "/calls.jsonl": calls.export,
    "/live": live.live,
    "/conversation": conversation.page,
    "/compare": compare.page,
    "/cassettes": cassettes.cassettes,
    "/cassettes/one": cassettes.cassette,
    "/cassettes/differences": differences.page,
    "/prices": prices.prices,
    "/prices/findings": prices.findings,
    "/calls/{id}": call.call,
    "/calls/{id}/request": call.body,
    "/calls/{id}/response": call.body,
    "/calls/{id}/pieces": call.pieces,
    "/calls/{id}/as/{kind}": call.copy,
}


async def _problem(request: Request, error: Exception) -> Response:
    return _page(
        request, 404 if isinstance(error, CallNotFound | CassetteError | PriceError) else 503, str(error)
    )


async def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    nothing = "There is nothing at this address."
    return _page(request, error.status_code, nothing if error.status_code == 404 else error.detail)


async def _failure(request: Request, error: Exception) -> Response:
    return _page(request, 500, f"This page could not be made: {type(error).__name__}.")


def _page(request: Request, status: int, message: str) -> Response:
    site: Site = request.app.state.site
    return site.render(request, "problem.html", status=status, message=message, title="Not shown")
