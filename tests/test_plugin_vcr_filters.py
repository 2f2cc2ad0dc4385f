"""Suites with vcrpy's filters and hooks record anew: these decide what our files hold and what is compared."""

from __future__ import annotations

import pytest

from .plugin_suite import Suite

pytest_plugins = ("pytester",)

POST = """
import json, os
import httpx2, pytest

def live(request):
    with open(os.path.join(os.path.dirname(__file__), "live.txt"), "a") as file:
        file.write("x")
    headers = {"x-request-id": "req-1", "x-org": "acme-corp"}
    return httpx2.Response(200, json={"said": "hello", "account": "acct-77"}, headers=headers)

def post(url="https://api.example.test/v1/things", headers={}, **body):
    with httpx2.Client(transport=httpx2.MockTransport(live)) as client:
        return client.post(url, json=body, headers=headers)
"""


def config(options: str) -> str:
    return f"{POST}\n@pytest.fixture(scope='module')\ndef vcr_config():\n    return {options}\n"


def record(suite: Suite, source: str) -> str:
    """Record the one test, and give what its file holds."""
    suite.write(source)
    suite.run("--recorder-mode=once").assert_outcomes(passed=1)
    return suite.cassette().read_text()


def replay(suite: Suite, source: str) -> pytest.RunResult:
    """Run the test again without a network."""
    calls = suite.live
    suite.write(source)
    result = suite.run()
    assert suite.live == calls
    return result


FILTERS = """{
    "filter_headers": ["x-corp-pass", ("x-team", "TEAM")],
    "filter_query_parameters": ["sig", ("page", lambda key, value, request: "0")],
    "filter_post_data_parameters": ["nonce", "seed", ("who", "SOMEBODY")],
}"""


def filtered(secret: str, seed: int) -> str:
    return f"""{config(FILTERS)}
@pytest.mark.recorded
def test_it():
    url = "https://api.example.test/v1/things?sig={secret}-s&page={seed}&q=1"
    headers = {{"x-corp-pass": "{secret}-h", "x-team": "{secret}-t", "x-kept": "yes"}}
    answer = post(url, headers, nonce="{secret}-n", seed={seed}, who="{secret}-w", text="greeting")
    assert answer.json()["said"] == "hello"
"""


def test_filters_hold_for_what_is_recorded_anew(suite: Suite) -> None:
    text = record(suite, filtered("tiger", 42))
    assert "tiger" not in text
    assert "seed" not in text
    assert all(kept in text for kept in ("TEAM", "SOMEBODY", "page=0", "q=1", "x-kept", "greeting"))


def test_what_is_filtered_is_not_compared(suite: Suite) -> None:
    record(suite, filtered("tiger", 42))
    replay(suite, filtered("lion", 43)).assert_outcomes(passed=1)


