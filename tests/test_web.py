"""The page: who is let in, and what is shown of hostile calls."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from typer.testing import CliRunner

from recorder.audit.pair import difference_of
from recorder.cassettes import Recorded
from recorder.cli.main import app as command_line
from recorder.ledger import Store

from .databases import execute
from .ledger_calls import a_call, store_calls
from .web_calls import HOSTILE, SCRIPT, STREAMED, TURNS, store_web_calls

pytest.importorskip("starlette", reason="install the extra `web`")
pytest.importorskip("jinja2", reason="install the extra `web`")

from starlette.datastructures import QueryParams
from starlette.testclient import TestClient

from recorder.web.app import create_app
from recorder.web.filters import read_filters
from recorder.web.pages.calls import COLUMNS
from recorder.web.pages.live import event, new_rows
from recorder.web.security import Access, access_for, cookie_value
from recorder.web.site import Site

pytestmark = pytest.mark.filterwarnings("ignore:.*httpx.*:DeprecationWarning")
HERE = "http://127.0.0.1:8787"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store that tests only read."""
    url = f"sqlite:///{tmp_path_factory.mktemp('web')}/calls.db"
    store_web_calls(url)
    return url


@pytest.fixture(scope="module")
def page(filled: str) -> TestClient:
    return TestClient(create_app(Store(filled)), HERE)


def client(
    url: str, access: Access | None = None, base_url: str = HERE, *, content: bool = True
) -> TestClient:
    return TestClient(create_app(Store(url), access, content=content), base_url, follow_redirects=False)


@pytest.mark.parametrize(
    "path", ["/", "/calls", f"/calls/{HOSTILE}", "/nothing", "/static/recorder.css", "/calls/zz"]
)
def test_every_answer_forbids_scripts_frames_and_referrers(page: TestClient, path: str) -> None:
    headers = page.get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/calls", f"/calls/{HOSTILE}", "/static/recorder.css"])
def test_nothing_can_be_written(page: TestClient, method: str, path: str) -> None:
    assert page.request(method, path).status_code == 405


