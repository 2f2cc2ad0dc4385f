"""The demo's calls: every kind of client and of answer, made once live and once more from the recording."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import bare_calls, sdk_calls
from .target import Target

if TYPE_CHECKING:
    from ..recorder import Recorder

CASSETTE = "demo"

Action = Callable[["Recorder", Target, list[Any]], None]
"""Makes one call and notes what its caller got."""

# Title, call, and whether it is for the demo's own upstream alone.
_ACTIONS: tuple[tuple[str, Action, bool], ...] = (
    ("openai, whole answer", sdk_calls.whole_answer, False),
    ("openai, reasoning streamed", sdk_calls.reasoning_streamed, False),
    ("openai async, tool call", sdk_calls.tool_call, False),
    ("openai async, tool call streamed", sdk_calls.tool_call_streamed, False),
    ("openai, 429 and retried", sdk_calls.retried, True),
    ("httpx, gateway", bare_calls.httpx_gateway, True),
    ("httpx async, gateway streamed", bare_calls.httpx_gateway_async_stream, True),
    ("httpx2, streamed", bare_calls.httpx2_stream, False),
    ("httpx2 async, whole answer", bare_calls.httpx2_async_plain, False),
    ("httpx2, time-out", bare_calls.httpx2_timeout, False),
    ("httpx2, stream left early", bare_calls.httpx2_left_early, False),
)


@dataclass(slots=True)
class Step:
    """One call of the demo: what it shows, and what its caller got, to be compared after the replay.

    `failure` is the error that reached the caller where none was meant to.
    """

    title: str
    seen: list[Any] = field(default_factory=list)
    failure: str | None = None


def run(recorder: Recorder, target: Target) -> Iterator[Step]:
    """Make the demo's calls one after the other, through clients that the recorder wraps."""
    import httpx
    import httpx2
    import openai

    for title, action, local_only in _ACTIONS:
        if local_only and not target.local:
            continue
        step = Step(title)
        try:
            action(recorder, target, step.seen)
        except (openai.OpenAIError, httpx.HTTPError, httpx2.HTTPError) as error:
            step.failure = f"{type(error).__name__}: {error}"
        yield step
