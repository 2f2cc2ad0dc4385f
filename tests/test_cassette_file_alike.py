"""Events that differ in a few texts: what is made of them is what is made of each by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import DecodeError

from recorder.cassettes.file import alike_events
from recorder.cassettes.file.alike_events import EventReader
from recorder.cassettes.file.event_lines import read_lines
from recorder.cassettes.file.json_style import DEFAULT, Style
from recorder.cassettes.file.mould import mould_like, mould_of
from recorder.cassettes.file.skeleton import Deviation

from .cassette_files import HOSTILE

_TEXT = st.one_of(
    st.sampled_from(
        ["", "a", " ", "\\", '"', '"}, {"', ": ", '": "', ", ", "<hole>", "\n", "\t", "é", "/", "{"]
    ),
    HOSTILE,
)
_SHORT = st.text('ab" \\:,}\n', max_size=4)
_STYLES = st.sampled_from([DEFAULT, Style("spaced"), Style(before=" "), Style(escapes="html")])


@pytest.fixture(autouse=True)
def short_runs_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alike_events, "_LONG", 0)


def line(data: Any, name: str = "") -> str:
    lead = f"    - event: {name}\n      data: " if name else "    - data: "
    return f"{lead}{json.dumps(data, ensure_ascii=False)}\n"


def delta(text: str, pad: str = "", **more: Any) -> dict[str, Any]:
    return {"id": "c-1", "choices": [{"delta": {"content": text}, "end": None}], **more, "pad": pad}


def by_itself(run: bytes, style: Style = DEFAULT) -> list[bytes] | None:
    """What comes of the events without looking for what they share."""
    try:
        return read_lines(run, style, b"\n")
    except (Deviation, DecodeError, ValueError):
        return None


def together(reader: EventReader, run: bytes, style: Style = DEFAULT) -> list[bytes] | None:
    try:
        return reader.read(run, style, b"\n")
    except (Deviation, DecodeError, ValueError):
        return None


@st.composite
def runs(draw: st.DrawFn) -> bytes:
    """Events of a stream, most of which are alike, in which somebody may have put this or that."""
    name = draw(st.sampled_from(["", "", "content_block_delta"]))
    text = draw(st.sampled_from([_TEXT, _SHORT]))
    pads = text if draw(st.booleans()) else st.just("")
    events = [line(delta(draw(text), draw(pads)), name) for _ in range(draw(st.integers(2, 12)))]
    for _ in range(draw(st.integers(0, 2))):
        odd = draw(st.one_of(st.builds(delta, text, n=st.integers(0, 9)), st.just({"end": "stop"})))
        events.insert(draw(st.integers(0, len(events))), line(odd, name))
    run = "".join([*events, *draw(st.sampled_from([[], ['    - data: "[DONE]"\n']]))])
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(4, len(run) - 1))
        sign = draw(
            st.sampled_from(
                ['"', "\\", "{", "}", "\t", "\r", "\x7f", "\n", "\n    - ", "\n      id: 1", "[", "]", ","]
            )
        )
        run = run[:at] + sign + run[at + draw(st.integers(0, 1)) :]
    return (run if run.endswith("\n") else f"{run}\n").encode()


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.tuples(runs(), _STYLES), min_size=1, max_size=3))
def test_events_come_out_as_they_do_one_by_one(found: list[tuple[bytes, Style]]) -> None:
    reader = EventReader()
    for run, style in found:
        expected, made = by_itself(run, style), together(reader, run, style)
        if expected is not None or not any(sign in run for sign in (b'"[DONE]"', b"- event: ")):
            assert made == expected


def stepwise(run: str, monkeypatch: pytest.MonkeyPatch) -> tuple[list[bytes], list[int]]:
    """What comes of a run, and how many events had to be read by themselves each time."""
    counts: list[int] = []

    def counted(run: bytes, style: Style, newline: bytes) -> list[bytes]:
        counts.append(run.count(b"- "))
        return read_lines(run, style, newline)

    monkeypatch.setattr(alike_events, "read_lines", counted)
    return EventReader().read(run.encode(), DEFAULT, b"\n"), counts


def usual() -> Iterator[str]:
    yield line({"choices": [{"delta": {"role": "assistant"}}]})
    yield from (line({"choices": [{"delta": {"reasoning": f"{n}\n"}}]}) for n in range(20))
    yield from (line({"choices": [{"delta": {"content": f'"{n}"'}}]}) for n in range(20))
    yield line({"choices": [], "usage": {"total_tokens": 9}})
    yield '    - data: "[DONE]"\n'


@pytest.mark.parametrize(
    "run",
    [
        "".join(usual()),
        "".join(line(delta(f"w{n}", "x" * (n % 7)), "") for n in range(20)),
        "".join(line(delta(f"w{n}"), "content_block_delta") for n in range(20)),
    ],
    ids=["reasoning", "padding", "names"],
)
def test_few_events_of_a_usual_stream_are_read_by_themselves(
    run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, counts = stepwise(run, monkeypatch)
    assert made == by_itself(run.encode())
    assert sum(counts) < 5


def test_places_of_texts_are_remembered_from_stream_to_stream() -> None:
    first, other = (line(delta(text)).encode() for text in ("one", "another"))
    mould = mould_of(first, other)
    assert mould is not None
    assert mould_like(first, len(mould.start), len(mould.end)) == mould
    assert mould_like(first, len(mould.start) - 1, len(mould.end)) is None
    assert mould_like(line(delta("q", n=1)).encode(), len(mould.start), len(mould.end)) is None


@pytest.mark.parametrize(
    "text", ['"', "\\", '\\" ', "a\n", 'a", "n": "b', 'a"}, {"b": "', "\t", "\x1f", "\\x"], ids=repr
)
def test_texts_that_are_none_are_not_taken_for_such(text: str) -> None:
    lines = [line({"content": f"w{n}"}) for n in range(9)]
    lines[2] = lines[2].replace("w2", text)
    run = "".join(lines).encode()
    assert together(EventReader(), run) == by_itself(run)


def test_an_event_that_reaches_into_the_next_is_refused() -> None:
    lines = [line({"content": f"w{n}", "m": [n]}) for n in range(9)]
    lines[3], lines[4] = '    - data: {"content": "w3", "m": [{}\n', '    - data: {}], "n": 1}\n'
    run = "".join(lines).encode()
    assert by_itself(run) is None
    assert together(EventReader(), run) is None
