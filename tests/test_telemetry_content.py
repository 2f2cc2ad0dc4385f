"""Messages on spans and events: when, in which form, how long, and without secrets."""

from __future__ import annotations

import base64
import json
import logging
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import SpanLimits, TracerProvider

import recorder
from recorder.ledger import Store
from recorder.telemetry.content_mode import CAPTURE, EMIT, Content, content_of
from recorder.telemetry.names import DETAILS_EVENT
from recorder.telemetry.shortening import fitting

from .drivers import Reply
from .otel import Otel, ask, completion, recording, streamed

SECRET = "sk-proj-Ab3dEf6hIj9kLm2nOp5q"
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
TURNS = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Weather?", "name": "ann"},
    {
        "role": "assistant",
        "reasoning_content": "Look it up.",
        "tool_calls": [{"id": "t-1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "t-1", "content": "sunny"},
]


@pytest.mark.parametrize(
    ("setting", "environment", "expected"),
    [
        (None, {}, Content()),
        (None, {CAPTURE: "span_only"}, Content(on_spans=True)),
        (None, {CAPTURE: "EVENT_ONLY"}, Content(on_events=True, events=True)),
        (None, {CAPTURE: " Span_And_Event "}, Content(on_spans=True, on_events=True, events=True)),
        (None, {CAPTURE: "true"}, Content(on_spans=True, on_events=True, events=True)),
        (None, {CAPTURE: "false"}, Content()),
        (None, {CAPTURE: "nonsense"}, Content()),
        (None, {EMIT: "true"}, Content(events=True)),
        (None, {CAPTURE: "EVENT_ONLY", EMIT: "false"}, Content()),
        (None, {CAPTURE: "SPAN_AND_EVENT", EMIT: "odd"}, Content(True, True, True)),
        (False, {CAPTURE: "SPAN_ONLY"}, Content()),
        ("event_only", {CAPTURE: "SPAN_ONLY", EMIT: "false"}, Content(on_events=True, events=True)),
        (True, {}, Content(True, True, True)),
    ],
)
def test_setting_stands_above_the_environment(
    setting: Any, environment: dict[str, str], expected: Content
) -> None:
    assert content_of(setting, environment) == expected


def test_old_spelling_is_noted(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "recorder"):
        content_of(None, {CAPTURE: "True"})
    assert "SPAN_AND_EVENT" in caplog.text


def test_unknown_setting_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(recorder.SettingsError, match="SPAN_ONLY"):
        recorder.Recorder(f"sqlite:///{tmp_path}/calls.db", content="spans")


def test_nothing_is_captured_unless_asked(otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path) as rec:
        ask(rec, completion(), {"messages": TURNS})
    assert not [name for name in otel.attributes if "messages" in name or "tool" in name]
    assert otel.events() == []


def test_conversation_is_written_as_the_conventions_have_it(otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path, content="SPAN_ONLY") as rec:
        call = {
            "id": "t-2",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city":"Bonn"}'},
        }
        answer = completion({"content": None, "reasoning": "Again.", "tool_calls": [call]})
        ask(rec, answer, {"messages": TURNS, "tools": [WEATHER], "system_prompt": "House rules."})
    assert otel.content("system_instructions") == [{"type": "text", "content": "House rules."}]
    assert otel.content("input.messages") == [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {"role": "user", "parts": [{"type": "text", "content": "Weather?"}], "name": "ann"},
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Look it up."},
                {"type": "tool_call", "id": "t-1", "name": "weather", "arguments": {}},
            ],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "t-1", "response": "sunny"}]},
    ]
    assert otel.content("output.messages") == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Again."},
                {"type": "tool_call", "id": "t-2", "name": "weather", "arguments": {"city": "Bonn"}},
            ],
            "finish_reason": "stop",
        }
    ]
    assert otel.content("tool.definitions") == [
        {"type": "function", "name": "weather", "parameters": {"type": "object"}}
    ]
    assert otel.events() == []


