"""Cassettes on the page: the store's and those in files, how two differ, and what is not shown."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from typer.testing import CliRunner

from recorder.cassettes import Recorded
from recorder.cassettes.file import FileCassette
from recorder.cli.main import app as command_line
from recorder.interchange.cassette_files import Opened, open_file
from recorder.ledger import Store

from .web_calls import SCRIPT, STREAMED, TURNS, store_web_calls

pytest.importorskip("starlette", reason="install the extra `web`")
pytest.importorskip("jinja2", reason="install the extra `web`")

from starlette.testclient import TestClient

from recorder.web import shelf
from recorder.web.app import create_app
from recorder.web.shelf import Reference, Shelf, read_reference
from recorder.web.wording import age

pytestmark = pytest.mark.filterwarnings("ignore:.*httpx.*:DeprecationWarning")
HERE = "http://127.0.0.1:8787"
HOSTILE = f"{SCRIPT}\u202e/.."
VCR = """\
interactions:
- request: {method: POST, uri: "https://api.openai.com/v1/chat/completions", headers: {}, body: '{"model":"gpt-4o"}'}
  response: {status: {code: 200, message: OK}, headers: {}, body: {string: '{"model":"gpt-4o","choices":[]}'}}
version: 1
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with the cassettes `trip/plan`, `checkout` and one of a hostile name."""
    url = f"sqlite:///{tmp_path_factory.mktemp('store')}/calls.db"
    store_web_calls(url)
    store = Store(url)
    ids = (*TURNS, STREAMED)
    store.cassette("checkout").save([Recorded(store.exchange(id), id) for id in ids])
    store.cassette("trip/plan").save([Recorded(store.exchange(TURNS[0]), TURNS[0])])
    store.cassette(HOSTILE).save([])
    return url


@pytest.fixture(scope="module")
def folder(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files: one that differs from the store's, one that is equal, one of vcrpy, and what is broken or no cassette."""
    folder = tmp_path_factory.mktemp("files") / "cassettes"
    store = Store(url)
    first, second, _, streamed = (store.exchange(id) for id in (*TURNS, STREAMED))
    louder = replace(first.request, body=first.request.body.replace(b"Be brief", b"Be very brief"))
    other = replace(second, chunks=(second.chunks[0].replace(b"In inn 1", b"In a hostel"),))
    kept = [Recorded(each, "") for each in (replace(first, request=louder), other, streamed)]
    FileCassette(folder / "checkout.yaml").save(kept)
    FileCassette(folder / "trip" / "plan.yaml").save([Recorded(first, "")])
    whole = (folder / "checkout.yaml").read_text(encoding="utf-8")
    (folder / "broken.yaml").write_text(whole[:900], encoding="utf-8")
    (folder / "theirs.yaml").write_text(VCR, encoding="utf-8")
    (folder / "notes.yaml").write_text("what: no cassette\n", encoding="utf-8")
    (folder.parent / "outside.yaml").write_text(whole, encoding="utf-8")
    (folder / "link.yaml").symlink_to(folder.parent / "outside.yaml")
    (folder / "elsewhere").symlink_to(folder.parent)
    return folder


@pytest.fixture(scope="module")
def page(url: str, folder: Path) -> TestClient:
    return TestClient(create_app(Store(url), cassettes=folder), HERE)


def one(name: str) -> str:
    return f"/cassettes/one?{urlencode({'of': name})}"


def differences(*names: str) -> str:
    return f"/cassettes/differences?{urlencode([('of', name) for name in names])}"


def test_the_list_has_the_stores_cassettes_and_the_files(page: TestClient) -> None:
    text = page.get("/cassettes").text
    for wanted in ("checkout.yaml", "trip/plan.yaml", "theirs.yaml", ">vcrpy<", "2 ok", "deepseek-reasoner"):
        assert wanted in text
    for unwanted in ("notes.yaml", "link.yaml", "outside.yaml", "elsewhere", SCRIPT):
        assert unwanted not in text
    assert "\u202e" not in text.replace(f'value="store:{escape(HOSTILE)}"', "")
    assert f'aria-label="Compare {escape(SCRIPT)}\\u202e/.."' in text
    assert "unreadable" in text
    assert "ends without its last line" in text


