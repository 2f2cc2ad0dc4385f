"""The tags that a caller attaches to the calls it makes."""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol

_HIDDEN = "REDACTED"
_LONE = re.compile("[\ud800-\udfff]")

_tags: ContextVar[dict[str, Any]] = ContextVar("recorder_tags", default={})  # noqa: B039 - never mutated


@contextmanager
def tags(**values: Any) -> Generator[None]:
    """Attach tags to all calls made inside: `session_id` and `user_id` fill columns of their own.

    Nested ones add up, the inner one wins; None takes a tag away. Tags follow tasks, but not bare
    threads (`threading.Thread`, executors): start these with `contextvars.copy_context().run`.
    """
    token = _tags.set({name: value for name, value in {**_tags.get(), **values}.items() if value is not None})
    try:
        yield
    finally:
        _tags.reset(token)


class Tags(NamedTuple):
    """The tags of a call: the two that have columns of their own, as text, and the others, as JSON has them."""

    session_id: str | None
    user_id: str | None
    others: dict[str, Any]


NO_TAGS = Tags(None, None, {})


tagged = _tags.get
"""Asks whether the running context has tags."""


class Cleaner(Protocol):
    """Takes secrets out of texts, and knows the names that they have."""

    def text(self, text: str) -> str: ...

    def json_text(self, text: str) -> str: ...

    def is_secret_name(self, name: str) -> bool: ...


def current_tags(cleaner: Cleaner) -> Tags:
    """The tags of the running context as they are now, every text in them made clean."""
    others = {
        name: _HIDDEN if cleaner.is_secret_name(name) else _kept(value, cleaner)
        for name, value in _tags.get().items()
    }
    session_id, user_id = others.pop("session_id", None), others.pop("user_id", None)
    return Tags(
        None if session_id is None else str(session_id), None if user_id is None else str(user_id), others
    )


def _kept(value: Any, cleaner: Cleaner) -> Any:
    try:
        return _plain(value, cleaner)
    except Exception:  # noqa: BLE001 - a stranger's value, which must not cost the call its record
        return f"<{type(value).__name__}>"


def _plain(value: Any, cleaner: Cleaner) -> Any:
    """A copy that later changes do not reach; what JSON does not have becomes text."""
    if type(value) is str:
        return _whole(cleaner.text(value))
    if value is None or type(value) is bool:
        return value
    text = json.dumps(value, default=str)
    cleaned = cleaner.json_text(text)
    try:
        return json.loads(cleaned, parse_constant=lambda _: None)  # neither NaN nor infinity
    except ValueError:  # a redaction took away more than a text
        return cleaned


def _whole(text: str) -> str:
    """Text that can be encoded, as spans and databases need it; what cannot be is U+FFFD, as in every row."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return _LONE.sub("\ufffd", text)
    return text
