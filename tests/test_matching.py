"""Which requests are the same: canonical bodies, rules, JSON paths, ids, credentials, and what a miss says of them."""

from __future__ import annotations

import json
import threading
import time
import uuid
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder import CassetteMiss, SettingsError
from recorder.cassettes import Matching, Session
from recorder.cassettes.comparable import comparable, digest
from recorder.cassettes.json_paths import leave_out, parse_path
from recorder.cassettes.matching import Rule
from recorder.errors import is_let_through
from recorder.exchange import Request
from recorder.guard import Guard

from .cassette_sources import MemoryCassette, a_recording, ask, request
from .drivers import URL

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
OLD, NEW = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))


def session(*recorded: Request, **options: Any) -> Session:
    rules = {name: options.pop(name) for name in ("match", "ignore", "rename_ids") if name in options}
    source = MemoryCassette([a_recording(each, str(n)) for n, each in enumerate(recorded, 1)])
    return Session(source, matching=Matching(**rules), **options)


def matches(recorded: Request, asked: Request, **options: Any) -> bool:
    try:
        session(recorded, **options).find(asked)
    except CassetteMiss:
        return False
    return True


def miss(asked: Request, *recorded: Request, **options: Any) -> str:
    with pytest.raises(CassetteMiss) as caught:
        session(*recorded, **options).find(asked)
    return str(caught.value)


def shuffled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: shuffled(value[name]) for name in reversed(value)}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


@given(JSON)
def test_key_order_and_spacing_never_matter(value: Any) -> None:
    spaced = json.dumps(shuffled(value), indent=2).encode()
    assert matches(request(body=json.dumps(value).encode()), request(body=b" " + spaced))


@given(JSON, JSON)
def test_digests_are_equal_exactly_if_the_values_are(one: Any, other: Any) -> None:
    scope = Matching().scope()
    digests = [digest(comparable(request(body=json.dumps(each).encode()), scope)) for each in (one, other)]
    assert (digests[0] == digests[1]) == (
        json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    ) or (one == other)


@given(st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4)), max_size=3), st.data())
def test_queries_are_equal_exactly_if_their_parameters_are(
    pairs: list[tuple[str, str]], data: st.DataObject
) -> None:
    others = data.draw(st.permutations(pairs) | st.just([("&".join(map("=".join, pairs)), "")]))
    urls = [f"{URL}?{urlencode(each, quote_via=via)}" for each, via in ((pairs, quote), (others, quote_plus))]
    assert matches(*map(request, urls)) == (sorted(pairs) == sorted(others))


def test_parameters_that_were_quoted_into_one_are_not_two() -> None:
    assert not matches(request(f"{URL}?a=1%26b%3D2"), request(f"{URL}?a=1&b=2"))
    assert not matches(request(f"{URL}?a=%FF"), request(f"{URL}?a=%FE"))
    assert matches(request(f"{URL}?b=x+y&a=%41"), request(f"{URL}?a=A&b=x%20y"))


ODD = (
    *(b'{"t":%b}' % number for number in (b"NaN", b"Infinity", b"-Infinity", b"1e400", b"1e401", b"null", b'"NaN"')),
    *(b'{"t":"\\ud800","u":%b}' % number for number in (b"NaN", b"Infinity", b"1e400", b"null")),
    *(b'{"t":"%b"}' % text for text in (b"\xff", b"\xfe", b"\xef\xbf\xbd", b"\\udcff")),
    b'"abc"', b"abc", b'"1"', b"1", b"null", b"", b"NaN", b'"NaN"', b"\xff", b"\xfe", b"true", b"{}", b"[1]", b"[true]",
)  # fmt: skip


@pytest.mark.parametrize("one", ODD)
def test_bodies_that_json_has_no_value_for_equal_themselves_alone(one: bytes) -> None:
    assert [other for other in ODD if matches(request(body=one), request(body=other))] == [one]
    spaced = (
        one.replace(b":", b" : ") if one[:1] == b"{" and b"\xff" not in one and b"\xfe" not in one else one
    )
    assert matches(request(body=one), request(body=spaced))