@pytest.mark.parametrize(
    ("reason", "told"), [("tool_calls", "tool_call"), ("length", "length"), (None, "error")]
)
def test_finish_reason_is_always_a_text(otel: Otel, tmp_path: Path, reason: str | None, told: str) -> None:
    choice = {"index": 0, "message": {"content": "Hello"}, "finish_reason": reason}
    with recording(otel, tmp_path, content="SPAN_ONLY") as rec:
        ask(rec, completion(choices=[choice]))
    assert otel.content("output.messages")[0]["finish_reason"] == told


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (
            {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}},
            {"type": "uri", "modality": "image", "uri": "https://a.example/b.png"},
        ),
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}},
            {
                "type": "uri",
                "modality": "image",
                "mime_type": "image/png",
                "uri": f"sha256:{sha256(b'hello').hexdigest()}",
            },
        ),
        (
            {
                "type": "input_audio",
                "input_audio": {"data": base64.b64encode(b"hello").decode(), "format": "mp3"},
            },
            {
                "type": "uri",
                "modality": "audio",
                "mime_type": "audio/mp3",
                "uri": f"sha256:{sha256(b'hello').hexdigest()}",
            },
        ),
        (
            {"type": "file", "file": {"file_id": "f-1"}},
            {"type": "file", "modality": "document", "file_id": "f-1"},
        ),
        ({"type": "odd", "x": 1}, {"type": "odd", "content": '{"type": "odd", "x": 1}'}),
        (7, {"type": "text", "content": "7"}),
    ],
)
def test_media_are_references(otel: Otel, tmp_path: Path, part: Any, told: Any) -> None:
    with recording(otel, tmp_path, content="SPAN_ONLY") as rec:
        ask(rec, completion(), {"messages": [{"role": "user", "content": [part]}]})
    assert otel.content("input.messages") == [{"role": "user", "parts": [told]}]


SPOKEN = base64.b64encode(b"RIFFhello").decode()
HEARD = {"type": "uri", "modality": "audio", "uri": f"sha256:{sha256(b'RIFFhello').hexdigest()}"}


def spoken_deltas() -> Reply:
    """Audio in pieces, each encoded for itself."""
    pieces: list[dict[str, Any]] = [
        {"id": "audio_1", "transcript": "Hel"},
        {"data": base64.b64encode(b"RIFFhel").decode()},
        {"transcript": "lo."},
        {"data": base64.b64encode(b"lo").decode()},
        {"expires_at": 5},
    ]
    events = [{"choices": [{"index": 0, "delta": {"audio": piece}}]} for piece in pieces]
    events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    lines = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events]
    return Reply(headers=(("content-type", "text/event-stream"),), chunks=[*lines, b"data: [DONE]\n\n"])


@pytest.mark.parametrize("whole", [True, False])
def test_audio_of_an_answer_is_a_reference_and_what_it_says(otel: Otel, tmp_path: Path, whole: bool) -> None:
    audio = {"id": "audio_1", "data": SPOKEN, "expires_at": 5, "transcript": "Hello."}
    message = {"role": "assistant", "content": None, "refusal": None, "audio": audio}
    with recording(otel, tmp_path, content=True) as rec:
        ask(rec, completion(message) if whole else spoken_deltas(), {"modalities": ["text", "audio"]})
    (told,) = otel.content("output.messages")
    assert told["parts"] == [HEARD, {"type": "text", "content": "Hello."}]
    assert otel.attributes["gen_ai.output.type"] == "speech"
    assert SPOKEN not in str(otel.events()) + str(otel.attributes)


def test_audio_of_a_former_turn_is_named_by_its_id(otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path, content="SPAN_ONLY") as rec:
        ask(rec, completion(), {"messages": [{"role": "assistant", "audio": {"id": "audio_1"}}]})
    (told,) = otel.content("input.messages")
    assert told["parts"] == [{"type": "file", "modality": "audio", "file_id": "audio_1"}]


def test_images_of_an_answer_are_references(otel: Otel, tmp_path: Path) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}}
    with recording(otel, tmp_path, content="SPAN_ONLY") as rec:
        ask(rec, completion({"content": "Look", "images": [image]}), {"modalities": ["image", "text"]})
    (told,) = otel.content("output.messages")
    assert [part["type"] for part in told["parts"]] == ["text", "uri"]
    assert "aGVsbG8=" not in str(told)
    assert otel.attributes["gen_ai.output.type"] == "image"


@pytest.mark.parametrize("modalities", [["text"], "audio", [{"x": 1}], None, []])
def test_text_alone_is_no_particular_output(otel: Otel, tmp_path: Path, modalities: Any) -> None:
    with recording(otel, tmp_path) as rec:
        ask(rec, completion(), {"modalities": modalities, "response_format": {"type": "json_object"}})
    assert otel.attributes["gen_ai.output.type"] == "json"


def test_events_carry_structure_and_what_the_span_says(otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path, content="EVENT_ONLY") as rec:
        ask(rec, streamed("Hel", "lo"), {"messages": TURNS[:1], "stream": True})
    (event,) = otel.events(DETAILS_EVENT)
    assert event.span_id == otel.span.context.span_id
    told = {name: value for name, value in event.attributes.items() if "messages" not in name}
    assert told == otel.attributes
    (message,) = event.attributes["gen_ai.output.messages"]
    assert (message["role"], message["parts"][0]["content"]) == ("assistant", "Hello")


