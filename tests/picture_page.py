"""The README's picture of the local page, on a made-up month: `python -m tests.picture_page`."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

from recorder.ledger import Store
from recorder.ledger.database import open_database

from .million import store_made_up

PICTURE = Path(__file__).resolve().parents[1] / ".github" / "pictures" / "overview.png"
CHROMIUM = os.environ.get("RECORDER_TEST_CHROMIUM") or shutil.which("chromium")
CALLS = 100_000
LOOKED_AT = "/?since=2026-11-08&until=2026-11-21"
SIZE = {"width": 1180, "height": 900}


@contextmanager
def served(url: str) -> Iterator[str]:
    """The address of the page over a store."""
    import uvicorn

    from recorder.web.app import create_app

    ending = threading.Event()
    app = create_app(Store(url), ending=ending)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        ending.set()
        server.should_exit = True
        thread.join(10)


def take(address: str) -> None:
    """A picture of the first screen."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, color_scheme="light")  # type: ignore[arg-type]
        page.goto(address)
        page.wait_for_load_state("networkidle")
        page.locator("summary", has_text="Filters").click()
        page.screenshot(path=PICTURE)
        browser.close()


def main() -> None:
    if CHROMIUM is None:
        print(
            "The picture of the page stays as it is: no Chromium; install it, or name one in RECORDER_TEST_CHROMIUM"
        )
        return
    with tempfile.TemporaryDirectory() as scratch, chdir(scratch):  # the page shows the store's URL
        database = open_database("sqlite:///calls.db")
        store_made_up(database, CALLS, days=30)
        database.close()
        with served("sqlite:///calls.db") as address:
            take(address + LOOKED_AT)


if __name__ == "__main__":
    main()