def test_a_miss_shows_what_json_has_no_value_for() -> None:
    bodies = b'{"t":NaN}', b'{"t":1e400}', b'{"t":[1e400]}', b'"abc"', b"abc"
    nan, huge, nested, quoted, plain = (request(body=each) for each in bodies)
    assert "$.t: recorded NaN, asked 1e400" in miss(huge, nan)
    assert "$.t: recorded NaN, asked [Infinity]" in miss(nested, nan)
    assert '$: recorded "abc", asked "abc" as text' in miss(plain, quoted)


@given(st.lists(st.sampled_from("abc"), max_size=6), st.permutations("abc"), st.booleans())
def test_renaming_is_symmetric_and_keeps_apart_what_is_different(
    letters: list[str], order: list[str], spoilt: bool
) -> None:
    ids = dict(zip("abc", (str(uuid.UUID(int=n)) for n in range(3)), strict=True))
    renamed = dict(zip("abc", (ids[letter] for letter in order), strict=True))
    one = ask(ids=[ids[letter] for letter in letters])
    other = [renamed[letter] for letter in letters]
    same = True
    if spoilt and len(set(letters)) > 1:
        other[letters.index(next(each for each in letters if each != letters[0]))] = other[0]
        same = False
    assert matches(one, ask(ids=other), rename_ids=True) == same
    assert matches(ask(ids=other), one, rename_ids=True) == same


@pytest.mark.parametrize(
    ("recorded", "asked"),
    [
        (f"see {OLD}.", f"see {NEW}."),
        ("call_1", "call_2"),
        ("chatcmpl-A1b2C3d4E5f6", "chatcmpl-Z9y8X7w6V5u4"),
        ("toolu_01A09q90qw90lq917835lq9", "toolu_01T1x1fJ34qAmk2tNTrN7Up6"),
        ("msg_abcdefghijklmnopqrstuvwx", "msg_xbcdefghijklmnopqrstuvwa"),
        ("it is 2024-05-01T10:00:00Z now", "it is 2026-11-22T02:03:04.567+01:00 now"),
        (1_700_000_000, 1_800_000_000),
        (1_700_000_000_123, 1_800_000_000_456),
        (1_700_000_000.25, 1_800_000_000.5),
        ("0" * 31 + "a", "0" * 31 + "b"),
    ],
)
def test_ids_and_times_may_differ_on_demand(recorded: object, asked: object) -> None:
    one, other = ask(content=recorded), ask(content=asked)
    assert not matches(one, other)
    assert matches(one, other, rename_ids=True)
    assert "it would have matched with rename_ids=True;" in miss(other, one)


@pytest.mark.parametrize(
    ("recorded", "asked"),
    [
        ("step-1 of it", "step-2 of it"),
        ("deepseek-chat", "deepseek-reasoner"),
        (17, 18),
        ("msg_type", "msg_kind"),
    ],
)
def test_words_and_numbers_are_no_ids(recorded: object, asked: object) -> None:
    assert not matches(ask(content=recorded), ask(content=asked), rename_ids=True)


def test_ids_stand_for_one_another_across_requests() -> None:
    first, second = ask(id=OLD), ask(again=OLD)
    playing = session(first, second, rename_ids=True)
    playing.find(ask(id=NEW))
    with pytest.raises(CassetteMiss, match="but other ids stand for"):
        playing.find(ask(again=str(uuid.UUID(int=3))))
    assert playing.find(ask(again=NEW)) == playing.recordings[1]


def test_ids_in_the_url_are_renamed_too() -> None:
    one, other = (request(url=f"https://h/v1/runs/{each}/chat/completions") for each in (OLD, NEW))
    assert matches(one, other, rename_ids=True)


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("$.user", '{"a":[{"id":1,"b":{"id":2}},{"x-y":3}]}'),
        ("$.a[*].id", '{"a":[{"b":{"id":2}},{"x-y":3}],"user":"u"}'),
        ("$.a[0].b.id", '{"a":[{"id":1,"b":{}},{"x-y":3}],"user":"u"}'),
        ("$..id", '{"a":[{"b":{}},{"x-y":3}],"user":"u"}'),
        ('$.a[1]["x-y"]', '{"a":[{"id":1,"b":{"id":2}},{}],"user":"u"}'),
        ("$['a'][1]['x-y']", '{"a":[{"id":1,"b":{"id":2}},{}],"user":"u"}'),
        ("$.a[0]", '{"a":[null,{"x-y":3}],"user":"u"}'),
        ("$.a[*]", '{"a":[null,null],"user":"u"}'),
        ("$.a..id", '{"a":[{"b":{}},{"x-y":3}],"user":"u"}'),
        ("$.nowhere[3].at", '{"a":[{"id":1,"b":{"id":2}},{"x-y":3}],"user":"u"}'),
    ],
)
def test_paths_lead_to_what_is_left_out(path: str, left: str) -> None:
    value = {"a": [{"id": 1, "b": {"id": 2}}, {"x-y": 3}], "user": "u"}
    assert leave_out(value, (parse_path(path),)) == json.loads(left)