def test_events_without_messages_can_be_asked_for(
    otel: Otel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(EMIT, "true")
    with recording(otel, tmp_path) as rec:
        ask(rec, completion(), {"messages": TURNS})
    (event,) = otel.events()
    assert event.attributes == otel.attributes


def test_no_secret_is_captured_even_if_deltas_split_it(otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path, content=True) as rec:
        ask(
            rec,
            streamed("key ", SECRET[:9], SECRET[9:]),
            {"messages": [{"role": "user", "content": f"use {SECRET}"}], "stream": True},
        )
    assert SECRET not in str(otel.attributes) + str(otel.events())
    assert otel.content("input.messages")[0]["parts"] == [{"type": "text", "content": "use REDACTED"}]
    assert "REDACTED" in otel.content("output.messages")[0]["parts"][0]["content"]


def test_deep_arguments_and_lone_surrogates_do_not_break_the_span(otel: Otel, tmp_path: Path) -> None:
    arguments = '{"a":' * 400 + "1" + "}" * 400
    call = {"id": "t", "function": {"name": "f", "arguments": arguments}}
    with recording(otel, tmp_path, content=True) as rec:
        ask(rec, completion({"content": "a\ud800b", "tool_calls": [call]}))
    text = otel.attributes["gen_ai.output.messages"]
    assert text.encode()
    assert len(otel.events()) == 1


def test_sdk_limit_is_kept_inside_the_json(otel: Otel, tmp_path: Path) -> None:
    tracers = TracerProvider(span_limits=SpanLimits(max_attribute_length=300), shutdown_on_exit=False)
    tracers.add_span_processor(otel.tracers._active_span_processor)
    with recording(otel, tmp_path, content=True, tracer_provider=tracers) as rec:
        ask(rec, completion(), {"messages": [{"role": "user", "content": "x" * 5_000}]})
    (message,) = otel.content("input.messages")
    assert message["parts"][0]["content"].endswith("more characters]")


ITEMS = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["user", "system"]),
            "parts": st.lists(
                st.fixed_dictionaries({"type": st.just("text"), "content": st.text()}), max_size=3
            ),
        }
    ),
    min_size=1,
)


@given(ITEMS, st.integers(1, 400))
def test_shortened_messages_are_json_within_the_limit(items: list[Any], limit: int) -> None:
    text = fitting(items, limit)
    if text is not None:
        assert len(text) <= limit
        assert all(set(item) == {"role", "parts"} for item in json.loads(text))
    assert text is not None or limit < 120


def test_first_and_last_messages_stay_longest() -> None:
    items = [{"role": "user", "parts": [{"type": "text", "content": str(n)}]} for n in range(50)]
    kept = json.loads(fitting(items, 500) or "")
    told = [item["parts"][0]["content"] for item in kept]
    assert (told[0], told[-1]) == ("0", "49")
    assert any(text.endswith("left out]") for text in told)


PASSWORD = "correct horse"
LOGIN = {
    "user": "ann",
    "auth": {"password": PASSWORD, "api_keys": []},
    "client_secret": [PASSWORD],
    "tries": 3,
}


def tool_call(arguments: str) -> dict[str, Any]:
    call = {"id": "t-1", "type": "function", "function": {"name": "login", "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def test_password_in_a_tool_call_is_stored_and_not_shown(otel: Otel, tmp_path: Path) -> None:
    turns = [
        tool_call(json.dumps(LOGIN)),
        {"role": "tool", "tool_call_id": "t-1", "content": json.dumps(LOGIN)},
    ]
    with recording(otel, tmp_path, content=True) as rec:
        ask(rec, completion(tool_call(json.dumps(LOGIN))), {"messages": turns})
        (row,) = Store(rec.store).calls()
        assert PASSWORD.encode() in Store(rec.store).exchange(row["id"]).body
    (event,) = otel.events(DETAILS_EVENT)
    assert PASSWORD not in str(otel.attributes) + str(event.attributes)
    ((call,),) = (message["parts"] for message in otel.content("output.messages"))
    shown = {"password": "REDACTED", "api_keys": []}
    assert call["arguments"] == {**LOGIN, "auth": shown, "client_secret": ["REDACTED"]}


@pytest.mark.parametrize(
    "arguments",
    [
        '{"password":"correct horse","cut',
        '[{"body":"{\\"password\\":\\"correct horse\\"}"}]',
        '{"fields":[{"value":"correct horse","name":"password"},{"key":"page","value":"2"}]}',
    ],
)
def test_password_in_broken_or_nested_arguments_is_not_shown(
    otel: Otel, tmp_path: Path, arguments: str
) -> None:
    with recording(otel, tmp_path, content=True) as rec:
        ask(rec, completion(tool_call(arguments)))
    (message,) = otel.content("output.messages")
    assert PASSWORD not in str(message)
    assert "REDACTED" in str(message)


def test_without_redaction_tool_calls_are_shown_as_they_came(otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path, content=True, redact=False) as rec:
        ask(rec, completion(tool_call(json.dumps(LOGIN))))
    ((call,),) = (message["parts"] for message in otel.content("output.messages"))
    assert call["arguments"] == LOGIN