def test_a_cassette_of_a_name_is_compared_with_the_file_of_that_name(page: TestClient) -> None:
    text = page.get("/cassettes").text
    both = differences("store:checkout", "file:checkout.yaml").replace("&", "&amp;")
    assert f'hx-get="{both}"' in text
    told = page.get(differences("store:checkout", "file:checkout.yaml"), headers={"HX-Request": "true"}).text
    assert "1 removed, 2 changed" in told
    assert "<html" not in told
    told = page.get(
        differences("store:trip/plan", "file:trip/plan.yaml"), headers={"HX-Request": "true"}
    ).text
    assert ">equal<" in told


def test_differences_show_places_and_lines(page: TestClient) -> None:
    text = page.get(differences("store:checkout", "file:checkout.yaml")).text
    for wanted in (
        "$.messages[0].content",
        "Be very brief.",
        "+In a hostel.",
        "-In inn 1.",
        "1 entry is the same",
    ):
        assert wanted in text
    assert "Equal" in page.get(differences("store:checkout", "store:checkout")).text


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([], "Tick two cassettes"),
        (["store:checkout"], "has the same name"),
        (["store:trip/plan", "store:nobody"], "there is no cassette"),
        (["file:broken.yaml", "store:checkout"], "ends without its last line"),
        (["checkout"], "names no cassette"),
        (["store:checkout", "file:checkout.yaml", "store:trip/plan"], "two can be compared at a time"),
    ],
)
def test_a_comparison_that_cannot_be_made_says_why(page: TestClient, names: list[str], told: str) -> None:
    answer = page.get(differences(*names))
    assert answer.status_code == 200
    assert told in answer.text


def test_a_cassette_shows_its_entries_wherever_it_is(page: TestClient) -> None:
    text = page.get(one("store:checkout")).text
    assert f"/calls/{TURNS[0]}" in text
    assert "Differences from the file" in text
    text = page.get(one("file:checkout.yaml")).text
    assert "deepseek-reasoner" in text
    assert "3 entries" in text
    assert "Differences from that of the store" in text


def test_a_broken_file_says_what_is_wrong_and_of_a_hidden_one_nothing(
    page: TestClient, url: str, folder: Path
) -> None:
    answer = page.get(one("file:broken.yaml"))
    assert answer.status_code == 200
    assert "broken.yaml:" in answer.text
    assert str(folder) not in answer.text.partition("<h1>")[2]
    hidden = TestClient(create_app(Store(url), cassettes=folder, content=False), HERE)
    assert "ends without" not in hidden.get("/cassettes").text + hidden.get(one("file:broken.yaml")).text
    text = hidden.get(differences("store:checkout", "file:checkout.yaml")).text
    assert "$.messages[0].content" in text
    assert not [said for said in ("Be brief", "Be very", "hostel", "In inn") if said in text]


@pytest.mark.parametrize(
    "name",
    [
        "../outside.yaml",
        "link.yaml",
        "elsewhere/outside.yaml",
        "trip/../../outside.yaml",
        "/etc/passwd",
        "nobody.yaml\0",
        "",
        "trip",
        "checkout.yaml/",
        "a" * 5000 + ".yaml",
    ],
)
def test_nothing_outside_of_the_folder_is_read(page: TestClient, folder: Path, name: str) -> None:
    for path in (name, str(folder.parent / "outside.yaml")):
        assert page.get(one(f"file:{path}")).status_code == 404


def test_without_a_folder_there_are_no_files(url: str) -> None:
    bare = TestClient(create_app(Store(url)), HERE)
    assert "In files" not in bare.get("/cassettes").text
    assert bare.get(one("file:checkout.yaml")).status_code == 404


