"""A tree in vcrpy's format where it lies: names, options and matching as its own tools have them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest

import recorder
from recorder.cassettes import Session
from recorder.errors import CassetteError, CassetteMiss, CassetteMissing, RecorderWarning, SettingsError
from recorder.exchange import Request
from recorder.interchange import (
    VcrCassette,
    VcrConfig,
    VcrRegistry,
    cassette_name,
    import_tree,
    vcr_cassette,
    vcr_config,
)
from recorder.interchange.vcr_request import to_vcr

from .drivers import Driver
from .playing import InMemory, play, play_vcr_file, play_with_vcrpy

URL = "https://api.openai.com/v1/chat/completions"
Write = Callable[..., Path]


def post(body: Any = b"{}", url: str = URL, method: str = "POST", **headers: str) -> Request:
    pairs = {
        "content-type": "application/json",
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request(method, url, tuple((name.encode(), text.encode()) for name, text in pairs.items()), raw)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a cassette of requests; the n-th answers `n`."""

    def write(*requests: Request, name: str = "c.yaml", answers: Iterable[str] = "123456789") -> Path:
        path = tmp_path / name
        interactions = [
            {
                "request": {
                    "method": request.method,
                    "uri": request.url,
                    "headers": {key.decode(): [value.decode()] for key, value in request.headers},
                    "body": request.body.decode(),
                },
                "response": {
                    "status": {"code": 200, "message": "OK"},
                    "headers": {"content-type": ["text/plain"]},
                    "body": {"string": answer},
                },
            }
            for request, answer in zip(requests, answers, strict=False)
        ]
        path.write_text(json.dumps({"interactions": interactions, "version": 1}))
        return path

    return write


def same_as_vcrpy(path: Path, requests: list[Request], **options: Any) -> list[Any]:
    """The answers of both, which must be the same; a miss is None."""
    theirs = play_with_vcrpy(path, requests, options)
    ours = play_vcr_file(path, requests, vcr_config(options))
    bodies = [[got.body if len(got) == 4 else None for got in each] for each in (ours, theirs)]
    assert bodies[0] == bodies[1]
    return bodies[0]


A, B = {"model": "a"}, {"model": "b"}


def test_body_is_not_compared_unless_named(write: Write) -> None:
    path = write(post(A), post(B))
    assert same_as_vcrpy(path, [post(B), post({"new": 1})]) == [b"1", b"2"]
    assert same_as_vcrpy(path, [post(B), post({"new": 1})], match_on=["method", "uri", "body"]) == [
        b"2",
        None,
    ]


def test_identical_requests_answer_in_file_order_each_once(write: Write) -> None:
    path = write(post(A), post(A))
    assert same_as_vcrpy(path, [post(A)] * 3) == [b"1", b"2", None]


def test_repeats_give_the_first_answer_always(write: Write) -> None:
    path = write(post(A), post(A), post(B))
    asked = [post(A), post(A), post(B), post(B)]
    assert same_as_vcrpy(path, asked, allow_playback_repeats=True, match_on=["body"]) == [
        b"1",
        b"1",
        b"3",
        b"3",
    ]


@pytest.mark.parametrize(
    ("match_on", "asked"),
    [
        (["method"], post(method="PUT")),
        (["scheme"], post(url=URL.replace("https", "http"))),
        (["host"], post(url="https://other.com/v1/chat/completions")),
        (["port"], post(url=URL.replace(".com", ".com:8443"))),
        (["path"], post(url=f"{URL}/more")),
        (["query"], post(url=f"{URL}?b=2&a=1")),
        (["query"], post(url=f"{URL}?a=")),
        (["uri"], post(url=f"{URL}?a=1")),
        (["url"], post(url=URL)),
        (["headers"], post(x_extra="1")),
        (["raw_body"], post(b"{ }")),
        (["body"], post(b"{ }")),
        (["body"], post(b"{", content_type="text/plain")),
    ],
)
def test_each_matcher_decides_as_vcrpy_does(write: Write, match_on: list[str], asked: Request) -> None:
    same_as_vcrpy(write(post()), [asked], match_on=match_on)


