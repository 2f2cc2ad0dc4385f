"""What the demo's two systems answer: DeepSeek's documents and the gateway's, played without a model."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Any, Literal

from .steps import Pairs, Received, Step, dump

System = Literal["deepseek", "gateway"]
PAUSE_S = 0.005

_MODELS = {"deepseek": ("deepseek-chat", "deepseek-reasoner"), "gateway": ("deepseek-r1",)}
_FINGERPRINTS = {"deepseek": "fp_demo", "gateway": "deepseek-r1-v1.0"}
_REASONING = "The user wants to know about the text. I count its words, and say so."
_ANSWER = "Your text has {words} words: «{start}»… More I cannot say — no model runs here."
_CREATED = 1_760_000_000
_CACHE_UNIT = 64  # tokens; DeepSeek caches prompt prefixes in units of this size


def answer(received: Received, system: System, number: int) -> Step:
    """What the system says to a request that no step was queued for."""
    if received.method != "POST" or received.path not in ("/chat/completions", "/v1/chat/completions"):
        return refuse(404, "Not found")
    if refusal := _refuse_caller(received, system):
        return refusal
    try:
        request = received.json()
    except ValueError:
        request = None
    if not isinstance(request, dict):
        return refuse(400, "Failed to parse the request body as JSON")
    if request.get("model") not in _MODELS[system]:
        return refuse(400, "Model Not Exist")
    if not request.get("messages"):
        return refuse(400, "Empty input messages")
    completion = _complete(request, system, number)
    if request.get("stream"):
        events = tuple(_stream(completion, request, system))
        return Step.of_events(*events, pause_s=PAUSE_S)
    return Step.of_json(completion)


def _refuse_caller(received: Received, system: System) -> Step | None:
    scheme, _, token = (received.header("authorization") or "").partition(" ")
    if system == "deepseek":
        if not token:
            return refuse(401, "Authentication Fails (governor)", "authentication_error")
    elif scheme.lower() != "bearer" or not token:
        return Step.of_json({"message": "Unauthorized"}, 401, (("WWW-Authenticate", "Bearer"),))
    elif not received.header("id"):
        return Step.of_json({"message": "Header id is required: the UUID of the model"}, 400)
    return None


def refuse(status: int, message: str, kind: str = "invalid_request_error", headers: Pairs = ()) -> Step:
    error = {"message": message, "type": kind, "param": None, "code": kind}
    return Step.of_json({"error": error}, status, headers)


def _complete(request: dict[str, Any], system: System, number: int) -> dict[str, Any]:
    """The whole answer, as it goes out when it is not streamed."""
    messages = request["messages"]
    question = _text(messages[-1])
    call = _call_tool(request, question, number)
    thinking = request["model"] != "deepseek-chat"
    reasoning = _pieces(_REASONING) if thinking else []
    content = [] if call else _pieces(_ANSWER.format(words=len(question.split()), start=question[:60]))
    limit = request.get("max_tokens") or sys.maxsize
    cut = len(reasoning) + len(content) > limit
    reasoning, content = reasoning[:limit], content[: max(0, limit - len(reasoning))]
    message: dict[str, Any] = {"role": "assistant", "content": "".join(content)}
    if thinking:
        message["reasoning_content"] = "".join(reasoning)
    if call:
        message["tool_calls"] = [call]
    written = len(reasoning) + len(content) + (len(_pieces(call["function"]["arguments"])) if call else 0)
    finish = "tool_calls" if call else "length" if cut else "stop"
    return {
        "id": f"chatcmpl-demo-{number:04}",
        "object": "chat.completion",
        "created": _CREATED + number,
        "model": request["model"],
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
        "usage": _usage(messages, written, len(reasoning), system),
        "system_fingerprint": _FINGERPRINTS[system],
    }


def _usage(messages: list[dict[str, Any]], written: int, reasoning: int, system: System) -> dict[str, Any]:
    """Token counts: one for each word and each mark, four for each message besides."""
    sizes = [4 + len(_pieces(_text(message))) for message in messages]
    usage: dict[str, Any] = {
        "prompt_tokens": sum(sizes),
        "completion_tokens": written,
        "total_tokens": sum(sizes) + written,
    }
    if system == "gateway":
        return usage
    hit = sum(sizes[:-1]) // _CACHE_UNIT * _CACHE_UNIT
    usage["prompt_tokens_details"] = {"cached_tokens": hit}
    if reasoning:
        usage["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return usage | {"prompt_cache_hit_tokens": hit, "prompt_cache_miss_tokens": sum(sizes) - hit}


def _stream(completion: dict[str, Any], request: dict[str, Any], system: System) -> Iterator[bytes]:
    """The same answer as events.

    DeepSeek puts the usage beside the finish reason, asked or not. The gateway does as vLLM behind it: a
    chunk of its own without choices, and only for `stream_options.include_usage`.
    """
    asked = bool((request.get("stream_options") or {}).get("include_usage"))
    (choice,) = completion["choices"]
    head = {key: completion[key] for key in ("id", "object", "created", "model", "system_fingerprint")}
    head["object"] = "chat.completion.chunk"

    def event(delta: dict[str, Any], finish: str | None = None, usage: Any = None) -> bytes:
        chunk = {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}
        return _event(chunk | {"usage": usage} if usage or asked else chunk)

    if system == "deepseek":
        yield b": keep-alive\n\n"
    yield event({"role": "assistant", "content": ""})
    for delta in _deltas(choice["message"]):
        yield event(delta)
    yield event(
        {"content": ""}, choice["finish_reason"], completion["usage"] if system == "deepseek" else None
    )
    if system == "gateway" and asked:
        yield _event({**head, "choices": [], "usage": completion["usage"]})
    yield b"data: [DONE]\n\n"


def _deltas(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for piece in _pieces(message.get("reasoning_content", "")):
        yield {"content": None, "reasoning_content": piece}
    for piece in _pieces(message["content"]):
        yield (
            {"content": piece, "reasoning_content": None}
            if "reasoning_content" in message
            else {"content": piece}
        )
    for index, call in enumerate(message.get("tool_calls", ())):
        function = call["function"]
        yield {"tool_calls": [{**call, "index": index, "function": {**function, "arguments": ""}}]}
        for piece in _pieces(function["arguments"]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _call_tool(request: dict[str, Any], question: str, number: int) -> dict[str, Any] | None:
    """A call of the first tool, unless its result is what was just sent."""
    if (
        not request.get("tools")
        or request.get("tool_choice") == "none"
        or request["messages"][-1]["role"] == "tool"
    ):
        return None
    function = request["tools"][0]["function"]
    properties = (function.get("parameters") or {}).get("properties") or {}
    arguments = {name: _argument(schema, question) for name, schema in properties.items()}
    text = json.dumps(arguments, ensure_ascii=False)
    return {
        "id": f"call_demo_{number:04}",
        "type": "function",
        "function": {"name": function["name"], "arguments": text},
    }


def _argument(schema: dict[str, Any], question: str) -> Any:
    """A value that fits the schema: for text, the last word of the question."""
    samples: dict[str, Any] = {
        "integer": 1,
        "number": 1.5,
        "boolean": True,
        "array": [],
        "object": {},
        "null": None,
    }
    if schema.get("enum"):
        return schema["enum"][0]
    return samples.get(schema.get("type", "string"), (re.findall(r"\w+", question) or ["demo"])[-1])


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


def _pieces(text: str) -> list[str]:
    """The text in pieces of one token each; joined they give it back."""
    return re.findall(r"\s*(?:\w+|[^\w\s])|\s+$", text)


def _event(value: Any) -> bytes:
    return b"data: %b\n\n" % dump(value)
