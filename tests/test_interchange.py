"""Other people's recordings, format by format: what becomes of an entry, and what is said where nothing does."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import vcr.serialize  # type: ignore[import-untyped]  # ships no types
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vcr.request import Request as VcrpyRequest  # type: ignore[import-untyped]  # ships no types
from vcr.serializers import jsonserializer, yamlserializer  # type: ignore[import-untyped]  # ships no types

from recorder.cassettes import Recorded
from recorder.cassettes.file import FileCassette
from recorder.errors import CassetteError
from recorder.exchange import Exchange, header
from recorder.interchange import Imported, NoCassette, import_file
from recorder.interchange.redaction import without_secrets
from recorder.redact import Redactor
from recorder.settings import RedactionRules

URL = "https://api.openai.com/v1/chat/completions"


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Writes a file and imports it."""

    def read(content: Any, name: str = "c.yaml") -> Imported:
        path = tmp_path / name
        if not isinstance(content, (str, bytes)):
            content = json.dumps(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return import_file(path, name)

    return read


def one(imported: Imported) -> Exchange:
    assert imported.notes == ()
    (exchange,) = imported.exchanges
    return exchange


def entry(response: Any, **request: Any) -> dict[str, Any]:
    asked = {"method": "POST", "uri": URL, "headers": {"accept": ["*/*"]}, "body": "{}", **request}
    return {"interactions": [{"request": asked, "response": response}], "version": 1}


def answer(body: Any, **headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): [value] for name, value in headers.items()}
    return {"status": {"code": 200, "message": "OK"}, "headers": named, "body": {"string": body}}


# vcrpy


def test_vcrpy_entry_becomes_an_exchange(read: Any) -> None:
    exchange = one(read(entry(answer("hi", content_type="text/plain"))))
    assert (exchange.request.method, exchange.request.url) == ("POST", URL)
    assert exchange.request.headers == ((b"accept", b"*/*"),)
    assert exchange.request.body == b"{}"
    assert exchange.head is not None
    assert (exchange.head.status, exchange.head.reason) == (200, b"OK")
    assert (exchange.chunks, exchange.arrivals_ns, exchange.ending.kind) == ((b"hi",), (0,), "complete")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(asked=st.binary(max_size=40), answered=st.binary(max_size=60), as_json=st.booleans())
