"""The texts of a turn: what a call says that the calls before it did not, and what came back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Raw, structs

from ...body import read_answer
from ...call import AnswerHalf, Message, RequestHalf, ToolCall
from ...dialects import dialect_for
from ...dialects.chat.messages import read_messages, read_tools
from ...dialects.lenient import read_json
from ...exchange import Exchange, endpoint

_NOT_SAID: Final = frozenset(("type", "role", "id", "tool_call_id", "call_id", "signature", "data", "object"))
_MOST: Final = 1_000_000


def turn_texts(exchange: Exchange, messages: Sequence[bytes], provider: str) -> list[str]:
    """The texts of some messages, of the rest of an exchange that was read without its messages, and of its answer.

    Of all of these together a million characters: what is beyond is not looked through.
    """
    room, texts = _MOST, []
    for text in _texts(exchange, messages, provider):
        if text and room > 0:
            texts.append(text[:room])
            room -= len(text)
    return texts


def _texts(exchange: Exchange, messages: Sequence[bytes], provider: str) -> Iterator[str]:
    dialect = dialect_for(exchange.request.method, endpoint(exchange.request.url)[2], ("*",))
    assert dialect is not None, "every path has a dialect where all are asked for"
    half = dialect.read_request(exchange.request, provider)
    body = read_answer(exchange)
    answer = dialect.read_answer(exchange, body, half)
    # What is in the former form comes with its messages.
    raw = (
        b"[" + b",".join(messages) + b"]"
        if messages or half.raw_messages is None
        else bytes(half.raw_messages)
    )
    for value, message in zip(
        _items(raw), read_messages(structs.replace(half, raw_messages=Raw(raw))), strict=False
    ):
        yield from _message_texts(message, value)
    said = list(_answer_texts(answer))
    if not said and not answer.streamed:
        said = list(_strings(_value(body.data)))
    yield from said
    yield from _request_texts(half)


def _message_texts(message: Message, value: Any) -> Iterator[str]:
    found = [*_strings(message.content), message.reasoning or "", message.name or ""]
    for call in message.tool_calls:
        found += _tool_call_texts(call)
    yield from found if any(found) else _strings(value)


def _answer_texts(answer: AnswerHalf) -> Iterator[str]:
    for choice in answer.choices:
        yield from (*_strings(choice.content), choice.reasoning or "", choice.refusal or "")
        for call in (*choice.tool_calls, *([choice.function_call] if choice.function_call else [])):
            yield from _tool_call_texts(call)
    yield from answer.asides
    if answer.error is not None:
        yield answer.error.message


def _tool_call_texts(call: ToolCall) -> Iterator[str]:
    yield call.name or ""
    value = _value(call.arguments.encode("utf-8", "replace"))
    yield call.arguments if value is None else " ".join(_strings(value, names=True))


def _request_texts(half: RequestHalf) -> Iterator[str]:
    """What a request says beside its messages: names of tools, and long parameters such as a prompt."""
    for tool in read_tools(half):
        function = tool.get("function", tool) if isinstance(tool, dict) else {}
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            yield function["name"]
    for name in ("prompt", "instructions", "input", "system"):
        yield from _strings(half.parameters.get(name))


def _strings(value: Any, *, names: bool = False) -> Iterator[str]:
    """All texts in a value, in order; with `names`, also what they are called, and numbers."""
    open = [value]
    while open:
        value = open.pop()
        if isinstance(value, str):
            if not value.startswith("data:"):
                yield value
        elif isinstance(value, list | tuple):
            open.extend(reversed(value))
        elif isinstance(value, dict):
            for name, item in reversed(value.items()):
                if names:
                    open += (item, name)
                elif name not in _NOT_SAID:
                    open.append(item)
        elif names and isinstance(value, int | float) and not isinstance(value, bool):
            yield str(value)


def _items(raw: bytes) -> list[Any]:
    value = _value(raw)
    return value if isinstance(value, list) else []


def _value(data: bytes) -> Any:
    try:
        return read_json(data)
    except ValueError:
        return None