def test_a_file_is_read_again_when_it_changed(url: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    FileCassette(path).save([Recorded(Store(url).exchange(TURNS[0]), "")])
    shelf = Shelf(Store(url), tmp_path)
    before = shelf.summary(Reference("file", "x.yaml"))
    assert before is not None
    assert before is shelf.summary(Reference("file", "x.yaml"))
    path.write_text("recorder_cassette: 1\n", encoding="utf-8")
    after = shelf.summary(Reference("file", "x.yaml"))
    assert after is not None
    assert after.problem


def test_many_cassettes_come_in_pages_and_are_found_by_name(url: str, tmp_path: Path) -> None:
    FileCassette(tmp_path / "0.yaml").save([Recorded(Store(url).exchange(TURNS[0]), "")])
    for number in range(1, 60):
        os.link(tmp_path / "0.yaml", tmp_path / f"{number}.yaml")
    many = TestClient(create_app(Store(url), cassettes=tmp_path), HERE)
    first = many.get("/cassettes").text
    assert first.count('type="checkbox"') == 50
    assert "13 more" in first
    assert many.get("/cassettes?from=50").text.count('type="checkbox"') == 13
    assert many.get("/cassettes?q=59.Y").text.count('type="checkbox"') == 1
    assert "No cassette fits" in many.get("/cassettes?q=nobody&from=-7").text


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_broken_file_breaks_the_page(url: str, folder: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["checkout.yaml", "theirs.yaml"]))
    whole = (folder / name).read_bytes()
    at = data.draw(st.integers(0, len(whole)))
    (folder / "torn.yaml").write_bytes(
        whole[:at] + data.draw(st.binary(max_size=8)) + whole[at + data.draw(st.integers(0, 40)) :]
    )
    page = TestClient(create_app(Store(url), cassettes=folder), HERE)
    try:
        for address in ("/cassettes", one("file:torn.yaml"), differences("file:torn.yaml", f"file:{name}")):
            assert page.get(address).status_code == 200
    finally:
        (folder / "torn.yaml").unlink()


def test_an_address_names_a_store_or_a_file() -> None:
    assert read_reference("store:a:b") == Reference("store", "a:b")
    assert read_reference("file:a/b.yaml") == Reference("file", "a/b.yaml")
    assert read_reference("store:a\0b") == Reference("store", "ab")
    assert [read_reference(text) for text in ("", "a", "store:", "http:x")] == [None] * 4
    assert Reference("file", "a/b.har.gz").bare == "a/b"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (None, "–"),
        (5, "under a minute"),
        (60, "1 minute"),
        (7300, "2 hours"),
        (86_400, "1 day"),
        (9e7, "1,041 days"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(seconds: float | None, told: str) -> None:
    assert age(seconds) == told


def test_a_folder_that_is_not_there_is_refused(url: str) -> None:
    done = CliRunner().invoke(command_line, ["ui", "--store", url, "--cassettes", "no/such"])
    assert done.exit_code == 2
    assert "no/such" in done.output


@pytest.mark.parametrize("when", ["found", "read"])
def test_a_file_that_goes_while_it_is_shown_is_no_failure(
    when: str, url: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = tmp_path / "going.yaml"
    find = Shelf._path

    def find_and_lose(self: Shelf, name: str) -> Path:
        path = find(self, name)
        going.unlink(missing_ok=True)
        return path

    def read_and_lose(path: Path) -> Opened:
        opened = open_file(path)
        going.unlink(missing_ok=True)
        return opened

    if when == "found":
        monkeypatch.setattr(Shelf, "_path", find_and_lose)
    else:
        monkeypatch.setattr(shelf, "open_file", read_and_lose)
    page = TestClient(create_app(Store(url), cassettes=tmp_path), HERE)
    for address in ("/cassettes", one("file:going.yaml"), differences("file:going.yaml", "store:checkout")):
        going.write_bytes((folder / "checkout.yaml").read_bytes())
        assert page.get(address).status_code in (200, 404)
        assert not going.exists()


def test_what_is_too_large_is_named_as_a_shell_takes_it(url: str, tmp_path: Path) -> None:
    with (tmp_path / "so big.yaml").open("wb") as file:
        file.truncate(65 << 20)
    text = TestClient(create_app(Store(url), cassettes=tmp_path), HERE).get(one("file:so big.yaml")).text
    assert f"recorder cassette show &#39;{tmp_path}/so big.yaml&#39;" in text