@pytest.mark.parametrize(
    ("kind", "recorded", "asked", "matches"),
    [
        ("application/json", b'{"a": 1, "b": 2}', b'{"b":2,"a":1}', True),
        ("application/json; charset=utf-8", b"not json", b"not json", True),
        ("application/x-www-form-urlencoded", b"a=1&b=2", b"b=2&a=1", True),
        ("application/x-www-form-urlencoded", b"a=1&b=2", b"b=2&a=2", False),
        ("text/plain", b'{"a": 1}', b'{"a":1}', False),
    ],
)
def test_bodies_are_compared_by_content_type(
    write: Write, kind: str, recorded: bytes, asked: bytes, matches: bool
) -> None:
    path = write(post(recorded, content_type=kind))
    assert same_as_vcrpy(path, [post(asked, content_type=kind)], match_on=["body"]) == [
        b"1" if matches else None
    ]


def test_xmlrpc_bodies_are_compared_by_meaning(write: Write) -> None:
    call = "<?xml version='1.0'?><methodCall>{}<methodName>m</methodName><params></params></methodCall>"
    requests = [
        post(call.format(gap).encode(), content_type="text/xml", user_agent="xmlrpc/3") for gap in ("", "\n")
    ]
    assert same_as_vcrpy(write(requests[0]), [requests[1]], match_on=["body"]) == [b"1"]


@pytest.mark.parametrize(
    ("options", "recorded", "asked"),
    [
        (
            {"filter_query_parameters": ["sid"], "match_on": ["uri"]},
            post(url=f"{URL}?sid=1"),
            post(url=f"{URL}?sid=2"),
        ),
        ({"filter_post_data_parameters": ["sid"], "match_on": ["body"]}, post({"sid": 1}), post({"sid": 2})),
        (
            {"filter_post_data_parameters": [("sid", 0)], "match_on": ["body"]},
            post({"sid": 1}),
            post({"sid": 2}),
        ),
        (
            {"filter_post_data_parameters": ["sid"], "match_on": ["body"]},
            post(b"a=1&sid=2", content_type="application/x-www-form-urlencoded"),
            post(b"a=1&sid=3", content_type="application/x-www-form-urlencoded"),
        ),
        (
            {
                "filter_post_data_parameters": ["sid"],
                "filter_nested_post_data_parameters": True,
                "match_on": ["body"],
            },
            post({"a": [{"sid": 1}]}),
            post({"a": [{"sid": 2}]}),
        ),
    ],
)
def test_filters_run_on_both_sides(write: Write, options: Any, recorded: Request, asked: Request) -> None:
    path = write(recorded)
    assert same_as_vcrpy(path, [asked], **options) == [b"1"]
    assert same_as_vcrpy(path, [asked], match_on=options["match_on"]) == [None]


def test_header_filters_take_out_replace_or_ask() -> None:
    request = post(x_a="1", x_b="2", x_c="3")

    def ask(key: str, value: str, request: Any) -> str:
        return f"{key}={value} of {request.method}"

    for replacement, expected in ((None, None), ("X", "X"), (ask, "X-B=2 of POST")):
        filtered = vcr_config({"filter_headers": ["X-A", ("X-B", replacement)]}).filtered(request)
        assert filtered is not None
        assert (filtered.headers.get("x-a"), filtered.headers.get("x-b")) == (None, expected)
        assert filtered.headers["x-c"] == "3"


def test_multipart_fields_are_filtered_on_both_sides(write: Write) -> None:
    def form(secret: str) -> Request:
        part = 'Content-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
        fields = [part.format("sid", secret), part.format("a", "1")]
        body = "".join(f"--xx\r\n{field}" for field in fields) + "--xx--\r\n"
        return post(body.encode(), content_type="multipart/form-data; boundary=xx")

    assert same_as_vcrpy(
        write(form("1")), [form("2")], filter_post_data_parameters=["sid"], match_on=["body"]
    ) == [b"1"]


