"""Which dialect reads a request."""

from __future__ import annotations

from .chat import Chat
from .dialect import Dialect
from .plain import Plain

_CHAT = Chat()
_PLAIN = Plain()

SIGNIFICANT_HEADERS = (*_CHAT.significant_headers, *_PLAIN.significant_headers)
"""The headers that any dialect calls significant."""


def dialect_named(name: str) -> Dialect:
    """The dialect of that name; the plainest for one that only a newer recorder has."""
    return next((dialect for dialect in (_CHAT, _PLAIN) if dialect.name == name), _PLAIN)


def dialect_for(method: str, path: str, also: tuple[str, ...] = ()) -> Dialect | None:
    """The dialect of a request, or None for one that is not recorded.

    Chat completions are known by their path, on any host. `also` are path endings that are recorded
    besides them, `"*"` for all.
    """
    path = path.partition("?")[0]
    if method == "POST" and path.endswith(("/chat/completions", "/chat/completions/")):
        return _CHAT
    if also and ("*" in also or path.endswith(also) or path.rstrip("/").endswith(also)):
        return _PLAIN
    return None
