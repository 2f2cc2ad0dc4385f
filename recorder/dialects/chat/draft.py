"""One choice of a streamed answer, while its deltas come in."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from ...call import Choice
from .answer import join_logprobs, read_message, read_text
from .chunk import ChunkChoice, Delta
from .media import join_audio, with_media
from .parts import holds_answer, join_content, nested_reasoning, thinking_text, thought
from .tools import as_pieces, join_function_call, join_tool_calls

REASONING, ANSWER, END = 1, 2, 4
"""What a chunk can bring; several add up."""


class Draft:
    """Collects what deltas bring; nothing is joined before the end."""

    __slots__ = (
        "_aside", "_audio", "_content", "_function_calls", "_images", "_logprobs", "_message", "_odd",
        "_reasoning", "_refusal", "_role", "_tool_calls", "finish_reason",
    )  # fmt: skip

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self._role: str | None = None
        self._content: list[Any] = []
        self._reasoning: list[str] = []
        self._refusal: list[str] = []
        self._tool_calls: list[list[Any]] = []
        self._function_calls: list[dict[str, Any]] = []
        self._logprobs: list[Any] = []
        self._audio: list[dict[str, Any]] = []
        self._images: list[Any] = []
        self._message: dict[str, Any] | None = None
        self._odd: list[str] = []
        self._aside: dict[str, list[str]] = {}

    def add(self, choice: ChunkChoice) -> int:
        """Take a choice of a chunk and say what it brought."""
        brought = 0
        delta = choice.delta
        if delta is not None:
            content = delta.content
            if type(content) is str:
                self._content.append(content)
                if content:
                    brought = ANSWER
            elif content is not None:
                brought = self._add_parts(content)
            reasoning = delta.reasoning_content or delta.reasoning or delta.reasoning_text
            if reasoning:
                if type(reasoning) is str:
                    self._reasoning.append(reasoning)
                    brought |= REASONING
                else:
                    brought |= self._add_odd_reasoning(delta)
            if delta.role and self._role is None:
                self._role = read_text(delta.role, "role", self._odd)
            if delta.tool_calls:
                brought |= self._add_tool_calls(delta.tool_calls)
            if delta.refusal or delta.function_call or delta.audio or delta.images:
                brought |= self._add_rarer(delta)
            if (
                delta.reasoning_details
                or delta.thinking
                or (reasoning and delta.reasoning and delta.reasoning_content)
            ):
                self._set_aside(
                    reasoning=delta.reasoning, details=delta.reasoning_details, thinking=delta.thinking
                )
        if choice.message is not None:
            brought |= self._add_message(choice.message)
        if choice.text is not None:
            self._set_aside(text=choice.text)
        if choice.logprobs is not None:
            self._logprobs.append(choice.logprobs)
        if choice.finish_reason:
            reason = read_text(choice.finish_reason, "finish_reason", self._odd)
            self.finish_reason = reason or self.finish_reason
            brought |= END
        return brought

    def _add_parts(self, content: Any) -> int:
        if not isinstance(content, list):
            self._odd.append("content is neither text nor parts")
            return 0
        self._content.append(content)
        answer = ANSWER if any(holds_answer(part) for part in content) else 0
        return answer | (REASONING if any(thought(part) for part in content) else 0)

    def _add_odd_reasoning(self, delta: Delta) -> int:
        for value in (delta.reasoning_content, delta.reasoning, delta.reasoning_text):
            if text := nested_reasoning(value):
                self._reasoning.append(text)
                return REASONING
        self._odd.append("reasoning is not text")
        return 0

    def _add_text(self, texts: list[str], text: Any, name: str, kind: int) -> int:
        if not isinstance(text, str):
            self._odd.append(f"{name} is not text")
            return 0
        texts.append(text)
        return kind

    def _add_tool_calls(self, pieces: Any) -> int:
        if not isinstance(pieces, list) and not isinstance(pieces := as_pieces(pieces), list):
            self._odd.append("tool_calls is not a list")
            return 0
        self._tool_calls.append(pieces)
        return ANSWER

    def _add_rarer(self, delta: Delta) -> int:
        brought = 0
        if delta.refusal:
            brought |= self._add_text(self._refusal, delta.refusal, "refusal", ANSWER)
        call = delta.function_call
        if isinstance(call, dict) and any(call.values()):
            self._function_calls.append(call)
            brought = ANSWER
        if isinstance(delta.audio, dict):
            self._audio.append(delta.audio)
            if delta.audio.get("data") or delta.audio.get("transcript"):
                brought = ANSWER
        if isinstance(delta.images, list) and delta.images:
            self._images += delta.images
            brought = ANSWER
        return brought

    def _set_aside(self, **fields: Any) -> None:
        """Keep what repeats the answer, or adds to it, in fields that no choice has."""
        for name, value in fields.items():
            for part in value if isinstance(value, list) else [value]:
                text = part.get("text") or part.get("summary") if isinstance(part, dict) else part
                if isinstance(text, str):
                    self._aside.setdefault(name, []).append(text)

    def asides(self) -> list[str]:
        """The texts that were set aside, each put together."""
        return ["".join(texts) for texts in self._aside.values()]

    def _add_message(self, message: Any) -> int:
        """Keep a whole message, as it stands beside deltas or in place of the last one.

        It repeats what the deltas say (Perplexity), so it only gives what they did not.
        """
        if not isinstance(message, dict):
            self._odd.append("message is not an object")
            return 0
        self._message = message
        if any(self._content) or self._reasoning or self._tool_calls:
            return 0
        whole = read_message(message, index=0, logprobs=None, finish_reason=None, notes=[])
        parts = whole.content if isinstance(whole.content, list) else []
        said = whole.content if not parts else any(holds_answer(part) for part in parts)
        answer = said or whole.refusal or whole.tool_calls or whole.function_call
        return (ANSWER if answer else 0) | (REASONING if whole.reasoning else 0)

    def finish(self, index: int, notes: list[str]) -> Choice:
        """The choice that everything amounts to."""
        notes += self._odd
        content = join_content(self._content)
        media = self._audio or self._images
        choice = Choice(
            index=index,
            role=self._role,
            content=with_media(content, join_audio(self._audio), self._images) if media else content,
            reasoning="".join(self._reasoning) or thinking_text(content),
            refusal="".join(self._refusal) or None,
            tool_calls=join_tool_calls(self._tool_calls, notes),
            function_call=join_function_call(self._function_calls),
            logprobs=join_logprobs(self._logprobs),
            finish_reason=self.finish_reason,
        )
        return choice if self._message is None else _complete(choice, self._message, notes)


def _complete(choice: Choice, message: dict[str, Any], notes: list[str]) -> Choice:
    """The choice with what its whole message says and its deltas did not."""
    whole = read_message(message, index=0, logprobs=None, finish_reason=None, notes=notes)
    names = ("role", "content", "reasoning", "refusal", "tool_calls", "function_call")
    missing = {name: value for name in names if not getattr(choice, name) and (value := getattr(whole, name))}
    return structs.replace(choice, **missing)