def test_hooks_see_requests_and_responses_as_vcrpy_has_them(write: Write) -> None:
    def before_request(request: Any) -> Any:
        if request.path.endswith("/skip"):
            return None
        request.uri = request.uri.replace("/v2/", "/v1/")
        assert (request.protocol, request.host, request.port) == ("https", "api.openai.com", 443)
        assert request.headers["Content-Type"] == "application/json"
        return request

    def before_response(response: Any) -> Any:
        response["body"]["string"] += b"!"
        response["headers"]["X"] = ["y"]
        return response if response["status"]["code"] == 200 else None

    path = write(post(A), post(A, url=f"{URL}/skip"), post(B))
    options = {"before_record_request": before_request, "before_record_response": [before_response]}
    requests = [post(A, url=URL.replace("v1", "v2")), post(B)]
    assert same_as_vcrpy(path, requests, **options) == [b"1!", b"3!"]


def test_ignored_hosts_are_none_of_the_cassettes_business(write: Write) -> None:
    config = vcr_config({"ignore_hosts": ["a.de", re.compile(r".*\.b\.de")], "ignore_localhost": True})
    cassette = VcrCassette(write(post(url="https://a.de/"), post()), config=config)
    hosts = ("a.de", "x.b.de", "localhost", "c.de")
    assert [cassette.ignores(post(url=f"https://{host}/")) for host in hosts] == [True, True, True, False]
    assert [each.exchange.body for each in cassette.load() or ()] == [b"2"]


def test_matchers_of_ones_own_are_named_or_registered(write: Write) -> None:
    def same_model(asked: Any, recorded: Any) -> None:
        assert json.loads(asked.body)["model"] == json.loads(recorded.body)["model"]

    registry = VcrRegistry()
    registry.register_matcher("same_model", same_model)
    path = write(post(A), post(B))
    for options in ({"additional_matchers": ["same_model"]}, {"match_on": ["method", same_model]}):
        got = play_vcr_file(path, [post({"model": "b", "n": 1})], vcr_config(options, registry))
        assert got[0].body == b"2"
    with pytest.raises(CassetteError, match="'same_model', which is no matcher"):
        vcr_config({"match_on": ["same_model"]})


def test_miss_says_which_matcher_refused_and_why(write: Write) -> None:
    cassette = VcrCassette(write(post(A)), config=vcr_config({"match_on": ["method", "query"]}))
    session = Session(cassette, "none", matching=cassette.matching)
    with pytest.raises(BaseException, match=r"query: asked \[\('a', '1'\)\], recorded \[\]"):
        session.find(post(A, url=f"{URL}?a=1"))


def test_options_without_effect_are_noted() -> None:
    config = vcr_config({"record_mode": "once", "custom_patches": [1], "colour": "red"})
    assert [note.partition(" ")[0] for note in config.notes] == ["record_mode", "custom_patches", "colour"]


@pytest.mark.parametrize("secret", ["h.example", lambda request, response: "h.example"])
def test_values_are_put_back_for_placeholders_as_vcrpy_does(write: Write, secret: Any) -> None:
    path = write(post({"at": "<HOST>"}, url="https://<HOST>/v1"), answers=["said <HOST>"])
    options = {"filter_sensitive_data": {"<HOST>": secret, "<NONE>": None}, "match_on": ["uri", "body"]}
    asked = [post({"at": "h.example"}, url="https://h.example/v1")]
    ours = play_vcr_file(path, asked, vcr_config(options))
    assert ours == play_with_vcrpy(path, asked, options)
    assert ours[0].body == b"said h.example"


