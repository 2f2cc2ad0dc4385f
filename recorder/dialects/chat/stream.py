"""A chat completion's stream, assembled into what the plain answer would have been."""

from __future__ import annotations

from typing import Any

from ...call import CallError, Choice
from ...sse import Event
from ..failure import read_failure
from ..lenient import UNREADABLE, read_json
from ..usage import counts_nothing, merge_usage
from .answer import read_text
from .chunk import Chunk, ChunkChoice, decode_chunk, read_chunk
from .draft import ANSWER, REASONING, Draft

_NOTHING = Chunk(choices=[])


class Stream:
    """Takes the events of one stream, in order, and holds what they amount to.

    `first_any`, `first_reasoning` and `first_answer` are offsets in the body: where the first event
    was complete that brought anything, reasoning or answer. `broken` counts events that are no JSON;
    `lenient` says that one was read though it is not quite JSON.
    """

    __slots__ = (
        "_aside", "_drafts", "_usage", "_wanted", "broken", "done", "error",
        "first_answer", "first_any", "first_reasoning", "lenient",
        "model", "notes", "response_id", "service_tier", "status", "system_fingerprint",
    )  # fmt: skip

    def __init__(self, status: int, notes: list[str], wanted: int = 1) -> None:
        self.notes = notes
        self.status = status
        self._wanted = wanted
        self.done = False
        self.broken = 0
        self.lenient = False
        self.error: CallError | None = None
        self.response_id: str | None = None
        self.model: str | None = None
        self.system_fingerprint: str | None = None
        self.service_tier: str | None = None
        self.first_any: int | None = None
        self.first_reasoning: int | None = None
        self.first_answer: int | None = None
        self._drafts: dict[int, Draft] = {}
        self._usage: dict[str, Any] | None = None
        self._aside: dict[str, Any] | None = None

    @property
    def complete(self) -> bool:
        """Whether the stream's end was seen: its marker, or a finish reason of every choice that is wanted."""
        drafts = self._drafts
        return self.done or (
            len(drafts) >= max(self._wanted, 1) and all(draft.finish_reason for draft in drafts.values())
        )

    @property
    def usage(self) -> dict[str, Any] | None:
        """The usage of all chunks, merged; what stood aside counts where there is none at the top."""
        return self._usage or self._aside

    def choices(self) -> tuple[Choice, ...]:
        """The choices in the order of their indexes."""
        return tuple(self._drafts[index].finish(index, self.notes) for index in sorted(self._drafts))

    def asides(self) -> tuple[str, ...]:
        """Texts that came in fields which repeat the answer, or which no choice has."""
        return tuple(text for draft in self._drafts.values() for text in draft.asides())

    def add(self, event: Event) -> None:
        """Take the next event."""
        name, data, end = event
        try:
            chunk = decode_chunk(data)
        except UNREADABLE:
            chunk = self._read_odd(data, name)
        if chunk.choices is None or chunk.error or name == b"error":
            self._take_failure(name, data, end)
        if chunk.choices:
            self._take_choices(chunk.choices, end)
        if chunk.id and self.response_id is None:
            self.response_id = read_text(chunk.id, "id", self.notes)
        # The served model is named late where a router (Azure) starts with an empty or its own name.
        if chunk.model and chunk.model != self.model:
            self.model = read_text(chunk.model, "model", self.notes) or self.model
        if chunk.system_fingerprint and chunk.system_fingerprint != self.system_fingerprint:
            self.system_fingerprint = (
                read_text(chunk.system_fingerprint, "system_fingerprint", self.notes)
                or self.system_fingerprint
            )
        if chunk.service_tier and chunk.service_tier != self.service_tier:
            self.service_tier = read_text(chunk.service_tier, "service_tier", self.notes) or self.service_tier
        if chunk.usage is not None:
            self._usage = self._merge(self._usage, chunk.usage)
        if chunk.x_groq is not None and isinstance(chunk.x_groq, dict):
            self._aside = self._merge(self._aside, chunk.x_groq.get("usage"))
            if chunk.x_groq.get("error"):
                self._fail(read_failure(chunk.x_groq, self.status), end)

    def _take_choices(self, choices: list[ChunkChoice], end: int) -> None:
        brought = 0
        for position, choice in enumerate(choices):
            index = choice.index if type(choice.index) is int else position
            draft = self._drafts.get(index)
            if draft is None:
                draft = self._drafts[index] = Draft()
            brought |= draft.add(choice)
            if choice.error:
                self._fail(read_failure({"error": choice.error}, self.status), end)
            if choice.usage is not None:  # Moonshot
                self._aside = self._merge(self._aside, choice.usage)
        if brought:
            if self.first_any is None:
                self.first_any = end
            if brought & ANSWER and self.first_answer is None:
                self.first_answer = end
            if brought & REASONING and self.first_reasoning is None:
                self.first_reasoning = end

    def _read_odd(self, data: bytes, name: bytes | None) -> Chunk:
        """A chunk that is not quite as expected, or what stands for an event that is none."""
        if data.strip() == b"[DONE]":
            self.done = True
            return _NOTHING
        try:
            chunk = read_chunk(data, self.notes)
        except ValueError:
            self.broken += name != b"error"
            return _NOTHING
        self.lenient = True
        return chunk

    def _take_failure(self, name: bytes | None, data: bytes, end: int) -> None:
        try:
            value = read_json(data)
        except ValueError:
            value = data.decode("utf-8", "replace")
        self._fail(read_failure(value, self.status, certain=name == b"error"), end)

    def _fail(self, error: CallError | None, end: int) -> None:
        if error is None:
            return
        self.error = self.error or error
        if self.first_any is None:
            self.first_any = end

    def _merge(self, earlier: dict[str, Any] | None, usage: Any) -> dict[str, Any] | None:
        if not isinstance(usage, dict):
            if usage is not None:
                self.notes.append("usage is not an object")
            return earlier
        if counts_nothing(usage) and (earlier or not self.complete):
            return earlier
        return merge_usage(earlier, usage)
