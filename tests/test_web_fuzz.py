"""No address breaks the page: every route, every parameter, hostile values, paths and headers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recorder.ledger import Store
from recorder.ledger.database import open_database

from .web_calls import HOSTILE, SCRIPT, STREAMED, TURNS, store_cassettes, store_web_calls

pytest.importorskip("starlette", reason="install the extra `web`")
pytest.importorskip("jinja2", reason="install the extra `web`")

from starlette.testclient import TestClient

from recorder.web.app import PAGES, create_app
from recorder.web.filters import FIELDS
from recorder.web.pages.calls import COLUMNS
from recorder.web.security import Access

pytestmark = pytest.mark.filterwarnings("ignore:.*httpx.*:DeprecationWarning")

FILTERS = ("since", "until", *FIELDS, "tag", "where", "q")
QUERIES: dict[str, tuple[str, ...]] = {
    "/": FILTERS,
    "/calls": (*FILTERS, "sort", "dir", "col", "after"),
    "/calls.csv": (*FILTERS, "col"),
    "/calls.jsonl": (*FILTERS, "col"),
    "/live": (*FILTERS, "col", "seen"),
    "/conversation": ("session", "trace"),
    "/compare": ("a", "b"),
    "/cassettes": ("q", "from"),
    "/cassettes/one": ("of",),
    "/cassettes/differences": ("of",),
    "/prices": ("q", "all"),
    "/prices/findings": (),
    "/calls/{id}": ("all",),
    "/calls/{id}/request": (),
    "/calls/{id}/response": (),
    "/calls/{id}/pieces": (),
    "/calls/{id}/as/{kind}": (),
}
"""The parameters that each page reads."""

ODD = (
    *("7d", "99999w", "all", "2026-13-45", "9999-12-31", "0001-01-01", "-1", "1e400", "nan", "0", "1"),
    *("cost>=1e99", "cost=none", "tag.x!=", "model^=", "started_at>2026", "x=y", "feature=search", "="),
    *("none_1", "-1_-1", f"{2**70}_{2**70}", "1_", "_", str(2**63), str(2**64), "٣", "duration", "asc"),
    *(SCRIPT, "%", "\\", "\0", "\u202e", "\ud7ff\U0010ffff", "'; DROP TABLE calls; --", "a" * 3_000),
    *(
        HOSTILE,
        STREAMED[-4:],
        TURNS[0],
        "store:checkout",
        "file:checkout.yaml",
        "file:../x.yaml",
        "file:\0",
        "store:\0",
    ),
    *("ok", "error", "trip-8", "small", "{{ 7 * 7 }}", *list(COLUMNS)[:5]),
)
VALUES = st.one_of(st.sampled_from(ODD), st.text(max_size=40))
IDS = st.sampled_from([HOSTILE, STREAMED, TURNS[0], "\0", "0", "zz", "%00", "x" * 300, SCRIPT, "..", " "])
FUZZED = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The page over a store of either kind; who asks for news is sent away at once."""
    if request.param == "sqlite":
        yield made_app(f"sqlite:///{tmp_path_factory.mktemp('fuzz')}/calls.db", tmp_path_factory)
        return
    server = request.getfixturevalue("server")
    with server.database(like=request.getfixturevalue("made_store")) as url:
        yield made_app(url, tmp_path_factory)
        open_database(url).close()


def made_app(url: str, folders: pytest.TempPathFactory) -> Any:
    store_web_calls(url)
    ended = threading.Event()
    ended.set()
    folder = store_cassettes(url, folders.mktemp("cassettes"))
    return create_app(Store(url), ending=ended, cassettes=folder)


@pytest.fixture(scope="module")
def page(app: Any) -> TestClient:
    # What is raised within the application is raised here too, after its page of a failure was made.
    return TestClient(app, "http://127.0.0.1:8787")


def test_every_page_is_fuzzed() -> None:
    assert set(QUERIES) == set(PAGES)


@pytest.mark.parametrize("path", QUERIES)
@settings(FUZZED, max_examples=15)
@given(data=st.data())
def test_no_parameter_breaks_a_page(page: TestClient, path: str, data: st.DataObject) -> None:
    names = st.sampled_from([*QUERIES[path], "token", "unknown"])
    pairs = data.draw(st.lists(st.tuples(names, VALUES), max_size=5))
    filled = path.replace("{id}", quote(data.draw(IDS), safe="")).replace("{kind}", "curl")
    headers = {"HX-Request": "true"} if data.draw(st.booleans()) else {}
    answer = page.get(f"{filled}?{urlencode(pairs, errors='replace')}", headers=headers)
    assert answer.status_code < 500


