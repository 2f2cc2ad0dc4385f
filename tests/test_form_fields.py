"""Secrets in forms and in what is percent-encoded, and own patterns that are anchored."""

from __future__ import annotations

import json
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.body import Answer
from recorder.exchange import Ending, Exchange, Request, ResponseHead, header
from recorder.redact import Redactor
from recorder.settings import RedactionRules

URL = "https://llm.test/chat/completions"
KEY = "sk-proj-" + "a1B2" * 10
REDACTOR = Redactor(RedactionRules())


def clean(
    url: str = URL, body: bytes = b"", redactor: Redactor = REDACTOR, content_type: bytes = b""
) -> Request:
    headers = ((b"Content-Type", content_type),) if content_type else ()
    return redactor.request(Request("POST", url, headers, body))


def encoded(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


@pytest.mark.parametrize("spelled", [encoded(KEY), quote(KEY, safe="").replace("-", "%2D")])
def test_key_that_is_percent_encoded_is_found_in_a_url(spelled: str) -> None:
    assert clean(f"{URL}?x={spelled}&n=1").url == f"{URL}?x=REDACTED&n=1"
    assert clean(f"https://llm.test/{spelled}/chat").url == "https://llm.test/REDACTED/chat"


def test_url_that_is_encoded_for_another_reason_stays() -> None:
    url = f"{URL}?q=a%20b%2Fc&x=%F0%9F%98%80"
    assert clean(url).url == url


def test_fields_of_an_urlencoded_form_are_told_by_their_names() -> None:
    body = b"grant_type=password&client%5Fsecret=s3&password=hunter2&x=" + encoded(KEY).encode()
    assert (
        clean(body=body).body == b"grant_type=password&client%5Fsecret=REDACTED&password=REDACTED&x=REDACTED"
    )


@pytest.mark.parametrize(
    "body", [b"a=b=c", b"1 + 1 = 2; password=3 {}", b"plain text", b'"password=x"', b"=&="]
)
def test_text_that_is_no_form_stays(body: bytes) -> None:
    assert clean(body=body).body == body


@given(
    st.dictionaries(st.text(min_size=1), st.binary(), max_size=3), st.sampled_from(["api_key", "password"])
)
def test_parts_of_a_multipart_form_are_told_by_their_names(others: dict[str, bytes], name: str) -> None:
    made = httpx2.Request("POST", URL, files={**others, name: (None, b"hunter2")})
    found = clean(body=made.read()).body
    assert b"hunter2" not in found
    assert clean(body=found).body == found
    if not others:
        assert found == made.read().replace(b"hunter2", b"REDACTED")


@pytest.mark.parametrize("pattern", ["^tiger$", r"\Atiger\Z", "tiger$", "^tiger"])
def test_anchors_of_own_patterns_are_those_of_a_json_string(pattern: str) -> None:
    redactor = Redactor(RedactionRules(patterns=(pattern,)))
    body = json.dumps({"messages": [{"content": "tiger"}, {"content": "a tiger here"}]}).encode()
    assert json.loads(clean(body=body, redactor=redactor).body)["messages"] == [
        {"content": "REDACTED"},
        {"content": "a tiger here"},
    ]


@pytest.mark.parametrize(
    "body",
    [
        b'x=1&password=hunter2&data={"a": 1}',
        b"x=1 2&password=hunter2\r\n",
        b"&password=hunter2",
        b"a:b=1&password=hunter2",
        b"flag&password=hunter2",
        "é=1;password=hunter2".encode(),
        b"auth[password]=hunter2",
        b"auth%5Bpassword%5D=hunter2",
        b"payload=%7B%22password%22%3A%22hunter2%22%7D",
        b"next=https%3A%2F%2Fllm.test%2F%3Fapi_key%3Dhunter2",
    ],
)
def test_form_that_is_written_by_hand_is_one_where_its_type_says_so(body: bytes) -> None:
    found = clean(body=body, content_type=b"application/x-www-form-urlencoded; charset=utf-8").body
    assert b"hunter2" not in found
    assert b"REDACTED" in found


@pytest.mark.parametrize(
    "head",
    [
        b'Content-Disposition: form-data; name = "api_key"',
        b'Content-Disposition: form-data;\r\n name="api_key"',
        b'Content-Disposition: form-data; name="api%5Fkey"',
        b"Content-Disposition: form-data; name*=UTF-8''api%5Fkey",
    ],
)
@pytest.mark.parametrize("before", [b"", b"\r\n", b"For old mailers.\r\n"])
def test_part_is_told_however_its_head_is_written(head: bytes, before: bytes) -> None:
    body = before + b"--b\r\n" + head + b"\r\n\r\nhunter2\r\n--b--\r\n"
    found = clean(body=body, content_type=b"multipart/form-data; boundary=b").body
    assert found == body.replace(b"hunter2", b"REDACTED")


def test_login_in_a_url_that_is_a_parameter_of_a_url_is_found() -> None:
    url = f"{URL}?next=https%3A%2F%2Fllm.test%2F%3Fapi_key%3Dhunter2&n=1"
    assert clean(url).url == f"{URL}?next=REDACTED&n=1"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"note=tiger&b=2", b"application/x-www-form-urlencoded"),
        (
            b'--b\r\nContent-Disposition: form-data; name="n"\r\n\r\ntiger\r\n--b--\r\n',
            b"multipart/form-data",
        ),
    ],
)
def test_anchors_of_own_patterns_are_those_of_a_value_in_a_form_too(body: bytes, content_type: bytes) -> None:
    redactor = Redactor(RedactionRules(patterns=("^tiger$",)))
    found = clean(body=body, redactor=redactor, content_type=content_type).body
    assert found == body.replace(b"tiger", b"REDACTED")
    assert clean(f"{URL}/tiger?x=1", redactor=redactor).url == f"{URL}/REDACTED?x=1"


@pytest.mark.parametrize("content_type", [b"application/x-www-form-urlencoded", b"text/html"])
def test_token_that_an_answer_gives_out_in_a_form_is_found(content_type: bytes) -> None:
    body = b"access_token=hunter2&expires_in=5"
    head = ResponseHead(200, ((b"Content-Type", content_type), (b"Content-Length", b"33")))
    given_out = Exchange(Request("POST", URL, (), b""), 0, Ending("complete", 1), head, (body,), (1,))
    found, answer = REDACTOR.exchange(given_out, Answer(body))
    assert found.body == answer.data == b"access_token=REDACTED&expires_in=5"
    assert found.head is not None
    assert header(found.head.headers, b"content-length") == b"34"
    assert found.redacted


@pytest.mark.parametrize("body", [b"", b"a=b&c=d", b"plain: text\n", b"\x00\xff=binary"])
def test_answer_that_is_no_form_with_a_secret_stays(body: bytes) -> None:
    exchange = Exchange(
        Request("POST", URL, (), b""), 0, Ending("complete", 1), ResponseHead(200, ()), (body,), (1,)
    )
    answer = Answer(body)
    assert REDACTOR.exchange(exchange, answer) == (exchange, answer)
