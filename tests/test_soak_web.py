"""The page in a real browser over all recorded traffic and over a million calls, and held against axe-core's rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from recorder.ledger import Store
from recorder.ledger.database import open_database

from .browsing import CHROMIUM, LOOKS, NO_CHROMIUM, driven, opened, served, unreached, walk
from .conftest import CORPUS
from .million import store_made_up
from .web_calls import WALK, store_cassettes, store_corpus, store_web_calls

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM),
    pytest.mark.skipif(
        find_spec("playwright") is None, reason="install playwright, which drives the browser"
    ),
]
CORPUS_IS_HERE = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="../shared/corpus is not beside this checkout"
)
AXE_RULES = ("serious", "critical")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with driven() as browser:
        yield browser


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page of hostile calls and cassettes is served."""
    url = f"sqlite:///{tmp_path_factory.mktemp('hostile')}/calls.db"
    store_web_calls(url)
    with served(url, store_cassettes(url, tmp_path_factory.mktemp("cassettes"))) as address:
        yield address


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[str]]]:
    """Where the page of all recorded traffic is served, and the ids of its calls."""
    url = f"sqlite:///{tmp_path_factory.mktemp('corpus')}/calls.db"
    ids = store_corpus(url)
    with served(url) as address:
        yield address, ids


@pytest.fixture(scope="module")
def million(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[str]]]:
    """Where the page of a million made-up calls is served, and the addresses of its pages."""
    url = f"sqlite:///{tmp_path_factory.mktemp('million')}/calls.db"
    database = open_database(url, keep=True)
    database.use_wal()
    store_made_up(database, 1_000_000)
    call, other = Store(url).calls(limit=2)
    period = "since=2026-10-25&until=2026-10-31"
    paths = [
        *("/?since=all", f"/?{period}", f"/?{period}&model=gpt-5", f"/?{period}&tag=feature%3Dsearch"),
        *("/calls", "/calls?sort=cost", "/calls?sort=duration&dir=asc", "/calls?where=cost%3E%3D0.01"),
        *("/calls?q=session-7", "/calls?model=qwen3-32b&outcome=error", f"/calls/{call['id']}"),
        *(f"/conversation?session={call['session_id']}", f"/compare?a={call['id']}&b={other['id']}"),
        *("/cassettes", "/prices", "/prices/findings"),
    ]
    with served(url) as address:
        yield address, paths


@CORPUS_IS_HERE
@pytest.mark.parametrize(("colours", "width"), LOOKS)
def test_every_recorded_call_shows_without_a_fault(
    browser: Any, corpus: tuple[str, list[str]], colours: str, width: int
) -> None:
    address, ids = corpus
    # Every one in the narrow window, where a long word shows; of the other looks each has its own share.
    some = ids if (colours, width) == ("light", 360) else ids[LOOKS.index((colours, width)) :: 9]
    assert walk(browser, address, [f"/calls/{id}" for id in some], colours, width) == []


@pytest.mark.parametrize(("colours", "width"), LOOKS)
def test_every_page_of_a_million_shows_without_a_fault(
    browser: Any, million: tuple[str, list[str]], colours: str, width: int
) -> None:
    assert walk(browser, *million, colours, width) == []


def test_a_million_is_paged_through_with_keys_alone(browser: Any, million: tuple[str, list[str]]) -> None:
    seen: list[str] = []
    page = opened(browser, million[0], seen)
    page.goto(f"{million[0]}/calls?sort=cost")
    for shown in range(50, 300, 50):
        assert page.locator("#rows a.open").count() == shown
        page.locator("tr.next a").press("Enter")
        page.locator("#rows a.open").nth(shown).wait_for()
    page.keyboard.type("gc")
    page.locator("#live").wait_for()
    page.close()
    assert seen == []


@pytest.mark.parametrize("path", ["/?since=all", "/calls", "/prices"])
def test_all_that_can_be_clicked_among_a_million_is_reached_by_tab(
    browser: Any, million: tuple[str, list[str]], path: str
) -> None:
    assert unreached(browser, million[0], path) == []


@pytest.mark.parametrize(("colours", "width"), LOOKS)
def test_axe_finds_no_serious_fault_in_hostile_calls(
    browser: Any, hostile: str, colours: str, width: int
) -> None:
    assert axe_faults(browser, hostile, WALK, colours, width) == []


@CORPUS_IS_HERE
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_no_serious_fault_in_recorded_traffic(
    browser: Any, corpus: tuple[str, list[str]], colours: str
) -> None:
    address, ids = corpus
    paths = ["/?since=all", "/calls", "/prices", *(f"/calls/{id}" for id in ids[::45])]
    assert axe_faults(browser, address, paths, colours, 1280) == []


def axe_faults(browser: Any, address: str, paths: Iterable[str], colours: str, width: int) -> list[Any]:
    """What axe-core calls serious or worse: the address, the rule, and where it is broken."""
    package = pytest.importorskip("axe_playwright_python", reason="install the extra `soak`")
    axe = Path(package.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
    # The page's own policy would forbid the script that looks at it.
    context = browser.new_context(
        bypass_csp=True, color_scheme=colours, viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    found = []
    for path in paths:
        page.goto(address + path)
        page.locator("h1").first.wait_for()
        page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
        page.evaluate(axe)
        faults = page.evaluate("axe.run()")["violations"]
        bad = [fault for fault in faults if fault["impact"] in AXE_RULES]
        found += [(path, fault["id"], [node["html"][:120] for node in fault["nodes"][:3]]) for fault in bad]
    context.close()
    return found