def test_hooks_on_loading_change_what_is_played_or_drop_it(write: Write) -> None:
    def shout(request: Any, response: Any) -> Any:
        if request.uri.endswith("/drop"):
            return None
        response["body"]["string"] = response["body"]["string"].upper()
        return request, response

    def see(request: Any, response: Any, cassette: Any) -> Any:
        return request, response

    path = write(post(A), post(A, url=f"{URL}/drop"), answers=["one", "two"])
    options = {"after_load_interaction": [shout, see]}
    asked = [post(A), post(A, url=f"{URL}/drop")]
    ours = play_vcr_file(path, asked, vcr_config(options))
    theirs = play_with_vcrpy(path, asked, options)
    assert (ours[0], len(ours[1])) == (theirs[0], len(theirs[1]))
    assert ours[0].body == b"ONE"


def test_positional_arguments_of_the_mark_are_further_cassettes(write: Write, tmp_path: Path) -> None:
    default = write(post(A))
    extra = write(post(B), name="extra.yaml", answers="9")
    options = vcr_config({"match_on": ["body"]})
    assert [got.body for got in play_vcr_file(default, [post(B), post(A)], options, [extra, extra])] == [
        b"9",
        b"1",
    ]
    assert play_vcr_file(tmp_path / "none.yaml", [post(B)], options, [extra])[0].body == b"9"


def test_cassette_that_is_missing_or_empty_is_no_cassette(tmp_path: Path) -> None:
    assert VcrCassette(tmp_path / "none.yaml").load() is None
    (tmp_path / "empty.yaml").write_text("\n")
    with pytest.raises(CassetteMissing):
        Session(VcrCassette(tmp_path / "empty.yaml"), "none")


def test_cassette_is_never_written_and_says_how_to_record(write: Write) -> None:
    path = write(post(A))
    before = path.read_bytes()
    with pytest.raises(CassetteError, match="recorder cassette import"):
        VcrCassette(path).save(())
    with pytest.raises(CassetteError, match="only read"):
        VcrCassette(path).update(lambda now: now or ())
    assert path.read_bytes() == before


def test_secrets_are_compared_as_they_are_redacted_and_answers_stay_as_they_are(write: Write) -> None:
    path = write(post(A, url=f"{URL}?key=DUMMY"), answers="1")
    options = vcr_config({"match_on": ["uri"]})
    assert (
        play_vcr_file(path, [post(A, url=f"{URL}?key=AIzaSyD4xFq0zrZ8wYb7c6d5e4f3g2h1i0jklmn")], options)[0][
            0
        ]
        == 200
    )