def test_bodies_that_vcrpy_wrote_come_back_byte_for_byte(
    tmp_path: Path, asked: bytes, answered: bytes, as_json: bool
) -> None:
    if as_json:
        asked, answered = (repr(body).encode() for body in (asked, answered))
    cassette = {
        "requests": [VcrpyRequest("POST", URL, asked, {})],
        "responses": [
            {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": answered}}
        ],
    }
    path = tmp_path / "c.any"
    text = vcr.serialize.serialize(cassette, jsonserializer if as_json else yamlserializer)
    path.write_text(text, encoding="utf-8", newline="")
    exchange = one(import_file(path))
    assert (exchange.request.body, exchange.body) == (asked, answered)


def test_several_values_of_a_response_header_stay_apart(read: Any) -> None:
    response = answer("hi")
    response["headers"] = {"Set-Cookie": ["a=1", "b=2"], "X-Number": [7]}
    head = one(read(entry(response))).head
    assert head is not None
    assert head.headers == ((b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2"), (b"X-Number", b"7"))


def test_missing_reason_headers_and_body_are_absent_and_no_error(read: Any) -> None:
    response = {"status": {"code": 204, "message": None}, "headers": None, "body": {"string": None}}
    exchange = one(read(entry(response, headers=None, body=None)))
    assert exchange.head is not None
    assert (exchange.head.reason, exchange.head.headers, exchange.chunks) == (None, (), ())


def test_first_httpx_stub_is_read_as_decoded_content(read: Any) -> None:
    response = {
        "status_code": 200,
        "http_version": "HTTP/1.1",
        "headers": {"content-encoding": ["gzip"], "content-length": ["99"], "x": ["1"]},
        "content": "plain",
    }
    exchange = one(read(entry(response)))
    assert exchange.head is not None
    assert exchange.head.headers == ((b"content-length", b"5"), (b"x", b"1"))
    assert exchange.body == b"plain"


def test_entry_from_before_1_0_gets_its_url_from_the_parts(read: Any) -> None:
    request = {
        "method": "GET",
        "protocol": "https",
        "host": "h.de",
        "port": 8443,
        "path": "/p?q=1",
        "body": None,
    }
    response = {**answer("x"), "headers": ["Content-Type: text/plain\r\n"]}
    exchange = one(read([{"request": {**request, "headers": {"A": "b"}}, "response": response}]))
    assert exchange.request.url == "https://h.de:8443/p?q=1"
    assert exchange.head is not None
    assert exchange.head.headers == ((b"Content-Type", b"text/plain"),)


def test_structured_bodies_become_the_json_that_their_serializer_makes(read: Any) -> None:
    content = f"""
interactions:
- request: {{method: POST, uri: '{URL}', headers: {{}}, parsed_body: {{day: 2024-01-02, text: "é"}}}}
  response: {{status: {{code: 200, message: OK}}, headers: {{}}, parsed_body: {{n: [1, null, true]}}}}
"""
    exchange = one(read(content))
    assert exchange.request.body == b'{"day": "2024-01-02", "text": "\\u00e9"}'
    assert exchange.body == b'{"n": [1, null, true]}'


def test_pretty_printed_bodies_stay_as_they_stand(read: Any) -> None:
    content = f"""
interactions:
- request:
    body: |-
      {{
        "model": "m"
      }}
    headers: {{}}
    method: POST
    uri: {URL}
  response: {{status: {{code: 200, message: OK}}, headers: {{}}, body: {{string: "{{\\n}}"}}}}
"""
    exchange = one(read(content))
    assert (exchange.request.body, exchange.body) == (b'{\n  "model": "m"\n}', b"{\n}")


def test_five_old_tags_are_read(read: Any) -> None:
    content = f"""
interactions:
- request:
    body: !!python/object/new:_io.BytesIO
      state: !!python/tuple [!!binary YWI=, 0, null]
    headers: {{}}
    method: !!python/unicode 'POST'
    uri: !!python/str '{URL}'
  response: {{status: {{code: 200, message: OK}}, headers: {{}}, body: {{string: a}}}}
- request:
    body: !!python/object/apply:builtins.iter
      args: [[!!binary YWI=, !!binary Yw==]]
    headers: {{}}
    method: POST
    uri: {URL}
  response: {{status: {{code: 200, message: OK}}, headers: {{}}, body: {{string: b}}}}
"""
    imported = read(content)
    assert [exchange.request.body for exchange in imported.exchanges] == [b"ab", b"abc"]
    assert imported.exchanges[0].request.method == "POST"


def test_iterator_that_was_used_up_is_an_empty_body(read: Any) -> None:
    class Spent:
        def __reduce__(self) -> Any:
            return iter([]).__reduce__()

    data = entry(answer("a"), body=Spent())
    exchange = one(read(yaml.dump(data)))
    assert (exchange.request.body, exchange.body) == (b"", b"a")


@pytest.mark.parametrize(
    "tag",
    ["python/object/apply:os.system", "python/name:os.system", "python/object/new:x.Y", "python/module:os"],
)
def test_any_other_tag_is_refused_with_its_place(read: Any, tag: str) -> None:
    with pytest.raises(CassetteError, match=rf"line 2, column \d+: the tag .*{tag}.* refused"):
        read(f"interactions:\n- request: !!{tag} ['touch x']\n")


def test_tags_of_the_first_vcrpy_name_its_own_migration(read: Any) -> None:
    with pytest.raises(CassetteError, match=r"python -m vcr\.migration"):
        read("- request: !!python/object:vcr.request.Request {host: h}\n  response: {}\n")


@pytest.mark.parametrize(
    "content",
    [
        "interactions: " + "[" * 100_000,
        "interactions:\n" + "".join(" " * i + "-\n" for i in range(1000)),
        '{"interactions": ' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
    ids=["flow", "block", "json"],
)
def test_document_that_nests_too_deep_is_refused(read: Any, content: str) -> None:
    with pytest.raises(CassetteError, match="deep"):
        read(content)


def test_aliases_that_multiply_are_refused(read: Any) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(CassetteError, match="aliases"):
        read("\n".join([*lines, "interactions: [{request: *a8}]"]))
    with pytest.raises(CassetteError, match="aliases"):
        read("interactions: &a [*a]")


def test_merge_keys_are_refused(read: Any) -> None:
    with pytest.raises(CassetteError, match=r"line 2, column \d+: merge keys \(<<\) are not read"):
        read("a: &a {x: 1}\nb: {<<: [*a, *a]}\ninteractions: []\n")


def test_broken_cassette_names_line_and_column(read: Any) -> None:
    with pytest.raises(CassetteError, match=r"c\.yaml, line 3, column 1"):
        read("interactions:\n<<<<<<< ours\n- request:\n")


# Content encodings


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_body_that_is_plain_under_an_encoding_loses_the_header(read: Any, encoding: str) -> None:
    imported = read(entry(answer("plain text", content_encoding=encoding, content_length="99")))
    (exchange,) = imported.exchanges
    assert exchange.head is not None
    assert exchange.head.headers == ((b"content-length", b"10"),)
    (note,) = imported.notes
    assert "content-encoding" in note.reason
    assert str(note).startswith("c.yaml, entry 1: ")


@pytest.mark.parametrize(("encoding", "encode"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_body_that_is_encoded_keeps_its_wire_bytes(read: Any, encoding: str, encode: Any) -> None:
    body = encode(b"hello")
    exchange = one(read(yaml.dump(entry(answer(body, content_encoding=encoding)))))
    assert exchange.body == body
    assert exchange.head is not None
    assert header(exchange.head.headers, b"content-encoding") == encoding.encode()


# The other formats


def test_cassetter_reads_typed_bodies_and_notes_what_is_not_http(read: Any) -> None:
    response = {
        "status": 201,
        "headers": {"a": ["b"]},
        "body": {"type": "json", "content": {"é": [1.5, None]}},
    }
    document = {
        "interactions": [
            {
                "request": {
                    "method": "PUT",
                    "uri": URL,
                    "headers": {},
                    "body": {"type": "binary", "content": "00ff"},
                },
                "response": response,
                "recorded_at": "2026-01-01T00:00:00Z",
            }
        ],
        "ws_interactions": [{"uri": "wss://h/stream", "frames": []}],
        "grpc_interactions": [{"request": {"method": "/demo/Say"}}],
    }
    imported = read(document)
    (exchange,) = imported.exchanges
    assert imported.format == "cassetter"
    assert (exchange.request.body, exchange.body) == (b"\x00\xff", '{"é":[1.5,null]}'.encode())
    assert exchange.started_us == 1_767_225_600_000_000
    assert [note.detail for note in imported.notes] == ["/demo/Say", "wss://h/stream"]


RUBY = """---
http_interactions:
- request:
    method: post
    uri: https://h.de/a
    body: {encoding: UTF-8, string: "é"}
    headers: {Accept: ["*/*"]}
  response:
    status: {code: 200, message: OK}
    headers: {Content-Type: [text/plain]}
    body:
      encoding: ASCII-8BIT
      string: !binary |-
        AAH/
    http_version: '1.1'
  recorded_at: Tue, 01 Nov 2011 04:58:44 GMT
recorded_with: VCR 6.0.0
"""


def test_ruby_vcr_is_read_with_its_own_spelling_of_binary(read: Any) -> None:
    imported = read(RUBY, "c.yml")
    exchange = one(imported)
    assert imported.format == "ruby VCR"
    assert (exchange.request.method, exchange.request.body) == ("POST", "é".encode())
    assert (exchange.body, exchange.started_us) == (b"\x00\x01\xff", 1_320_123_524_000_000)


def test_betamax_undoes_base64_and_encodes_text_as_it_says(read: Any) -> None:
    body = {"base64_string": base64.b64encode(b"\xff\x00").decode(), "encoding": None}
    request = {"method": "POST", "uri": URL, "headers": {}, "body": {"string": "é", "encoding": "latin-1"}}
    response = {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": body}
    interaction = {"request": request, "response": response, "recorded_at": "2015-06-27T14:15:28"}
    imported = read({"http_interactions": [interaction], "recorded_with": "betamax/0.4.2"}, "c.json")
    exchange = one(imported)
    assert imported.format == "betamax"
    assert (exchange.request.body, exchange.body) == (b"\xe9", b"\xff\x00")


@pytest.mark.parametrize("version", [1, 2])
def test_go_vcr_keeps_how_long_the_call_took(read: Any, version: int) -> None:
    request = {"method": "GET", "url": URL, "headers": {"A": ["b"]}, "body": "", "form": {}}
    response = {"body": "hi", "headers": {}, "status": "404 Not Found", "code": 404, "duration": "1m1.5ms"}
    response |= {"proto": "HTTP/2.0"} if version == 2 else {}
    imported = read({"version": version, "interactions": [{"request": request, "response": response}]})
    exchange = one(imported)
    assert imported.format == "go-vcr"
    assert exchange.head is not None
    assert (exchange.head.status, exchange.head.reason) == (404, b"Not Found")
    assert exchange.head.http_version == (b"HTTP/2" if version == 2 else b"HTTP/1.1")
    assert exchange.arrivals_ns == (60_001_500_000,)


def har(**response: Any) -> dict[str, Any]:
    content = {"size": 3, "mimeType": "text/plain", "text": "abc"}
    asked = {
        "method": "POST",
        "url": URL,
        "httpVersion": "h2",
        "headers": [{"name": ":authority", "value": "x"}, {"name": "accept", "value": "*/*"}],
        "postData": {"mimeType": "application/json", "text": "{}"},
    }
    answered = {
        "status": 200,
        "statusText": "",
        "httpVersion": "h2",
        "headers": [{"name": "content-encoding", "value": "gzip"}],
        "content": content,
        **response,
    }
    timed = {"blocked": 1, "dns": -1, "connect": -1, "send": 1, "wait": 10.5, "receive": 5}
    return {
        "log": {
            "version": "1.2",
            "entries": [
                {
                    "startedDateTime": "2026-01-01T00:00:00.000Z",
                    "time": 20,
                    "timings": timed,
                    "request": asked,
                    "response": answered,
                }
            ],
        }
    }


def test_har_gives_times_and_drops_what_only_http2_has(read: Any) -> None:
    imported = read(har(), "c.har")
    (exchange,) = imported.exchanges
    assert imported.format == "HAR"
    assert exchange.request.headers == ((b"accept", b"*/*"),)
    assert exchange.head is not None
    assert (exchange.head.http_version, exchange.head.headers, exchange.head.at_ns) == (
        b"HTTP/2",
        (),
        12_500_000,
    )
    assert (exchange.chunks, exchange.arrivals_ns) == ((b"abc",), (20_000_000,))


def test_har_undoes_base64_also_of_chunks(read: Any) -> None:
    pieces = [base64.b64encode(piece).decode() for piece in (b"\x1f\x8b", b"rest")]
    whole = {
        "size": 3,
        "mimeType": "x/y",
        "text": base64.b64encode(b"\x00\xff").decode(),
        "encoding": "base64",
    }
    assert read(har(content=whole, headers=[]), "c.har").exchanges[0].body == b"\x00\xff"
    listed = {"size": 6, "mimeType": "x/y", "text": json.dumps(pieces), "encoding": "base64"}
    assert read({"Name_1": har(content=listed)}, "c.har").exchanges[0].chunks == (b"\x1f\x8b", b"rest")


def test_har_entries_that_cannot_be_answered_are_notes(read: Any) -> None:
    for response, reason in (
        ({"status": 0}, "there is no response"),
        ({"status": 101}, "a WebSocket is not carried"),
        ({"content": {"size": 9}}, "the response body was not saved"),
    ):
        imported = read(har(**response), "c.har")
        assert imported.exchanges == ()
        assert [note.reason for note in imported.notes] == [reason]


# What nobody would write


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a document."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """The document with another value at this path."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = put(copy[path[0]], path[1:], new)
    return copy


TYPED = {"type": "json", "content": {}}
DOCUMENTS: list[Any] = [
    entry(answer("x", content_encoding="br")),
    entry({"status_code": 200, "headers": {}, "content": "x"}),
    entry({"status": 200, "headers": {}, "body": TYPED}, body=TYPED) | {"ws_interactions": [{"uri": "x"}]},
    {"requests": [{"method": "GET", "uri": URL}], "responses": [answer("x")]},
    [
        {
            "request": {"method": "GET", "protocol": "https", "host": "h", "port": 1, "path": "/"},
            "response": answer("x"),
        }
    ],
    yaml.safe_load(RUBY.replace("!binary", "")),
    {
        "version": 2,
        "interactions": [
            {
                "request": {"method": "GET", "url": URL, "body": "", "form": {"a": ["b"]}},
                "response": {
                    "code": 200,
                    "status": "200 OK",
                    "body": "x",
                    "duration": "1s",
                    "proto": "HTTP/2.0",
                },
            }
        ],
    },
    har(),
    har(content={"text": '["aa"]', "encoding": "base64", "size": 1, "_isBinary": True}),
]
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([URL, "[", "gzip"]),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(st.text(max_size=3), below, max_size=2),
    max_leaves=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=400)
@given(data=st.data(), document=st.sampled_from(DOCUMENTS), odd=ODD)
def test_a_value_of_any_kind_anywhere_is_read_noted_or_refused(
    tmp_path: Path, data: st.DataObject, document: Any, odd: Any
) -> None:
    path = tmp_path / "c.json"
    changed = put(document, data.draw(st.sampled_from(list(places(document)))), odd)
    path.write_text(json.dumps({"x": "request"}) if changed is None else json.dumps(changed))
    try:
        imported = import_file(path)
    except CassetteError as error:
        assert str(path) in str(error)  # noqa: PT017 - whether it raises depends on the example
    else:
        redactor = Redactor(RedactionRules())
        assert all(
            isinstance(without_secrets(exchange, redactor), Exchange) for exchange in imported.exchanges
        )


# Detection


def test_format_is_told_by_content_and_not_by_name(read: Any) -> None:
    assert read(RUBY, "recording.txt").format == "ruby VCR"
    assert read(gzip.compress(RUBY.encode()), "recording").format == "ruby VCR"
    assert read(har(), "x.yaml").format == "HAR"
    halves = entry(answer("x"))["interactions"][0]
    assert len(read({"requests": [halves["request"]], "responses": [halves["response"]]}).exchanges) == 1


@pytest.mark.parametrize("content", ["# Title\n", "", "request: 1\n", '{"a": "request"}', b"\x00\xffrequest"])
def test_what_is_no_cassette_is_named_as_such(read: Any, content: Any) -> None:
    with pytest.raises(NoCassette, match=r"notes\.md"):
        read(content, "notes.md")


def test_entries_that_cannot_be_read_are_notes_and_the_rest_goes_on(read: Any) -> None:
    good = entry(answer("x"))["interactions"][0]
    bad = [
        3,
        {"request": good["request"]},
        {**good, "request": {**good["request"], "uri": "/relative"}},
        {**good, "response": {"status": {"code": None}}},
    ]
    imported = read({"interactions": [bad[0], good, *bad[1:]]})
    assert len(imported.exchanges) == 1
    assert [(note.entry, note.reason) for note in imported.notes] == [
        (1, "the entry is no mapping"),
        (3, "`response` is missing"),
        (4, "the URL is not absolute"),
        (5, "there is no response"),
    ]


def test_request_without_its_response_is_a_note(read: Any) -> None:
    asked = [{"method": "GET", "uri": f"{URL}?{place}", "headers": {}, "body": ""} for place in range(2)]
    imported = read({"requests": asked, "responses": [answer("a")]})
    assert [exchange.body for exchange in imported.exchanges] == [b"a"]
    assert [(note.entry, note.reason) for note in imported.notes] == [(2, "`response` is missing")]


def test_cassette_in_another_encoding_is_not_passed_over(read: Any) -> None:
    text = yaml.safe_dump(entry(answer("caf\xe9")), allow_unicode=True)
    with pytest.raises(CassetteError, match="UTF-16; save it in UTF-8"):
        read(text.encode("utf-16"))
    with pytest.raises(CassetteError, match=r"c\.yaml, line \d+: this is no YAML in UTF-8: [^\n]*$"):
        read(text.encode("latin-1"))


@pytest.mark.parametrize("time", [-5, 1e18, 1e300])
def test_times_that_cannot_be_are_cut_to_what_a_cassette_keeps(
    read: Any, tmp_path: Path, time: float
) -> None:
    asked = {"method": "GET", "url": URL, "headers": []}
    answered = {"status": 200, "headers": [], "content": {"text": "a"}}
    one_entry = {"request": asked, "response": answered, "time": time, "timings": {"wait": time}}
    exchange = one(read({"log": {"entries": [one_entry]}}, "c.har"))
    FileCassette(tmp_path / "kept.yaml").save([Recorded(exchange, "")])
    assert len(FileCassette(tmp_path / "kept.yaml").load() or ()) == 1
