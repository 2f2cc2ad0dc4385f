"""A replay that came whole, kept as the little that is needed to tell of it once the store has time."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from .attempt import Attempt
from .call import Call
from .cassettes import Session
from .dialects import Dialect
from .ended import CALL_BYTES, Ended
from .exchange import Ending, Exchange, Request
from .replay_capture import ReplayCapture
from .sampling import Content
from .tagging import Tags

Tell = Callable[[Attempt, Exchange], Ended]


class Played(Struct, eq=False):
    """What an attempt and its capture knew: these go with their call, and make room for those of the next.

    `stamps_ns` are when the chunks were read, `head_ns` and `ended_ns` when the head came and the last was
    done, by the clock that showed `start_ns` at first. All else is told by `tell`, when somebody asks.
    """

    tell: Tell
    dialect: Dialect
    provider: str
    tags: Tags
    id: int
    operation_id: int
    session: Session | None
    bare: bool
    playback: Exchange
    request: Request
    started_us: int
    start_ns: int
    head_ns: int
    stamps_ns: tuple[int, ...]
    ended_ns: int
    _ended: Ended | None = None

    @property
    def ended(self) -> Ended:
        """The same as any other attempt that has ended."""
        if self._ended is None:
            attempt = Attempt(
                *(self.dialect, self.provider, None, self.tags, self.id, self.operation_id, _nobody),
                session=self.session,
                playback=self.playback,
                replayed=True,
                bare=self.bare,
            )
            self._ended = self.tell(attempt, self._exchange())
        return self._ended

    @property
    def attempt(self) -> Attempt:
        """The attempt, made anew."""
        return self.ended.attempt

    @property
    def wire(self) -> Exchange:
        """The exchange as it was."""
        return self.ended.wire

    @property
    def exchange(self) -> Exchange:
        """What went over the wire, without secrets."""
        return self.ended.exchange

    @property
    def call(self) -> Call:
        """What it meant."""
        return self.ended.call

    @property
    def content(self) -> Content:
        """What is to be stored of its content."""
        return self.ended.content

    @property
    def size(self) -> int:
        """About what it takes in memory, in bytes; the answer is the recording's, which is there anyway."""
        return CALL_BYTES + 2 * len(self.request.body)

    def _exchange(self) -> Exchange:
        head, start = self.playback.head, self.start_ns
        return Exchange(
            self.request,
            self.started_us,
            Ending("complete", self.ended_ns - start),
            None if head is None else replace(head, at_ns=self.head_ns - start),
            self.playback.chunks[: len(self.stamps_ns)],
            tuple([stamp - start for stamp in self.stamps_ns]),
        )


def played(attempt: Attempt, capture: ReplayCapture, playback: Exchange, tell: Tell) -> Played:
    """What is to be kept of a replay that was read to its end."""
    return Played(
        tell,
        attempt.dialect,
        attempt.provider,
        attempt.tags,
        attempt.id,
        attempt.operation_id,
        attempt.session,
        attempt.bare,
        playback,
        *capture.noted(),
    )


def _nobody(attempt: Attempt, exchange: object) -> None:
    """Gets no exchange, since this one has ended."""
