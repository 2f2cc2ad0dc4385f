"""The page in a real browser: no console error, nothing asked of others, no dialog, keys alone, narrow and dark."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from recorder.ledger import Store

from .web_calls import HOSTILE, STREAMED, TURNS, store_web_calls

CHROMIUM = (
    os.environ.get("RECORDER_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
)
AXE = os.environ.get("RECORDER_TEST_AXE")
WALK = (
    *(
        "/?since=2020-01-01",
        "/calls",
        f"/calls/{HOSTILE}",
        f"/calls/{STREAMED}",
        "/conversation?session=trip-8",
    ),
    *(
        f"/compare?a={TURNS[0]}&b={TURNS[1]}",
        "/cassettes",
        "/prices",
        "/nothing",
        "/calls?q=%3Cscript%3Ealert(1)",
    ),
)

sync_api = pytest.importorskip("playwright.sync_api", reason="install playwright, which drives the browser")
uvicorn = pytest.importorskip("uvicorn", reason="install the extra `web`")
pytest.importorskip("starlette", reason="install the extra `web`")

from recorder.web.app import create_app  # noqa: E402 - it needs what may be missing

pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium: install it, or name one in RECORDER_TEST_CHROMIUM"
    ),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page is served."""
    url = f"sqlite:///{tmp_path_factory.mktemp('browser')}/calls.db"
    store_web_calls(url)
    ending = threading.Event()
    config = uvicorn.Config(
        create_app(Store(url), ending=ending), port=0, log_level="warning", lifespan="off", ws="none"
    )
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def seen() -> list[str]:
    """What went wrong while somebody looked."""
    return []


def opened(browser: Any, address: str, seen: list[str], **options: Any) -> Any:
    """A new page that notes what goes wrong in it."""
    page = browser.new_page(**options)
    missing = "status of 404"
    page.on(
        "console",
        lambda said: seen.append(said.text) if said.type == "error" and missing not in said.text else None,
    )
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.on("dialog", lambda dialog: seen.append(f"dialog {dialog.message}"))
    page.on(
        "request", lambda asked: seen.append(asked.url) if urlsplit(asked.url).netloc not in address else None
    )
    return page


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_every_page_shows_without_a_fault(
    browser: Any, address: str, seen: list[str], colours: str, width: int
) -> None:
    page = opened(browser, address, seen, color_scheme=colours, viewport={"width": width, "height": 800})
    for path in WALK:
        page.goto(address + path)
        sync_api.expect(page.locator("h1").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.close()
    assert seen == []


def test_keys_alone_lead_from_the_list_to_a_call_and_on(browser: Any, address: str, seen: list[str]) -> None:
    page = opened(browser, address, seen)
    page.goto(f"{address}/")
    page.keyboard.type("gc")
    sync_api.expect(page.locator("h1")).to_have_text("Calls")
    page.keyboard.type("jj")
    sync_api.expect(page.locator("td a.open").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    sync_api.expect(page.locator("h2", has_text="Details")).to_be_visible()
    page.keyboard.type("gc")
    sync_api.expect(page.locator("h1")).to_have_text("Calls")
    page.keyboard.press("/")
    sync_api.expect(page.locator("#search")).to_be_focused()
    page.close()
    assert seen == []


def test_a_stream_is_played_again_at_its_pace(browser: Any, address: str, seen: list[str]) -> None:
    page = opened(browser, address, seen)
    page.goto(f"{address}/calls/{STREAMED}")
    page.locator(".speed").select_option("10")
    page.locator(".play").click()
    sync_api.expect(page.locator(".screen")).to_contain_text("word 59")
    page.close()
    assert seen == []


def test_the_theme_stays_as_it_was_chosen(browser: Any, address: str, seen: list[str]) -> None:
    page = opened(browser, address, seen, color_scheme="light")
    page.goto(f"{address}/calls")
    page.locator("#theme").click()
    page.reload()
    sync_api.expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.close()
    assert seen == []


@pytest.mark.skipif(AXE is None, reason="axe-core is not here: name axe.min.js in RECORDER_TEST_AXE")
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_no_serious_fault(browser: Any, address: str, colours: str) -> None:
    context = browser.new_context(bypass_csp=True, color_scheme=colours)
    page = context.new_page()
    found = []
    for path in WALK:
        page.goto(address + path)
        page.add_script_tag(content=Path(AXE or "").read_text(encoding="utf-8"))
        faults = page.evaluate("axe.run()")["violations"]
        bad = [fault for fault in faults if fault["impact"] in ("serious", "critical")]
        found += [(path, fault["id"], [node["html"][:120] for node in fault["nodes"][:3]]) for fault in bad]
    context.close()
    assert found == []
