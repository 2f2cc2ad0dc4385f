"""Asking a stream for its usage on the way down, and keeping back on the way up what the caller did not ask for."""

from __future__ import annotations

from typing import Any

from ..attempt import Attempt
from ..capture import Capture
from ..dialects import UsageFilter, ask_usage
from ..telemetry import ChunkFilter

_OF_THE_BODY = (b"content-length", b"transfer-encoding", b"content-encoding", b"accept-encoding")


def asking_for_usage(library: Any, attempt: Attempt, request: Any, request_body: bytes) -> Any:
    """A copy of a request that also asks for usage; the same object where there is nothing to ask for."""
    body = None if attempt.half is None else ask_usage(request_body, attempt.half)
    if body is None:
        return request
    headers = [(name, value) for name, value in request.headers.raw if name.lower() not in _OF_THE_BODY]
    headers.append((b"accept-encoding", b"identity"))  # else the extra chunk could not be kept back
    asking = library.Request(
        request.method, request.url, headers=headers, content=body, extensions=request.extensions
    )
    attempt.capture.usage_asked = True
    return asking


def usage_filter(response: Any, capture: Capture) -> ChunkFilter | None:
    """What keeps back the usage that recorder asked for; None where it did not ask, or cannot look inside."""
    if not capture.usage_asked:
        return None
    headers = response.headers
    plain = headers.get("content-encoding", "identity").lower() == "identity"
    streamed = headers.get("content-type", "").lower().startswith("text/event-stream")
    capture.usage_asked = plain and streamed
    return UsageFilter() if capture.usage_asked else None