@pytest.mark.parametrize("path", ["user", "$", "$.", "$.a[", "$.a[-1]", "$.a[?(@.b)]", "$user", ""])
def test_bad_path_is_refused_with_the_right_form(path: str) -> None:
    with pytest.raises(SettingsError, match=r"is no JSON path.*write it as \$\.user"):
        Matching(ignore=(path,))


def test_ignored_members_may_differ_or_be_absent() -> None:
    assert matches(ask(user="a"), ask(user="b"), ignore=("$.user",))
    assert matches(ask(user="a"), ask(), ignore=("$.user",))
    assert not matches(ask(user="a"), ask(seed=1), ignore=("$.user",))


@pytest.mark.parametrize(
    ("match", "url", "matched"),
    [
        (("method", "url", "body"), "http://a:1/v1/chat?x=1&y=2", True),
        (("method", "url", "body"), "http://b:1/v1/chat?y=2&x=1", False),
        (("path",), "https://b:2/v1/chat", True),
        (("path",), "http://a:1/v2/chat?y=2&x=1", False),
        (("host",), "https://a:2/else", True),
        (("port", "scheme"), "http://b:1/else", True),
        (("port", "scheme"), "http://b:2/else", False),
        (("query",), "https://b:2/else?x=1&y=2", True),
        (("query",), "https://b:2/else?x=1&y=3", False),
    ],
)
def test_match_names_what_must_be_equal(match: tuple[str, ...], url: str, matched: bool) -> None:
    assert matches(request(url="http://a:1/v1/chat?y=2&x=1"), request(url=url), match=match) == matched


def test_named_headers_are_compared() -> None:
    one, other = (request(headers=((b"X-Tenant", each),)) for each in (b"a", b"b"))
    assert matches(one, other)
    assert not matches(one, other, match=("method", "url", "body", "headers:x-tenant"))
    assert matches(one, one, match=("method", "url", "body", "headers:X-Tenant"))
    assert 'match=("method", "url", "body")' in miss(
        other, one, match=("method", "url", "body", "headers:x-tenant")
    )


@pytest.mark.parametrize("rule", ["bodies", "header:x", "headers:", 3])
def test_unknown_rule_names_those_there_are(rule: Any) -> None:
    with pytest.raises(SettingsError, match=r"is no rule; use 'method', .*'headers:<name>', or a function"):
        Matching(match=("method", rule))
    with pytest.raises(SettingsError, match="names nothing"):
        Matching(match=())


def test_own_functions_decide_too() -> None:
    def same_length(asked: Request, recorded: Request) -> bool:
        return len(asked.body) == len(recorded.body)

    def same_model(asked: Request, recorded: Request) -> None:
        assert json.loads(asked.body)["model"] == json.loads(recorded.body)["model"], "another model"

    rules: tuple[Rule, ...] = ("method", "url", same_length, same_model)
    assert matches(ask(n=1), ask(n=2), match=rules)
    assert "same_length returned False" in miss(ask(n=10), ask(n=2), match=rules)
    assert "same_model: another model" in miss(ask(model="a"), ask(model="b"), match=rules)


def test_what_an_own_function_raises_by_mistake_comes_out_as_it_is() -> None:
    def broken(asked: Request, recorded: Request) -> bool:
        raise TypeError("a bug")

    playing = session(ask(), match=("method", broken), mode="new_episodes")
    with pytest.raises(TypeError, match="a bug") as caught, Guard():
        playing.find(ask())
    assert is_let_through(caught.value)
    assert playing.report.recorded == 0


def test_a_suggestion_does_not_fall_over_an_own_function_that_was_meant_for_others() -> None:
    def by_number(asked: Request, recorded: Request) -> bool:
        return int(recorded.url[-1]) > 0

    text = miss(request("https://h/1"), request("https://h/x"), match=("method", "url", by_number))
    assert "nearest is recording 1 of 1" in text


