"""The page in a real browser: no console error, nothing asked of others, no dialog, keys alone, narrow and dark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from .browsing import CHROMIUM, LOOKS, NO_CHROMIUM, driven, opened, served, unreached, walk
from .conftest import CORPUS
from .ledger_calls import a_call, store_calls
from .web_calls import SCRIPT, STREAMED, WALK, store_cassettes, store_corpus, store_web_calls

sync_api = pytest.importorskip("playwright.sync_api", reason="install playwright, which drives the browser")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store of hostile calls."""
    url = f"sqlite:///{tmp_path_factory.mktemp('browser')}/calls.db"
    store_web_calls(url)
    return url


@pytest.fixture(scope="module")
def address(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page of that store is served."""
    with served(url, store_cassettes(url, tmp_path_factory.mktemp("cassettes"))) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with driven() as browser:
        yield browser


@pytest.fixture
def seen() -> list[str]:
    """What went wrong while somebody looked."""
    return []


@pytest.mark.parametrize(("colours", "width"), LOOKS)
def test_every_page_shows_without_a_fault(browser: Any, address: str, colours: str, width: int) -> None:
    assert walk(browser, address, WALK, colours, width) == []


@pytest.mark.skipif(not CORPUS.is_dir(), reason="../shared/corpus is not beside this checkout")
def test_recorded_traffic_shows_without_a_fault(browser: Any, sqlite_url: str) -> None:
    ids = store_corpus(sqlite_url)
    paths = ["/?since=all", "/calls", "/calls?sort=cost", f"/compare?a={ids[0]}&b={ids[-1]}", "/prices"]
    with served(sqlite_url) as address:
        for number, look in enumerate(LOOKS):
            some = [f"/calls/{id}" for id in ids[number * 17 :: 150]]
            assert walk(browser, address, [*paths, *some], *look) == []


@pytest.mark.parametrize("path", WALK)
def test_all_that_can_be_clicked_is_reached_by_tab_and_shows_it(
    browser: Any, address: str, path: str
) -> None:
    assert unreached(browser, address, path) == []


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


def test_two_cassettes_are_ticked_and_compared_with_keys_alone(
    browser: Any, address: str, seen: list[str]
) -> None:
    page = opened(browser, address, seen)
    page.goto(f"{address}/")
    page.keyboard.type("gs")
    sync_api.expect(page.locator("h1")).to_have_text("Cassettes")
    sync_api.expect(page.locator("td span a").first).to_have_text("2 removed, 1 changed")
    for name in ("checkout", "checkout.yaml"):
        page.get_by_label(f"Compare {name}", exact=True).focus()
        page.keyboard.press("Space")
    page.keyboard.press("Enter")
    sync_api.expect(page.locator(".verdict")).to_contain_text("2 removed, 1 changed")
    page.close()
    assert seen == []


def test_a_new_call_appears_by_itself(browser: Any, sqlite_url: str, seen: list[str]) -> None:
    store_calls(sqlite_url, a_call())
    with served(sqlite_url) as address:
        page = opened(browser, address, seen)
        page.goto(f"{address}/calls?col=time&col=session")
        store_calls(sqlite_url, a_call(session_id=SCRIPT), a_call(session_id="s-2"))
        sync_api.expect(page.locator("#rows tr.fresh")).to_have_count(2)
        sync_api.expect(page.locator("#rows tr.fresh").first).to_contain_text("s-2")
        sync_api.expect(page.locator("#live")).to_have_text("live, 2 new")
        page.close()
    assert seen == []


def test_only_new_calls_that_fit_appear(browser: Any, sqlite_url: str, seen: list[str]) -> None:
    store_calls(sqlite_url, a_call())
    with served(sqlite_url) as address:
        page = opened(browser, address, seen)
        page.goto(f"{address}/calls?session=mine")
        sync_api.expect(page.locator("h2")).to_have_text("No call fits")
        store_calls(sqlite_url, a_call(session_id="mine"), a_call(session_id="yours"))
        sync_api.expect(page.locator("#rows tr")).to_have_count(1)
        page.close()
    assert seen == []


def test_a_browser_that_comes_again_gets_what_it_missed(browser: Any, sqlite_url: str) -> None:
    store_calls(sqlite_url, a_call())
    with served(sqlite_url) as address:
        page = browser.new_page()
        page.goto(f"{address}/calls")
        sync_api.expect(page.locator("#live")).to_have_class("live on")
    store_calls(sqlite_url, a_call())
    with served(sqlite_url, port=urlsplit(address).port or 0):
        sync_api.expect(page.locator("#rows tr.fresh")).to_have_count(1, timeout=20_000)
        page.close()


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


def test_on_paper_a_page_is_light_whole_and_without_what_is_for_a_screen(browser: Any, address: str) -> None:
    page = browser.new_page(color_scheme="dark", viewport={"width": 1280, "height": 800})
    page.goto(f"{address}/calls")
    page.locator("#theme").click()
    page.locator("#theme").click()
    sync_api.expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    # The width of A4 within the margins that browsers have.
    page.set_viewport_size({"width": 718, "height": 1000})
    page.emulate_media(media="print")
    for path in WALK:
        page.goto(address + path)
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
        assert page.evaluate("document.documentElement.scrollWidth") <= 718, path
        for screen_only in ("nav", ".filters", ".player", "#theme", ".foot"):
            assert page.locator(f"{screen_only}:visible").count() == 0, path
    page.close()