@pytest.mark.parametrize("host", ["evil.test", "evil.test:8787", "127.0.0.1.evil.test", ""])
def test_another_name_of_this_machine_is_not_served(page: TestClient, host: str) -> None:
    assert page.get("/calls", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1:8787", "[::1]:8787", "LOCALHOST"])
def test_names_of_loopback_are_served(page: TestClient, host: str) -> None:
    assert page.get("/calls", headers={"Host": host}).status_code == 200


def test_a_token_lets_in_by_address_cookie_and_header(filled: str) -> None:
    browser = client(filled, access_for("0.0.0.0", "s3cret", None, ()), "http://box.test")
    assert browser.get("/calls").status_code == 401
    assert browser.get("/calls?token=wrong").status_code == 401
    entered = browser.get("/calls?token=s3cret&q=x")
    assert entered.status_code == 303
    assert entered.headers["location"] == "/calls?q=x"
    assert "HttpOnly" in entered.headers["set-cookie"]
    assert "s3cret" not in entered.headers["set-cookie"]
    assert browser.get("/calls").status_code == 200
    program = client(filled, access_for("0.0.0.0", "s3cret", None, ()), "http://box.test")
    assert program.get("/calls", headers={"Authorization": "Bearer s3cret"}).status_code == 200


def test_a_token_in_the_address_leads_nowhere_else(filled: str) -> None:
    browser = client(filled, access_for("0.0.0.0", "s3cret", None, ()), "http://box.test")
    assert browser.get("http://box.test//evil.test/?token=s3cret").headers["location"] == "/evil.test/"


def test_the_cookie_of_another_token_does_not_let_in(filled: str) -> None:
    browser = client(filled, access_for("0.0.0.0", "s3cret", None, ()), "http://box.test")
    cookie = f"recorder_ui={cookie_value('other')}"
    assert browser.get("/calls", headers={"Cookie": cookie}).status_code == 401


def test_behind_a_proxy_its_header_and_its_name_are_wanted(filled: str) -> None:
    access = access_for("0.0.0.0", None, "X-User", ["calls.corp.test"])
    browser = client(filled, access, "http://calls.corp.test")
    assert browser.get("/calls").status_code == 403
    assert browser.get("/calls", headers={"X-User": "ann"}).status_code == 200
    assert browser.get("/calls", headers={"X-User": "ann", "Host": "evil.test"}).status_code == 421


def test_others_are_not_let_in_without_token_or_proxy(filled: str) -> None:
    done = CliRunner().invoke(command_line, ["ui", "--store", filled, "--host", "0.0.0.0"])
    assert done.exit_code == 2
    assert "--token" in done.output


@pytest.mark.parametrize(
    "path", ["/calls?col=tags&col=session&col=time", f"/calls/{HOSTILE}", "/calls?q=%3Cscript%3E"]
)
def test_hostile_texts_are_shown_and_not_obeyed(page: TestClient, path: str) -> None:
    text = page.get(path).text
    assert "alert(1)" not in text.replace("&lt;script&gt;alert(1)&lt;/script&gt;", "")
    assert "<img src=x" not in text
    assert not {"\u202e", "\u202c", "\x1b"} & set(text)


def test_a_line_of_a_megabyte_is_cut_and_a_template_in_it_is_text(page: TestClient) -> None:
    text = page.get(f"/calls/{HOSTILE}").text
    assert len(text) < 100_000
    assert "980,000 more characters" in text
    assert "{{ 7 * 7 }}" in text


def test_a_call_shows_its_roles_tools_images_and_tokens(page: TestClient) -> None:
    text = page.get(f"/calls/{HOSTILE}").text
    for wanted in ("system", "look_up", "image_url", "Reasoning", "49.7%", "\\u202e", "\\x1b"):
        assert wanted in text


def test_a_stream_is_drawn_with_its_firsts_and_its_wait(page: TestClient) -> None:
    text = page.get(f"/calls/{STREAMED}").text
    for wanted in ("first reasoning 0.30s", "first answer 0.70s", "stood still once", "60 chunks"):
        assert wanted in text


def test_pieces_say_what_came_when(page: TestClient) -> None:
    pieces = page.get(f"/calls/{STREAMED}/pieces").json()
    assert len(pieces) == 60
    assert pieces[0] == [0.3, "reasoning", "step 0 "]
    assert pieces[-1][1:] == ["answer", "word 59 "]


def test_bodies_are_files_byte_for_byte(page: TestClient) -> None:
    answer = page.get(f"/calls/{HOSTILE}/request")
    assert json.loads(answer.content)["stop"] == SCRIPT
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


def test_a_call_can_be_copied_as_curl_python_and_cassette(page: TestClient) -> None:
    curl, python, cassette = (
        page.get(f"/calls/{STREAMED}/as/{kind}").text for kind in ("curl", "python", "cassette")
    )
    assert curl.startswith("curl --no-buffer http://model.test/v1/chat/completions")
    compile(python, "copied", "exec")
    assert "recorder_cassette:" in cassette
    assert page.get(f"/calls/{STREAMED}/as/fortran").status_code == 404


def test_without_content_nothing_that_was_said_leaves_the_store(filled: str) -> None:
    hidden = client(filled, content=False)
    text = hidden.get(f"/calls/{STREAMED}").text
    assert "Plan it." not in text
    assert "word 59" not in text
    assert "60 chunks" in text
    for part in ("request", "response", "pieces", "as/curl", "as/cassette"):
        assert hidden.get(f"/calls/{STREAMED}/{part}").status_code == 403


def test_calls_are_paged_once_each_in_any_order(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    store_calls(url, *(a_call(duration_ns=(number % 7) * 1_000_000_000) for number in range(120)))
    browser = client(url)
    for sort in ("start", "duration", "cost", "first_token"):
        seen: list[str] = []
        after = ""
        while True:
            text = browser.get(f"/calls?{urlencode({'sort': sort, 'after': after})}").text
            seen += _ids(text)
            if "Older calls" not in text:
                break
            after = text.partition("after=")[2].partition('"')[0].partition("&")[0]
        assert len(seen) == len(set(seen)) == 120


def _ids(text: str) -> list[str]:
    return [part.partition('"')[0] for part in text.split('<td><a href="/calls/')[1:]]


def test_filters_are_read_from_the_address(page: TestClient) -> None:
    assert len(_ids(page.get("/calls?session=trip-8").text)) == 3
    assert len(_ids(page.get("/calls?model=deepseek-reasoner").text)) == 1
    assert len(_ids(page.get("/calls?where=output_tokens>1000").text)) == 1
    assert len(_ids(page.get("/calls?q=trip-8").text)) == 3
    assert "No call fits" in page.get("/calls?provider=nobody").text
    assert "is no condition" in page.get("/calls?where=nonsense").text


@pytest.mark.parametrize("column", COLUMNS)
def test_every_call_can_be_opened_whichever_column_is_first(page: TestClient, column: str) -> None:
    text = page.get(f"/calls?col={column}").text
    assert text.count('class="open') == 5
    assert '"></a>' not in text
    assert "<a" not in "".join(
        part.partition("</a>")[0] for part in text.partition("<tbody")[2].split("<a ")[1:]
    )


def test_export_has_what_is_shown(page: TestClient) -> None:
    lines = page.get("/calls.csv?session=trip-8&col=model&col=took").text.splitlines()
    assert lines[0] == "request_model,response_model,duration_s"
    assert len(lines) == 4
    found = [json.loads(line) for line in page.get("/calls.jsonl?session=trip-8&col=id").text.splitlines()]
    assert [set(each) for each in found] == [{"id"}] * 3


def test_an_empty_store_says_how_to_record(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    store_calls(url, a_call())
    execute(url, "DELETE FROM payloads")
    execute(url, "DELETE FROM calls")
    assert "recorder run -- python app.py" in client(url).get("/calls").text


def test_overview_sums_the_period_and_says_what_is_unpriced(page: TestClient) -> None:
    text = page.get("/?since=2020-01-01").text
    assert "4 calls are unpriced" in text
    assert "deepseek-reasoner" in text
    charts = [json.loads(part.partition("</script>")[0]) for part in text.split('application/json">')[1:]]
    assert [chart["name"] for chart in charts][1:4] == ["Calls", "Duration", "First token"]
    assert sum(filter(None, charts[1]["data"][1])) == 5
    assert "No call in this period" in page.get("/?since=2020-01-01&model=nobody").text


def test_all_begins_with_the_first_call_or_says_that_there_are_more(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    now_us = time.time_ns() // 1000
    store_calls(url, *(a_call(started_us=now_us - days * 86_400_000_000) for days in (1, 20)))
    text = client(url).get("/?since=all").text
    first_day = (now_us // 86_400_000_000 - 20) * 86_400
    assert f"{datetime.fromtimestamp(first_day):%Y-%m-%d %H:%M} to" in text
    assert "beside the period before" not in text
    assert "There are calls before" not in text
    store_calls(url, a_call(started_us=now_us - 700 * 86_400_000_000))
    text = client(url).get("/?since=all").text
    assert "There are calls before" in text


def test_new_calls_are_rows_of_the_list_as_it_is_filtered(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    store_calls(url, a_call())
    site = Site(Store(url), "here")
    arrivals = site.store.follow(1)
    query = QueryParams("session=mine")
    assert new_rows(site, read_filters(query), ("time",), arrivals) == ("", 0)
    store_calls(url, a_call(session_id="mine"), a_call(session_id=SCRIPT))
    rows, newest = new_rows(site, read_filters(query), ("time", "session"), arrivals)
    assert rows.count("<tr") == 1
    assert newest == 3
    assert event("calls", "a\nb", 7) == "event: calls\nid: 7\ndata: a\ndata: b\n\n"


def test_a_conversation_says_what_each_turn_added(page: TestClient) -> None:
    text = page.get("/conversation?session=trip-8").text
    assert "begins anew with 2 messages" in text
    assert "adds 2 messages to the prompt of 2" in text
    assert page.get("/conversation?trace=4bf92f3577b34da6a3ce929d0e0e4736").text.count("<svg viewBox") == 3
    assert "No call belongs" in page.get("/conversation?session=nobody").text


def test_two_calls_are_compared_line_by_line(page: TestClient) -> None:
    text = page.get(f"/compare?a={TURNS[0]}&b={TURNS[1]}").text
    assert "<ins>+ Where do we sleep on day 1?</ins>" in text
    assert "<del>- In inn 0.</del>" in text
    assert "With which?" in page.get(f"/compare?a={TURNS[0]}").text
    assert "no call" in page.get("/compare?a=zz&b=yy").text


def test_equal_lines_are_left_out_of_a_difference() -> None:
    one = "\n".join(map(str, range(30)))
    lines = difference_of(one, one.replace("15", "x"))
    assert [line.mark for line in lines] == ["gap", "same", "same", "removed", "added", "same", "same", "gap"]


def test_cassettes_and_prices_are_shown(filled: str, page: TestClient) -> None:
    cassette = Store(filled).cassette("a/b c")
    cassette.save([Recorded(Store(filled).exchange(TURNS[0]), TURNS[0])])
    assert "a/b c" in page.get("/cassettes").text
    assert "/v1/chat/completions" in page.get("/cassettes/one?of=store:a%2Fb%20c").text
    assert page.get("/cassettes/one?of=store:other").status_code == 404
    prices = page.get("/prices?q=deepseek&all=1").text
    assert "deepseek-chat" in prices
    assert "gpt-4o" not in prices
    assert "small-1 at corp" in page.get("/prices/findings").text
    assert "<html" not in page.get("/prices/findings", headers={"HX-Request": "true"}).text
