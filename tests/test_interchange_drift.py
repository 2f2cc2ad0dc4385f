"""What loose rules hide: requests that are answered although they no longer equal their recordings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from recorder.cassettes import Matching, Session
from recorder.errors import CassetteMiss, CassetteMissing
from recorder.exchange import Ending, Exchange, Request, ResponseHead
from recorder.interchange import Watch, drift

from .playing import InMemory

URL = "https://api.openai.com/v1/chat/completions"
LOOSE = Matching(match=("method", "url"))


def ask(content: str, **fields: Any) -> Request:
    body = json.dumps({"messages": [{"role": "user", "content": content}], **fields})
    return Request("POST", URL, (), body.encode())


def cassette(*requests: Request) -> InMemory:
    return InMemory(
        Exchange(request, 0, Ending("complete"), ResponseHead(200), (b"x",), (0,)) for request in requests
    )


def test_report_names_the_recording_and_the_paths() -> None:
    report = drift(cassette(ask("a"), ask("b", seed=1)), [ask("a"), ask("c")], LOOSE)
    assert (report.answered, len(report.drifted), report.misses) == (2, 1, ())
    (found,) = report.drifted
    assert found.entry == 2
    assert [(each.path, each.recorded, each.asked) for each in found.differences] == [
        ("$.messages[0].content", '"b"', '"c"'),
        ("$.seed", "1", "absent"),
    ]
    lines = list(report.lines())
    assert lines[0] == "memory: of 2 answered requests 1 no longer equal their recordings"
    assert lines[1] == f"recording 2: POST {URL}"
    assert '$.messages[0].content: recorded "b", asked "c"' in lines[2]


def test_order_of_keys_and_spacing_are_no_drift() -> None:
    recorded = Request("POST", URL, (), b'{"a": 1, "b": 2.0}')
    asked = Request("POST", URL, (), b'{"b":2,"a":1}')
    assert drift(cassette(recorded), [asked], LOOSE).drifted == ()


def test_what_is_not_answered_is_counted_as_that() -> None:
    report = drift(cassette(ask("a")), [ask("b")])
    assert (report.answered, report.drifted, len(report.misses)) == (0, (), 1)
    assert "1 not answered" in next(report.lines())


def test_missing_cassette_is_an_error() -> None:
    source = cassette()
    source.recordings = None
    with pytest.raises(CassetteMissing):
        drift(source, [])


def test_watch_looks_on_while_a_session_answers() -> None:
    session = Session(cassette(ask("a"), ask("b")), "none", matching=Matching(ignore=("$.messages",)))
    watch = Watch(session)
    session.find(ask("a"))
    assert watch.report().drifted == ()
    session.find(ask("z"))
    with pytest.raises(CassetteMiss):
        session.find(ask("y"))
    report = watch.report()
    assert [each.entry for each in report.drifted] == [2]
    assert (report.answered, len(report.misses)) == (2, 1)