@pytest.mark.soak
@pytest.mark.parametrize("path", [path for path, names in QUERIES.items() if names])
def test_no_odd_value_of_any_parameter_breaks_a_page(page: TestClient, path: str) -> None:
    filled = path.replace("{id}", HOSTILE)
    for name in QUERIES[path]:
        broken = [
            value for value in ODD if page.get(f"{filled}?{urlencode({name: value})}").status_code >= 500
        ]
        assert broken == [], name


@settings(FUZZED, max_examples=100)
@given(
    place=st.sampled_from(["/", "/static/", "/static/vendor/", "/calls/", "/cassettes/", "/prices/", "//"]),
    rest=st.one_of(
        st.sampled_from(
            ["%00", "%ff%fe", "..%2f..%2fetc%2fpasswd", "%2e%2e/", "a" * 5_000, "recorder.css/x"]
        ),
        st.text(max_size=30).map(lambda text: quote(text.encode("utf-8", "surrogatepass"), safe="/")),
    ),
)
def test_no_path_breaks_the_page(page: TestClient, place: str, rest: str) -> None:
    assert page.get(f"http://127.0.0.1:8787{place}{rest}").status_code < 500


_HEADERS = (
    "Cookie",
    "Authorization",
    "Host",
    "HX-Request",
    "Last-Event-ID",
    "Range",
    "If-None-Match",
    "X-User",
)
_HEADER_VALUES = st.one_of(
    st.sampled_from(
        ["Bearer", "Bearer \xff", "recorder_ui=\xe9", "bytes=9-1", "bytes=-0,,", "[", "[::1", ":80"]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30),
)


@settings(FUZZED, max_examples=100)
@given(
    path=st.sampled_from(["/calls", "/live", "/static/recorder.css", "/?token=é", "/calls?token=%ff"]),
    headers=st.dictionaries(st.sampled_from(_HEADERS), _HEADER_VALUES, max_size=3),
    access=st.sampled_from(
        [Access(), Access(None, "s3cret"), Access(None, "schlüssel"), Access(proxy_user_header="X-User")]
    ),
)
def test_no_header_breaks_the_page(app: Any, path: str, headers: dict[str, str], access: Access) -> None:
    app._access = access
    try:
        sent = [(name.encode(), value.strip().encode("latin-1")) for name, value in headers.items()]
        answer = TestClient(app, "http://127.0.0.1:8787").get(path, headers=sent)
        assert answer.status_code < 500
    finally:
        app._access = Access()


@pytest.fixture(scope="module")
def described(app: Any) -> Any:
    """The page as schemathesis sees it, from a description of its addresses that is made here."""
    schemathesis = pytest.importorskip("schemathesis", reason="install the extra `soak`")
    schema = schemathesis.openapi.from_dict(description())
    schema.app = app
    return schema


@pytest.mark.soak
@pytest.mark.parametrize("path", QUERIES)
@settings(FUZZED, max_examples=40)
@given(data=st.data())
def test_what_schemathesis_makes_up_breaks_no_page(
    described: Any, page: TestClient, path: str, data: st.DataObject
) -> None:
    case = data.draw(described[path]["GET"].as_strategy())
    asked = case.as_transport_kwargs(base_url="http://127.0.0.1:8787")
    assert page.get(asked["url"], params=asked.get("params")).status_code < 500


def description() -> dict[str, Any]:
    """The routes in the terms of OpenAPI."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "recorder ui", "version": "1"},
        "paths": {path: {"get": _operation(path)} for path in QUERIES},
    }


def _operation(path: str) -> dict[str, Any]:
    text = {"anyOf": [{"enum": list(ODD)}, {"type": "string"}]}
    id = {"anyOf": [{"enum": [HOSTILE, STREAMED, TURNS[0]]}, {"type": "string", "minLength": 1}]}
    many = {"type": "array", "items": text, "maxItems": 3}
    found: list[dict[str, Any]] = [{"name": name, "in": "query", "schema": many} for name in QUERIES[path]]
    if "{id}" in path:
        found.append({"name": "id", "in": "path", "required": True, "schema": id})
    if "{kind}" in path:
        kinds = {"enum": ["curl", "python", "cassette", "fortran"]}
        found.append({"name": "kind", "in": "path", "required": True, "schema": kinds})
    return {"parameters": found, "responses": {"200": {"description": "a page"}}}