def test_serializer_of_ones_own_reads_the_file(tmp_path: Path) -> None:
    class Reversed:
        @staticmethod
        def deserialize(text: str) -> Any:
            return json.loads(text[::-1])

    registry = VcrRegistry()
    registry.register_serializer("reversed", Reversed)
    response = {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": "x"}}
    document = {"interactions": [{"request": {"method": "GET", "uri": URL}, "response": response}]}
    (tmp_path / "c.reversed").write_text(json.dumps(document)[::-1])
    cassette = VcrCassette(tmp_path / "c.reversed", config=vcr_config({"serializer": "reversed"}, registry))
    assert [each.exchange.body for each in cassette.load() or ()] == [b"x"]


def test_replaced_fields_of_json_stand_where_vcrpy_puts_them_for_matchers_that_compare_bytes(
    write: Write,
) -> None:
    path = write(post(b'{"z": 1, "sid": 0}'))
    options = {"filter_post_data_parameters": [("sid", 0)], "match_on": ["raw_body"]}
    assert same_as_vcrpy(path, [post(b'{"sid": 7, "z": 1}')], **options) == [b"1"]


def test_persister_that_fails_is_named(write: Write) -> None:
    class Lost:
        @staticmethod
        def load_cassette(path: str, serializer: Any) -> Any:
            raise FileNotFoundError(path)

    source = VcrCassette(write(post()), config=vcr_config({"persister": Lost()}))
    with pytest.raises(CassetteError, match="its persister Lost: FileNotFoundError"):
        source.load()


def test_path_follows_transformer_and_library() -> None:
    config = vcr_config({"path_transformer": lambda path: f"{path}.yaml", "cassette_library_dir": "lib"})
    assert config.path("a") == str(Path("lib", "a.yaml"))
    assert VcrConfig().path("a.yaml") == "a.yaml"


def test_names_are_those_of_pytest_recording() -> None:
    assert cassette_name("test_a[x/y:z]", "TestIt") == "TestIt.test_a[x-y-z]"
    assert cassette_name("test_<>?%*:|\"'/\\") == "test_-----------"
    long = cassette_name("t" * 300, longest=255)
    assert long == f"{'t' * (255 - 5 - 32 - 3)}...{hashlib.md5(b't' * 300).hexdigest()}"
    assert len(f"{long}.yaml") == 255


def test_header_names_are_compared_without_case_and_keep_their_spelling() -> None:
    request = to_vcr(Request("GET", URL, ((b"X-A", b"1"), (b"x-b", b"2"), (b"X-A", b"3"))))
    assert dict(request.headers) == {"X-A": "1, 3", "x-b": "2"}
    assert request.headers["x-a"] == "1, 3"
    assert type(request)._from_dict(request._to_dict()).headers == request.headers


def test_whole_tree_is_imported_and_plays_the_same(write: Write, tmp_path: Path) -> None:
    path = write(post(A), post(B))
    kept = InMemory()
    summary = import_tree(path, tmp_path / "out.yaml", target=lambda _: kept)
    assert (summary.exchanges, summary.complete) == (2, True)
    assert [got.body for got in play(kept, [post(B), post(A)])] == [b"2", b"1"]


# With a client, as a suite that moved has it


def test_suite_that_moved_plays_its_old_file(write: Write, driver: Driver) -> None:
    path = write(post(A), post(url="https://api.openai.com/v1/models", body=b"", method="GET"))
    cassette = vcr_cassette(path, options={"match_on": ["method", "path"]})

    async def scenario() -> list[bytes]:
        with cassette as used:
            client = used.wrap(driver.client())
            posted = await driver.send(client, "POST", URL, json=B)
            listed = await driver.send(client, "GET", "https://api.openai.com/v1/models")
            return [posted.content, listed.content]

    assert driver.run(scenario) == [b"1", b"2"]
    assert cassette.report.hits == 2


def test_vcr_cassette_covers_every_client_as_vcrpy_does(write: Write) -> None:
    path = write(post(A))
    with recorder.vcr_cassette(path) as cassette:
        assert httpx.post(URL, json=A).content == b"1"
        assert cassette.report.hits == 1


def test_vcr_cassette_takes_vcrpys_keywords(write: Write) -> None:
    path = write(post(A))
    options: dict[str, Any] = {
        "record_mode": "none",
        "match_on": ["method", "path"],
        "filter_headers": ["authorization"],
    }
    with recorder.vcr_cassette(path, **options, allow_playback_repeats=True) as cassette:
        assert [httpx.post(URL, json=each).content for each in (A, B)] == [b"1", b"1"]
        assert cassette.report.hits == 2


def test_vcr_cassette_decorates_functions_as_vcrpy_does(write: Write) -> None:
    @recorder.vcr_cassette(write(post(A)))
    def ask_once() -> bytes:
        return httpx.post(URL, json=A).content

    assert [ask_once(), ask_once()] == [b"1", b"1"]


def test_vcr_cassette_has_vcrpys_names_for_what_happened(write: Write) -> None:
    with recorder.vcr_cassette(write(post(A), post(B))) as cassette:
        assert (len(cassette), cassette.play_count, cassette.all_played, cassette.dirty) == (
            2,
            0,
            False,
            False,
        )
        assert [httpx.post(URL, json=each).content for each in (A, B)] == [b"1", b"2"]
    assert (cassette.play_count, cassette.all_played) == (2, True)
    assert [request.path for request in cassette.requests] == ["/v1/chat/completions"] * 2
    assert [response["body"]["string"] for response in cassette.responses] == [b"1", b"2"]


def test_options_of_many_cassettes_are_given_once(write: Write) -> None:
    folder = write(post(A), name="ask_once.yaml").parent
    ours = recorder.VCR(
        cassette_library_dir=str(folder),
        path_transformer=recorder.VCR.ensure_suffix(".yaml"),
        match_on=["same"],
    )
    ours.register_matcher("same", lambda asked, recorded: asked.path == recorded.path)

    def ask_once() -> bytes:
        return httpx.post(URL, json=B).content

    assert ours.use_cassette(ask_once)() == ours.use_cassette()(ask_once)() == b"1"
    with ours.use_cassette("ask_once") as cassette:
        assert (ask_once(), cassette.play_count) == (b"1", 1)
    with ours.use_cassette("ask_once.yaml", match_on=["body"]), pytest.raises(CassetteMiss):
        ask_once()


def test_cassette_without_a_path_is_called_like_the_function_in_the_folder_of_its_module() -> None:
    @recorder.VCR().use_cassette
    def ask_once() -> None: ...

    @recorder.VCR(func_path_generator=lambda function: f"of_{function.__name__}").use_cassette
    def ask_twice() -> None: ...

    with pytest.raises(CassetteMissing, match=r"'[^']*tests/ask_once', and .*vcrpy.*recorder\.cassette\("):
        ask_once()
    with pytest.raises(CassetteMissing, match="'of_ask_twice'"):
        ask_twice()


def test_options_that_there_are_not_are_refused() -> None:
    with pytest.raises(SettingsError, match="'macth_on'"):
        recorder.VCR(macth_on=["body"])  # type: ignore[call-arg]  # a slip of the pen


def test_keys_are_not_compared_since_the_file_does_not_know_them(write: Write) -> None:
    path = write(post(A, url="https://a.de/v1/x"), post(A, url="https://b.de/v1/x"))
    with vcr_cassette(path) as cassette, cassette.wrap(httpx.Client()) as client:
        for host, key, expected in (("a", "one", b"1"), ("b", "two", b"2")):
            headers = {"authorization": f"Bearer sk-{key}-0123456789"}
            assert client.post(f"https://{host}.de/v1/x", headers=headers).content == expected


def test_ignored_host_goes_live_and_everything_else_is_a_miss(write: Write) -> None:
    def live(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"live")

    with (
        vcr_cassette(write(post(A)), options={"ignore_hosts": ["live.de"]}) as cassette,
        cassette.wrap(httpx.Client(transport=httpx.MockTransport(live))) as client,
    ):
        assert client.get("https://live.de/x").content == b"live"
        with pytest.raises(CassetteMiss):
            client.get("https://other.de/x")


def entries(*codes: object) -> str:
    return json.dumps(
        {
            "interactions": [
                {
                    "request": {
                        "method": "GET",
                        "uri": f"https://h.example/{place}",
                        "headers": {},
                        "body": "",
                    },
                    "response": {"status": {"code": code}, "headers": {}, "body": {"string": "a"}},
                }
                for place, code in enumerate(codes)
            ]
        }
    )


def test_recording_that_cannot_be_played_is_told(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(entries(200, "none", None))
    with pytest.warns(RecorderWarning, match=r"entry 2: there is no response \(status 'none'\), and 1 more"):
        assert len(VcrCassette(path).load() or ()) == 1


def test_file_of_which_nothing_can_be_played_is_not_called_missing(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(entries(99999))
    with pytest.raises(
        CassetteError, match=r"no recording can be played of .*c\.json, entry 1: there is no resp"
    ):
        VcrCassette(path).load()


def test_miss_of_a_file_that_is_only_read_does_not_advise_to_record_into_it(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(entries(200))
    cassette = vcr_cassette(path, install=False)
    with (
        cassette,
        cassette.wrap(httpx.Client()) as client,
        pytest.raises(CassetteMiss, match="recorder cassette import makes it one of ours") as caught,
    ):
        client.get("https://h.example/other")
    assert "record it with mode" not in str(caught.value)
