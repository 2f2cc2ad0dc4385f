"""Secrets in the strings of JSON that are URLs or forms, and in what is percent-encoded, wherever it stands."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.body import Answer
from recorder.exchange import Ending, Exchange, Headers, Request, ResponseHead
from recorder.redact import Redactor
from recorder.secret_alarm import may_hold
from recorder.secret_names import FIELD_ENDINGS, FIELD_NAMES, QUERY_NAMES
from recorder.secret_shapes import shape_spans
from recorder.settings import RedactionRules

KEY = "sk-proj-" + "a1B2" * 10
DASHED = KEY.replace("-", "%2D")
SPELLED = "".join(f"%{byte:02X}" for byte in KEY.encode())
REDACTOR = Redactor(RedactionRules())
QUERY = "https://h.test/x?w=5&api_key=abc123"


def clean(body: bytes, redactor: Redactor = REDACTOR, content_type: bytes = b"application/json") -> bytes:
    headers = ((b"Content-Type", content_type),)
    return redactor.request(Request("POST", "https://llm.test/chat/completions", headers, body)).body


def answered(body: bytes, headers: Headers = ()) -> tuple[Exchange, Answer]:
    request = Request("POST", "https://llm.test/chat/completions")
    return Exchange(request, 0, Ending("complete", 1), ResponseHead(200, headers), (body,), (1,)), Answer(
        body
    )


def hidden(document: Any, redactor: Redactor = REDACTOR) -> Any:
    """JSON as it is kept, the same of a request and of an answer."""
    body = json.dumps(document).encode()
    found = clean(body, redactor)
    assert redactor.exchange(*answered(body))[1].data == found
    assert clean(found, redactor) == found
    return json.loads(found)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (QUERY, "https://h.test/x?w=5&api_key=REDACTED"),
        ("https://h.test/?key=1#access_token=2", "https://h.test/?key=REDACTED#access_token=REDACTED"),
        ("wss://h.test/v1?Token=x&n=1", "wss://h.test/v1?Token=REDACTED&n=1"),
        ("https://h.test/?api%5Fkey=x", "https://h.test/?api%5Fkey=REDACTED"),
        ("https://h.test/?next=https%3A%2F%2Fh%2F%3Fpwd%3Dx&n=1", "https://h.test/?next=REDACTED&n=1"),
        (f"https://h.test/{DASHED}/a", "https://h.test/REDACTED/a"),
        ("https://h.test/x?page=2&keyword=x&max_tokens=5", None),
        ("https://me@h.test/x?q=a%20b&r=%C3%A9", None),
    ],
)
def test_url_that_is_a_string_of_json_is_read_as_a_url(url: str, expected: str | None) -> None:
    messages = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]
    found = hidden({"image_url": url, "messages": messages})
    assert found["image_url"] == (expected or url)
    assert found["messages"][0]["content"][0]["image_url"]["url"] == (expected or url)


@pytest.mark.parametrize(
    "spelled",
    [
        QUERY.replace("/", "\\/"),
        QUERY.replace("&", "\\u0026"),
        QUERY.replace("=", "\\u003d"),
        QUERY.replace("&api_key=abc123", "&api_key=\\u0061bc123"),
        QUERY.replace("api", "\\u0061pi"),
    ],
)
def test_escapes_do_not_hide_a_url(spelled: str) -> None:
    found = clean(b'{"url":"%b","n":1}' % spelled.encode())
    assert json.loads(found) == {"url": "https://h.test/x?w=5&api_key=REDACTED", "n": 1}


def test_url_in_the_arguments_of_a_tool_and_in_a_sentence_is_found() -> None:
    arguments = json.dumps({"url": "https://h.test/?password=x", "again": json.dumps({"u": QUERY})})
    found = hidden({"arguments": arguments, "content": f"see {QUERY}, or ?token=abc123"})
    assert json.loads(found["arguments"])["url"] == "https://h.test/?password=REDACTED"
    assert "abc123" not in found["arguments"]
    assert found["content"] == "see https://h.test/x?w=5&api_key=REDACTED, or ?token=abc123"


def test_form_that_is_a_string_of_json_is_read_as_a_form() -> None:
    found = hidden({"body": "grant_type=x&client_secret=y", "content": "a && password=b", "env": "code=5"})
    assert found == {
        "body": "grant_type=x&client_secret=REDACTED",
        "content": "a && password=b",
        "env": "code=5",
    }


@pytest.mark.parametrize("spelled", [DASHED, SPELLED, quote(SPELLED), quote(quote(SPELLED))])
def test_key_that_is_percent_encoded_is_found_wherever_it_stands(spelled: str) -> None:
    assert hidden({"a": spelled, "b": f"x\n{spelled} y"}) == {"a": "REDACTED", "b": "x\nREDACTED y"}
    assert hidden({"a": json.dumps({"b": f"\n{spelled}\t"})}) == {"a": json.dumps({"b": "\nREDACTED\t"})}
    part = '--b\r\nContent-Disposition: form-data; name="n"\r\n\r\n{}\r\n--b--\r\n'
    found = clean(part.format(spelled).encode(), content_type=b"multipart/form-data; boundary=b")
    assert found == part.format("REDACTED").encode()
    assert REDACTOR.text(f"at {spelled}.") in ("at REDACTED.", "at REDACTED")
    assert REDACTOR.suspicious([f"at {spelled}"])


@pytest.mark.parametrize("spelled", [SPELLED, quote(SPELLED), quote("https://h/?api_key=hunter2", safe="")])
def test_key_that_is_encoded_twice_is_found_in_a_url(spelled: str) -> None:
    request = Request("GET", f"https://llm.test/?x={quote(spelled)}&n=1")
    assert REDACTOR.request(request).url == "https://llm.test/?x=REDACTED&n=1"


def test_header_that_is_a_url_is_read_as_a_url() -> None:
    headers = ((b"X-Original-Url", QUERY.encode()), (b"X-Note", DASHED.encode()), (b"X-Plain", b"100%2D"))
    (_, url), (_, note), plain = REDACTOR.request(Request("GET", "https://llm.test/", headers)).headers
    assert (url, note, plain) == (b"https://h.test/x?w=5&api_key=REDACTED", b"REDACTED", headers[2])


def test_deltas_that_spell_an_encoded_key_are_rewritten() -> None:
    pieces = [f"x {DASHED[:4]}", DASHED[4:20], f"{DASHED[20:]} y"]
    line = b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n'
    body = b"".join(line % piece.encode() for piece in pieces)
    assert REDACTOR.suspicious(["".join(pieces)])
    found = REDACTOR.deltas(*answered(body))[1].data
    assert found == line % b"x REDACTED" + line % b"" + line % b" y"


def test_own_parameters_are_found_in_json_and_kept_ones_stay() -> None:
    own = Redactor(RedactionRules(query=("ticket",), keep=("api_key",)))
    found = hidden({"url": "https://h.test/?ticket=x&api_key=y"}, own)
    assert found == {"url": "https://h.test/?ticket=REDACTED&api_key=y"}


@pytest.mark.parametrize(
    "name",
    [
        *("db_password", "OPENAI_API_KEY", "auth%5Btoken%5D", "user[password]", "a[authorization]"),
        *(
            "token[]",
            "token[0]",
            "user[password][]",
            "user[password][12]",
            "a%5Bsecret%5D%5B%5D",
            "a[assertion][]",
        ),
    ],
)
def test_parameter_goes_by_the_endings_of_fields_too(name: str) -> None:
    url = f"https://h.test/x?{name}=abc&page=2"
    expected = url.replace("abc", "REDACTED")
    assert hidden({"url": url}) == {"url": expected}
    assert REDACTOR.request(Request("GET", url)).url == expected


def test_own_field_is_a_parameter_too() -> None:
    own = Redactor(RedactionRules(fields=("ssn",)))
    assert hidden({"url": "https://h.test/?ssn=1"}, own) == {"url": "https://h.test/?ssn=REDACTED"}
    assert own.request(Request("GET", "https://h.test/?ssn=1")).url == "https://h.test/?ssn=REDACTED"


@pytest.mark.parametrize(
    "text",
    [
        "printf('%2d %5.2f %-10s', x)",
        "100%25 of a%20b",
        "https://h.test/?q=%7B%22a%22%3A1%7D",
        'call requests.get("https://api.test/?key=YOUR_KEY") or open("x?code=5&b=1")',
        "if (a == b && key=c) {}",
        "use ?api_key=... or &token=<your token> as in https://h.test/?token=your_token",
        "https://h.test/a?sig=short&page=1 and more",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": text}]}).encode()
    assert clean(body) is body


@given(
    st.lists(st.sampled_from(["%", "25", "2D", "sk", "-", "a1B2" * 5, "?", "=", "api_key", "://", '"', " "]))
)
def test_the_quick_question_misses_no_encoded_key(pieces: list[str]) -> None:
    text = "".join(pieces)
    body = json.dumps({"a": text}).encode()
    found = clean(body)
    assert json.loads(found)["a"] == text or may_hold(body)
    assert clean(found) == found
    assert may_hold(text.encode(), fields=False) or not shape_spans(text.encode())
    assert KEY not in unquote(found.decode())


@pytest.mark.parametrize(
    "unit", ["%25", "%", "a=%41&", "?api_key=", "https://h/?a=b&", "%2525252541", "key=1&"]
)
@pytest.mark.parametrize("content_type", [b"application/json", b"application/x-www-form-urlencoded"])
def test_long_texts_take_time_in_proportion(unit: str, content_type: bytes) -> None:
    text = unit * (100_000 // len(unit))
    body = json.dumps({"a": text}) if content_type.endswith(b"json") else f"x={text}"
    own = Redactor(RedactionRules(patterns=("^tiger$",)))
    started = time.process_time()
    for redactor in (REDACTOR, own):
        clean(body.encode(), redactor, content_type)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("head", "unit", "tail"),
    [
        ("%41 ", "a", ""),
        ("", "a:", "://%41"),
        ("https://h/", "?", "&sig=a"),
        ("%41&a=b;&sig=c&", ";", ""),
    ],
)
def test_long_texts_without_an_end_take_time_in_proportion(head: str, unit: str, tail: str) -> None:
    text = head + unit * (400_000 // len(unit)) + tail
    started = time.process_time()
    clean(json.dumps({"a": text}).encode())
    clean(f"x={text}".encode(), REDACTOR, b"application/x-www-form-urlencoded")
    assert time.process_time() - started < 5


@pytest.mark.parametrize("query", ["??sig=hunter2", "?a?sig=hunter2"])
def test_parameter_after_another_question_mark_is_one(query: str) -> None:
    assert b"hunter2" not in clean(json.dumps({"u": f"https://h.test/{query}"}).encode())


def test_form_and_anchored_patterns_take_little_time() -> None:
    own = Redactor(RedactionRules(patterns=("^tiger$",)))
    started = time.process_time()
    found = clean(b"a=b&" * 500_000 + b"x=tiger", own, b"application/x-www-form-urlencoded")
    assert found.endswith(b"&x=REDACTED")
    assert time.process_time() - started < 4


@given(
    st.lists(
        st.sampled_from(
            [
                "%",
                "2D",
                "sk",
                "-proj-",
                "a1B2" * 5,
                "?",
                "=",
                "&",
                "api_key",
                "://",
                '"',
                "\\",
                "\n",
                "/",
                "é",
                "[",
                "{",
                " ",
            ]
        )
    ).map("".join),
    st.integers(0, 3),
    st.booleans(),
)
def test_json_stays_json_however_deep_a_secret_stands(text: str, depth: int, ascii_only: bool) -> None:
    document: Any = {"a": text}
    for _ in range(depth):
        document = {"b": json.dumps(document, ensure_ascii=ascii_only)}
    found = json.loads(clean(json.dumps(document).encode()))
    for _ in range(depth):
        found = json.loads(found["b"])
    assert found.keys() == {"a"}
    assert found["a"] == text or "REDACTED" in found["a"]


def test_escape_before_what_is_encoded_stays_whole() -> None:
    text = "é" + "".join(f"%{byte:02x}" for byte in KEY.encode())
    assert json.loads(clean(json.dumps({"choices": text}).encode())) == {"choices": "éREDACTED"}


@pytest.mark.parametrize(
    "form", ["{}", "a[{}]", "{}[]", "a[{}][]", "{}[0]", "a[{}][7]", "{}[12]", "a[{}][31]"]
)
def test_every_secret_parameter_raises_the_alarm(form: str) -> None:
    for name in {*QUERY_NAMES, *FIELD_NAMES, *FIELD_ENDINGS}:
        assert may_hold(b'{"u":"https://h.test/?%b=x"}' % form.format(name).encode()), name


@pytest.mark.parametrize("parameter", ["tokens[]", "a[b][]", "x[token]y", "[]", "token[x]", "a[password][x]"])
def test_brackets_make_no_secret_of_another_name(parameter: str) -> None:
    url = f"https://h.test/x?{parameter}=abc&page=2"
    assert hidden({"url": url}) == {"url": url}


@pytest.mark.parametrize(
    "parameter", ["a[tiger]", "a[lion]", "ti+ger", "tiger[]", "a[lion][7]", "zebra[0]", "ape[]"]
)
def test_own_names_count_in_brackets_and_with_spaces(parameter: str) -> None:
    own = Redactor(RedactionRules(query=("tiger",), fields=("lion", "zebra[0]", "ape[]")))
    assert b"hunter2" not in clean(json.dumps({"u": f"https://h.test/?{parameter}=hunter2"}).encode(), own)


def test_names_tell_nothing_of_what_a_model_said() -> None:
    message = {
        "content": "https://h.test/?code=5",
        "tool_calls": [{"arguments": '{"u": "https://h.test/?key=5"}'}],
    }
    body = json.dumps({"choices": [{"message": message}]}).encode()
    exchange, answer = answered(body)
    assert REDACTOR.exchange(exchange, answer) == (exchange, answer)


def test_code_that_names_a_key_raises_no_alarm() -> None:
    assert not may_hold(
        b'client = Client(api_key=key, base_url=\\"https://h.test\\") if a && token=b else None'
    )
    assert may_hold(b'{"url": "https://h.test/?page=2&api_key=b"}')
    assert may_hold(b'{"form": "name=a&password=b"}')
