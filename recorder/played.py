"""A replay that comes whole: one small object from its beginning until the store has time for it."""

from __future__ import annotations

from functools import partial
from time import perf_counter_ns
from typing import ClassVar, Protocol

from msgspec import Struct
from msgspec.structs import replace

from .attempt import Attempt
from .call import Call
from .capture import Capture, Owner, running_owner
from .cassettes import Session
from .ended import CALL_BYTES, Ended
from .exchange import Ending, Exchange, Phase, Request
from .replay_capture import ReplayCapture
from .routes import Route
from .sampling import Content
from .tagging import Tags


class Home(Protocol):
    """The recording that a replay belongs to."""

    def tell(self, attempt: Attempt, exchange: Exchange) -> Ended:
        """What an attempt came to, to be read later."""

    def finish(self, attempt: Attempt, exchange: Exchange) -> None:
        """An attempt ended like any other."""

    def finish_played(self, played: Played, ended_ns: int) -> None:
        """A replay was read to its end, then."""

    def takes(self, played: Played) -> bool:
        """Whether a replay had not ended, which from now on it has."""

    def abandon(self, capture: Played) -> None:
        """A replay was collected unread."""


class Played(Struct, eq=False):
    """An attempt at a call whose recording comes whole, and its own capture: nobody waits for more of either.

    Once it has ended it is what the store gets: `tell` makes of it what others are at once. `stamps` are when its
    chunks were read, `head_ns` and `ended_ns` when the head came and the last was done, by the clock that
    showed `start_ns` at first. `made` is the attempt where there was need of one, as for a span. What ends
    before its end is handed on as a capture of any other call would be. One that is not `kept` interests nobody.
    """

    home: Home
    route: Route
    tags: Tags
    id: int
    operation_id: int
    session: Session | None
    bare: bool
    kept: bool
    playback: Exchange
    request: Request
    started_us: int
    start_ns: int
    made: Attempt | None = None
    stamps: list[int] = []
    head_ns: int = 0
    ended_ns: int = 0
    is_open: bool = True
    _owner: Owner | None = None
    _ended: Ended | None = None

    slot: ClassVar[None] = None

    # While it is played

    @property
    def capture(self) -> Played:
        """What notes how it goes."""
        return self

    def own(self) -> None:
        """Remember the running task, whose cancellation later explains a stream that nobody closed."""
        self._owner = running_owner()

    def complete(self) -> None:
        """The stream reached its end."""
        if self._owner is not None:
            self._owner.leave()
        self.home.finish_played(self, perf_counter_ns())

    def close(self) -> None:
        """The reader closed the stream."""
        if self.home.takes(self):
            self._so_far().close()

    def abandon(self, *, collected: bool = False) -> None:
        """Nobody holds the stream any more, or the process ends."""
        if self.home.takes(self):
            self._so_far().abandon(collected=collected)

    def fail(self, error: BaseException, phase: Phase) -> None:
        """Recorder itself failed, or the caller's request did."""
        if self.home.takes(self):
            self._so_far().fail(error, phase)

    def forget(self) -> None:
        """In a forked child: the recording has forgotten it."""

    def _so_far(self) -> Capture:
        """A capture that another end than its own makes a record of."""
        playback, attempt = self.playback, self.attempt_made()
        return ReplayCapture(
            self.request,
            self.started_us,
            partial(self.home.finish, attempt),
            self.start_ns,
            playback.head,
            self.head_ns,
            playback.chunks,
            self.stamps,
            self._owner,
        )

    def attempt_made(self) -> Attempt:
        """The attempt that it was, made now unless there is one."""
        if self.made is not None:
            return self.made
        return Attempt(
            *(*self.route, None, self.tags, self.id, self.operation_id),
            session=self.session,
            playback=self.playback,
            replayed=True,
            bare=self.bare,
        )

    def whole(self) -> Exchange:
        """What went over the wire, once it is complete."""
        head, start = self.playback.head, self.start_ns
        return Exchange(
            self.request,
            self.started_us,
            Ending("complete", self.ended_ns - start),
            None if head is None else replace(head, at_ns=self.head_ns - start),
            self.playback.chunks[: len(self.stamps)],
            tuple([stamp - start for stamp in self.stamps]),
        )

    # When it has ended

    @property
    def ended(self) -> Ended:
        """The same as any other attempt that has ended."""
        if self._ended is None:
            self._ended = self.home.tell(self.attempt_made(), self.whole())
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


def comes_whole(recorded: Exchange, session: Session) -> bool:
    """Whether a recording can be played at once, as nearly all can: it needs neither waiting nor an error."""
    head = recorded.head
    return (
        head is not None
        and head.status != 101
        and recorded.ending.kind == "complete"
        and not recorded.usage_asked
        and session.pace == "instant"
    )
