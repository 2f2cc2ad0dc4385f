"""What tests in a real browser share: the browser, the page served, and a walk that notes all that goes wrong."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from recorder.ledger import Store

CHROMIUM = (
    os.environ.get("RECORDER_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
)
NO_CHROMIUM = "no Chromium: install it, or name one in RECORDER_TEST_CHROMIUM"
LOOKS = [("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360)]
"""The colours that somebody prefers, and the width of the window."""

_REACHABLE = "a[href], button, input:not([type=hidden]), select, summary, [tabindex='0']"
_NOTE_FOCUS = """() => {
    window.reached = new Set();
    document.addEventListener("focusin", (event) => window.reached.add(event.target));
}"""
_UNREACHED = f"""() => [...document.querySelectorAll("{_REACHABLE}")]
    .filter((each) => each.checkVisibility({{visibilityProperty: true}}) && !each.disabled && !window.reached.has(each))
    .map((each) => each.outerHTML.slice(0, 160))"""
_UNSEEN = """() => {
    const style = getComputedStyle(document.activeElement);
    return document.activeElement !== document.body && style.outlineStyle === "none"
        ? [document.activeElement.outerHTML.slice(0, 160)] : [];
}"""


@contextmanager
def driven() -> Iterator[Any]:
    """A browser without a window."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="install playwright, which drives the browser"
    )
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    with sync_api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@contextmanager
def served(url: str, cassettes: Path | None = None, port: int = 0) -> Iterator[str]:
    """The page of a store, served in a thread; its address."""
    uvicorn = pytest.importorskip("uvicorn", reason="install the extra `web`")
    pytest.importorskip("starlette", reason="install the extra `web`")
    from recorder.web.app import create_app

    ending = threading.Event()
    app = create_app(Store(url), ending=ending, cassettes=cassettes)
    config = uvicorn.Config(app, port=port, log_level="warning", lifespan="off", ws="none")
    config.timeout_graceful_shutdown = 3
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    ending.set()
    server.should_exit = True
    thread.join(10)


def opened(browser: Any, address: str, seen: list[str], **options: Any) -> Any:
    """A new page that notes what goes wrong in it: faults in its console, dialogs, and what it asks of others."""
    page = browser.new_page(**options)
    missing = "status of 404"
    page.on(
        "console",
        lambda said: seen.append(said.text) if said.type == "error" and missing not in said.text else None,
    )
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.on("dialog", lambda dialog: seen.append(f"dialog {dialog.message}"))
    page.on(
        "request", lambda asked: None if asked.url.startswith(f"{address}/") else seen.append(asked.url[:200])
    )
    return page


def walk(browser: Any, address: str, paths: Iterable[str], colours: str, width: int) -> list[str]:
    """Look at every page; what was wrong."""
    seen: list[str] = []
    page = opened(browser, address, seen, color_scheme=colours, viewport={"width": width, "height": 800})
    for path in paths:
        answer = page.goto(address + path)
        page.locator("h1").first.wait_for()
        if answer.status >= 500:
            seen.append(f"{path} is a {answer.status}")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            seen.append(f"{path} is wider than {width}")
    page.close()
    return seen


def unreached(browser: Any, address: str, path: str) -> list[str]:
    """What on a page can be clicked, but not be reached by Tab, or does not show that it was."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(address + path)
    page.evaluate(_NOTE_FOCUS)
    wrong: list[str] = []
    for _ in range(page.locator(_REACHABLE).count() + 2):
        page.keyboard.press("Tab")
        wrong += page.evaluate(_UNSEEN)
    wrong += page.evaluate(_UNREACHED)
    page.close()
    return wrong
