"""The page served: by uvicorn, in this process, until somebody ends it."""

from __future__ import annotations

from threading import Event
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from starlette.types import ASGIApp


class _Server(uvicorn.Server):
    """Lets those who watch new calls go, when it is to end."""

    def __init__(self, config: uvicorn.Config, ending: Event) -> None:
        super().__init__(config)
        self._ending = ending

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._ending.set()
        super().handle_exit(sig, frame)


def serve(app: ASGIApp, host: str, port: int, ending: Event) -> None:
    """Serve an application until Ctrl-C, which sets `ending`; addresses, which can hold a token, are not logged."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=3,
    )
    _Server(config, ending).run()