def test_an_own_function_may_look_at_its_cassette_and_ask_it() -> None:
    seen: list[object] = []

    def curious(asked: Request, recorded: Request) -> bool:
        if asked.url.endswith("/outer"):
            seen.append((playing.report.hits, playing.find(request("https://h/inner"))))
        return True

    playing = session(request("https://h/inner"), request("https://h/outer"), match=("url", curious))
    work = threading.Thread(target=playing.find, args=(request("https://h/outer"),), daemon=True)
    work.start()
    work.join(5)
    assert seen == [(0, playing.recordings[0])]
    assert playing.report.hits == 2


def test_boundary_of_a_form_does_not_matter() -> None:
    def form(boundary: str, value: str) -> Request:
        kind = f"multipart/form-data; boundary={boundary}".encode()
        body = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="f"\r\n\r\n{value}\r\n--{boundary}--\r\n'
        )
        return request(body=body.encode(), headers=((b"Content-Type", kind),))

    assert matches(form("a1b2", "x"), form("c3d4", "x"))
    assert not matches(form("a1b2", "x"), form("c3d4", "y"))


@pytest.mark.parametrize(
    ("recorded", "asked", "rule"),
    [
        (ask(user="a"), ask(user="b"), 'ignore=["$.user"]'),
        (ask(m=[{"t": 1}, {"t": 2}]), ask(m=[{"t": 3}, {"t": 4}]), 'ignore=["$.m[0].t", "$.m[1].t"]'),
        (
            ask(m=[{"t": n} for n in range(9)]),
            ask(m=[{"t": n + 20} for n in range(9)]),
            'ignore=["$.m[*].t"]',
        ),
        (ask(m=[1, 2]), ask(m=[1, 2, 3]), 'ignore=["$.m"]'),
        (request(body=b"plain"), request(body=b"text"), 'match=("method", "url")'),
        (
            ask("https://a/v1/x"),
            ask("https://b/v1/x"),
            'match=("method", "scheme", "port", "path", "query", "body")',
        ),
    ],
)
def test_a_miss_names_the_rule_that_would_have_matched(recorded: Request, asked: Request, rule: str) -> None:
    text = miss(asked, recorded)
    assert f"it would have matched with {rule};" in text
    assert "nearest is recording 1 of 1, which" in text


def test_a_rule_is_named_together_with_those_that_hold_already() -> None:
    text = miss(ask(a=2, b=2), ask(a=1, b=1), ignore=("$.a",))
    assert '$.b: recorded 1, asked 2\nit would have matched with ignore=["$.a", "$.b"];' in text


def test_over_asking_names_repeat() -> None:
    playing = session(ask())
    playing.find(ask())
    with pytest.raises(CassetteMiss, match=r'recorded 1 time and is now asked once more.*repeat="last"'):
        playing.find(ask())
    assert len(playing.report.misses) == 1


def test_a_miss_is_explained_soon_however_much_differs() -> None:
    playing = session(*(ask(text=f"{n} " + "w " * 10_000) for n in range(200)))
    much: Any = {f"k{n}": n for n in range(30_000)}
    started = time.process_time()
    with pytest.raises(CassetteMiss, match="… and more than 288 more"):
        playing.find(ask(**much))
    assert time.process_time() - started < 1


def test_others_are_answered_while_a_miss_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    playing = session(ask(n=1))
    answered: list[object] = []

    def explain(*_: object) -> str:
        other = threading.Thread(target=lambda: answered.append(playing.find(ask(n=1))), daemon=True)
        other.start()
        other.join(5)
        return "so"

    monkeypatch.setattr("recorder.cassettes.misses.Misses.explain", explain)
    with pytest.raises(CassetteMiss, match="so"):
        playing.find(ask(n=2))
    assert answered == list(playing.recordings)


def test_renamed_ids_are_told_as_people_count_them() -> None:
    def asked(answering: str) -> Request:
        ids = ["call_abcdefghijklmnop1", "call_abcdefghijklmnop2"]
        return ask(calls=ids, used=answering)

    told = miss(asked("call_abcdefghijklmnop2"), asked("call_abcdefghijklmnop1"), rename_ids=True)
    assert '$.used: recorded "id 1", asked "id 2"' in told