def test_miss_says_nothing_that_is_filtered(suite: Suite) -> None:
    record(suite, filtered("tiger", 42))
    result = replay(suite, filtered("lion", 43).replace("greeting", "other"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*$.text: recorded *greeting*, asked *other*"])
    miss = result.stdout.str().partition("has no answer")[2].partition("\n\n")[0]
    assert "lion" not in miss


HOOKS = """{
    "before_record_request": before_request, "before_record_response": before_response,
}"""
HOOKED = f"""{POST}
def before_request(request):
    if request.path == "/left-out":
        return None
    request.body = request.body.replace(b"user-17", b"USER")
    return request

def before_response(response):
    response["headers"].pop("x-org", None)
    response["body"]["string"] = response["body"]["string"].replace(b"acct-77", b"ACCOUNT")
    return response

@pytest.fixture
def vcr_config():
    return {HOOKS}
"""


def test_hooks_change_what_is_kept_and_what_is_compared(suite: Suite) -> None:
    test = f"""{HOOKED}
@pytest.mark.recorded
def test_it():
    assert post(user="user-17").json()["account"] == "acct-77"
"""
    text = record(suite, test)
    assert "USER" in text
    assert not any(gone in text for gone in ("user-17", "acct-77", "acme-corp"))
    replay(suite, test.replace('acct-77"\n', 'ACCOUNT"\n')).assert_outcomes(passed=1)


def test_calls_that_hooks_leave_out_go_live_and_are_not_kept(suite: Suite) -> None:
    test = f"""{HOOKED}
@pytest.mark.recorded
def test_it():
    post()
    post("https://api.example.test/left-out")
"""
    assert "left-out" not in record(suite, test)
    assert suite.live == 2
    suite.run().assert_outcomes(passed=1)
    assert suite.live == 3


def test_answer_that_no_hook_changes_keeps_its_chunks_and_times(suite: Suite) -> None:
    test = f"""{config('{"before_record_response": lambda response: response}')}
class Body(httpx2.SyncByteStream):
    def __iter__(self):
        yield from (b"one ", b"two ", b"three")

@pytest.mark.recorded
def test_it():
    answer = lambda request: httpx2.Response(200, stream=Body())
    with httpx2.Client(transport=httpx2.MockTransport(answer)) as client:
        with client.stream("POST", "https://api.example.test/v1/things") as response:
            assert list(response.iter_raw()) == [b"one ", b"two ", b"three"]
"""
    record(suite, test)
    replay(suite, test).assert_outcomes(passed=1)


def test_placeholders_stand_for_values_in_the_file_alone(suite: Suite) -> None:
    test = f"""{config('{"filter_sensitive_data": {"<ACCOUNT>": "acct-77"}}')}
@pytest.mark.recorded
def test_it():
    assert post(account="acct-77").json()["account"] == "acct-77"
"""
    text = record(suite, test)
    assert "<ACCOUNT>" in text
    assert "acct-77" not in text
    replay(suite, test).assert_outcomes(passed=1)


def test_recordings_stay_as_they_are_when_others_are_added(suite: Suite) -> None:
    options = '{"filter_sensitive_data": {"<ACCOUNT>": "acct-77"}}'
    test = f"""{config(options)}
@pytest.mark.recorded
def test_it():
    post(account="acct-77")
"""
    before = record(suite, test)
    suite.write(f"{test}    post(text='more')\n")
    suite.run("--recorder-mode=new_episodes").assert_outcomes(passed=1)
    after = suite.cassette().read_text()
    assert after.startswith(before.removesuffix("...\n"))
    assert "acct-77" not in after


def test_failed_test_leaves_nothing_unfiltered_beside_the_file(suite: Suite) -> None:
    suite.write(f"{filtered('tiger', 42)}    assert False\n")
    suite.run("--recorder-mode=once").assert_outcomes(failed=1)
    text = suite.cassette("test_x/test_it.yaml.rej").read_text()
    assert "tiger" not in text
    assert "SOMEBODY" in text


def test_rules_of_matching_that_a_suite_names_hold_for_our_files(suite: Suite) -> None:
    test = f"""{config('{"match_on": ["method", "path"], "allow_playback_repeats": True}')}
@pytest.mark.recorded
def test_it():
    assert post(text="greeting").json()["said"] == "hello"
"""
    record(suite, test)
    replay(suite, f"{test.replace('greeting', 'other')}    post(text='once more')\n").assert_outcomes(
        passed=1
    )


def test_bodies_are_compared_where_a_suite_names_no_rules(suite: Suite) -> None:
    test = f"""{config('{"record_mode": "once"}')}
@pytest.mark.recorded
def test_it():
    post(text="greeting")
"""
    record(suite, test)
    replay(suite, test.replace("greeting", "other")).assert_outcomes(failed=1)


def test_variants_are_asked_by_what_is_kept(suite: Suite) -> None:
    record(suite, filtered("tiger", 42))
    varied = (
        filtered("lion", 43)
        .replace("def test_it():", "def test_it(recorded):")
        .replace("    answer = post(", "    with recorded.variant(status=503):\n        failed = post(")
    )
    varied = varied.replace('answer.json()["said"] == "hello"', "failed.status_code == 503")
    replay(suite, varied).assert_outcomes(passed=1)


def test_header_that_a_marker_compares_is_kept(suite: Suite) -> None:
    test = f"""{POST}
@pytest.mark.recorded(match=("method", "url", "headers:x-request-id"), record_paths="*")
def test_it():
    post(headers={{"x-request-id": "seven"}})
"""
    assert "seven" in record(suite, test)
    replay(suite, test).assert_outcomes(passed=1)
    replay(suite, test.replace("seven", "eight")).assert_outcomes(failed=1)


def test_filters_run_on_imported_requests_too_whose_secrets_importing_took_out(suite: Suite) -> None:
    source = f"""{config('{"filter_post_data_parameters": [("password", "PASS")], "match_on": ["body"]}')}
@pytest.mark.recorded
def test_it():
    assert post(password="1234", text="greeting").json()["said"] == "hello"
"""
    held = record(suite, source)
    assert "password: PASS" in held
    suite.cassette().write_text(held.replace("password: PASS", "password: REDACTED"))
    replay(suite, source).assert_outcomes(passed=1)


def test_report_of_what_drifted_compares_and_shows_what_is_kept(suite: Suite) -> None:
    record(suite, filtered("tiger", 42))
    suite.write(filtered("lion", 43))
    result = suite.run("--recorder-report")
    result.stdout.fnmatch_lines(["*test_it: 1 hit, 0 missed, 0 recorded, 0 unused *"])
    assert "lion" not in result.stdout.str()


def test_call_past_the_cassette_is_told_without_what_is_filtered(suite: Suite) -> None:
    record(suite, filtered("tiger", 42).replace("sig", "corp"))
    asked = filtered("lion", 43).replace("sig", "corp")
    result = replay(suite, f"{asked}    import requests\n    requests.get(url)\n")
    told = result.stdout.str().partition("was about to send GET ")[2].partition(" to the network")[0]
    assert told == "https://api.example.test/v1/things?page=0&q=1"


def test_placeholders_stand_for_values_in_errors_too(suite: Suite) -> None:
    test = f"""{config('{"filter_sensitive_data": {"<ACCOUNT>": "acct-77"}}')}
def fail(request):
    raise httpx2.ConnectError("acct-77 refused")

@pytest.mark.recorded
def test_it():
    with httpx2.Client(transport=httpx2.MockTransport(fail)) as client:
        with pytest.raises(httpx2.ConnectError, match="acct-77 refused"):
            client.post("https://api.example.test/v1/things")
"""
    text = record(suite, test)
    assert "<ACCOUNT> refused" in text
    assert "acct-77" not in text
    replay(suite, test).assert_outcomes(passed=1)


ZIPPED = f"""{config('{"filter_sensitive_data": {"<ACCOUNT>": "acct-77"}}')}
import gzip
HEADERS = {{"content-encoding": "gzip", "content-type": "application/json"}}

def zipped(request):
    return httpx2.Response(200, content=gzip.compress(b'{{"account": "acct-77"}}'), headers=HEADERS)

@pytest.mark.recorded
def test_it():
    with httpx2.Client(transport=httpx2.MockTransport(zipped)) as client:
        body = gzip.compress(b'{{"account": "acct-77"}}', mtime=0)
        answer = client.post("https://api.example.test/v1/things", content=body, headers=HEADERS)
        assert answer.json()["account"] == "acct-77"
"""


def test_placeholders_stand_for_values_in_compressed_bodies_too(suite: Suite) -> None:
    text = record(suite, ZIPPED)
    assert text.count("<ACCOUNT>") == 2
    assert "acct-77" not in text
    assert "wire:" not in text
    replay(suite, ZIPPED).assert_outcomes(passed=1)


def test_headers_that_a_suite_compares_are_all_kept(suite: Suite) -> None:
    options = '{"match_on": ["method", "headers"], "filter_headers": ["user-agent", ("x-corp", "C")]}'
    test = f"""{config(options)}
@pytest.mark.recorded
def test_it():
    post(headers={{"x-corp": "tiger", "x-request-id": "seven"}})
"""
    text = record(suite, test)
    assert "tiger" not in text
    assert "user-agent" not in text
    replay(suite, test.replace("tiger", "lion")).assert_outcomes(passed=1)
    replay(suite, test.replace("seven", "eight")).assert_outcomes(failed=1)


def test_stream_in_which_placeholders_stand_keeps_its_chunks(suite: Suite) -> None:
    test = f"""{config('{"filter_sensitive_data": {"<ACCOUNT>": "acct-77"}}')}
EVENTS = [b'data: {{"t":"acct-77"}}\\n\\n', b'data: {{"t":"b"}}\\n\\n', b'data: [DONE]\\n\\n']

class Body(httpx2.SyncByteStream):
    def __iter__(self):
        yield from EVENTS

@pytest.mark.recorded
def test_it():
    answer = lambda request: httpx2.Response(200, stream=Body())
    with httpx2.Client(transport=httpx2.MockTransport(answer)) as client:
        with client.stream("POST", "https://api.example.test/v1/things") as response:
            assert list(response.iter_raw()) == EVENTS
"""
    text = record(suite, test)
    assert "<ACCOUNT>" in text
    assert "acct" not in text
    replay(suite, test).assert_outcomes(passed=1)


def test_posted_fields_are_filtered_of_json_that_names_its_charset(suite: Suite) -> None:
    test = f"""{config('{"filter_post_data_parameters": ["nonce"]}')}
@pytest.mark.recorded
def test_it():
    post(headers={{"content-type": "application/json; charset=utf-8"}}, nonce="tiger")
"""
    assert "tiger" not in record(suite, test)
    replay(suite, test.replace("tiger", "lion")).assert_outcomes(passed=1)


def test_error_that_quotes_the_url_says_nothing_that_is_filtered(suite: Suite) -> None:
    test = f"""{config(FILTERS)}
def refuse(request):
    raise httpx2.ConnectError(f"no way to {{request.url}}", request=request)

@pytest.mark.recorded
def test_it():
    with httpx2.Client(transport=httpx2.MockTransport(refuse)) as client:
        with pytest.raises(httpx2.ConnectError, match="no way to"):
            client.get("https://api.example.test/v1/things?page=tiger&q=1")
"""
    text = record(suite, test)
    assert "no way to" in text
    assert "tiger" not in text
    replay(suite, test).assert_outcomes(passed=1)
