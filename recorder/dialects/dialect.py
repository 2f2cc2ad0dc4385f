"""What every dialect can do."""

from __future__ import annotations

from typing import Protocol

from ..body import Answer
from ..call import AnswerHalf, Glance, RequestHalf
from ..exchange import Exchange, Request


class Dialect(Protocol):
    """One way in which models are asked and answer, over HTTP.

    Neither reader raises: what it cannot read stays None and is named in the notes.
    `significant_headers` (lower case) belong to what is asked, so that replay compares them. `operation` is that of
    all its requests, if they have but one.
    """

    name: str
    significant_headers: tuple[bytes, ...]
    operation: str | None

    def model_asked(self, body: bytes) -> str | None:
        """The model that a request's body names, fast; None where only `read_request` can tell."""

    def read_request(self, request: Request, provider: str) -> RequestHalf:
        """The meaning of a request, before it is sent."""

    def read_texts(self, answer: Answer) -> tuple[str, ...] | None:
        """The texts that a streamed answer's deltas make, fast; None where only `read_answer` can tell."""

    def read_answer(self, exchange: Exchange, answer: Answer, request: RequestHalf) -> AnswerHalf:
        """The meaning of what came back; `answer` is the exchange's decoded body."""

    def glance(self, exchange: Exchange, body: bytes) -> Glance | None:
        """What a span tells of an answer, fast; None where only `read_answer` can tell.

        `body` is decoded, or is no JSON.
        """
