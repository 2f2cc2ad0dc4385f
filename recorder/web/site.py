"""What all pages share: the store, what may be shown of it, and how a template becomes an answer."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from .. import __version__
from .filters import address
from .shelf import Shelf
from .wording import FILTERS

if TYPE_CHECKING:
    from starlette.requests import Request

    from ..ledger import Store

_HERE: Final = Path(__file__).parent


class Site:
    """One store as a site; once `ending` is set, answers that have no end of their own end."""

    def __init__(
        self,
        store: Store,
        name: str,
        *,
        content: bool = True,
        ending: Event | None = None,
        cassettes: Path | None = None,
    ) -> None:
        self.store = store
        self.shelf = Shelf(store, cassettes)
        self.content = content
        self.ending = ending or Event()
        self._name = name
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(FILTERS)
        self._templates.globals.update(asset=_asset, address=address)

    def render(self, request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A template with its values as an answer."""
        page = self._templates.get_template(template)
        known = {
            "path": request.url.path,
            "store": self._name,
            "content": self.content,
            "version": __version__,
            "status": status,
        }
        return HTMLResponse(page.render({**known, **values}), status)

    def text(self, template: str, **values: Any) -> str:
        """A part of a page."""
        return self._templates.get_template(template).render(values)


def site_of(request: Request) -> Site:
    """The site that a request is for."""
    found: Site = request.app.state.site
    return found


@lru_cache
def _asset(path: str) -> str:
    """The address of a file, with a version that changes with its content."""
    return f"/static/{path}?{sha256((_HERE / 'static' / path).read_bytes()).hexdigest()[:8]}"
