"""The reason phrases that go without saying, as servers send them with HTTP/1."""

from __future__ import annotations

_REASONS = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    301: "Moved Permanently",
    302: "Found",
    307: "Temporary Redirect",
    308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def usual_reason(status: int, version: str) -> str | None:
    """The phrase that a status has unless a document says another; None where it has none."""
    return _REASONS.get(status) if version.startswith("HTTP/1") else None
