"""What is secret: built in, and by one's own rules."""

from __future__ import annotations

import re
from collections.abc import Collection

from .byte_edits import Span
from .errors import SettingsError
from .json_spans import Path, decode_string, strings
from .percent_encoding import encoded_tokens, unquoted
from .secret_alarm import encoded, escaped, may_hold
from .secret_names import FIELD_ENDINGS, FIELD_NAMES, HEADER_NAMES, QUERY_NAMES, squash
from .secret_shapes import join_spans, own_spans, shape_spans
from .settings import RedactionRules

_NESTING = 3
"""How deep JSON text in strings of JSON text is followed: a body, the arguments in it, a string in those."""
_ANCHOR = re.compile(r"(?<!\[)\^|\$|\\[AZ]")
_IN_PARAMETERS = b"+]"
_PLACES = re.compile(rb"\[[0-9]{0,2}\]")
"""What may stand in or after a name in a URL besides what `squash` takes out: `auth[name]`, spaces as `+`, `name[]`."""
_NO_FIELDS_UNDER = frozenset(("choices", "usage", "functions", "response_format"))


class SecretRules:
    """The names of headers, query parameters and fields, and the shapes, by which secrets are told.

    Raises SettingsError where they are none, as where a pattern of one's own is no regular expression. `may_hold`
    is the quick question for each call, which may say yes for nothing.
    """

    def __init__(self, rules: RedactionRules) -> None:
        _check(rules)
        kept = frozenset(map(squash, rules.keep))
        self.kept = kept
        self.headers = (HEADER_NAMES - kept) | frozenset(map(squash, rules.headers))
        self.patterns = tuple(map(_compiled, rules.patterns))
        self.own_fields = tuple(_key_end(name) for name in rules.fields)
        self.own_query = tuple(map(_parameter_end, (*rules.query, *rules.fields)))
        own = rules.patterns or rules.fields or rules.query
        self.may_hold = self._may_hold_own if own else may_hold
        self._query = (QUERY_NAMES - kept) | frozenset(map(squash, rules.query))
        self._fields = (FIELD_NAMES - kept) | frozenset(map(squash, rules.fields))
        self.anchored = tuple(pattern for pattern in self.patterns if _ANCHOR.search(pattern.pattern))

    def is_secret_query(self, name: str) -> bool:
        """Whether the value of a URL's parameter with this name is what somebody logs in with."""
        return squash(name) in self._query

    def is_secret_parameter(self, name: str) -> bool:
        """Whether the value of a URL's parameter or a form's field with this name is secret."""
        return self.is_secret_query(name) or self.is_secret_field((name,))

    def is_secret_field(self, path: Path) -> bool:
        """Whether the string at this place in JSON is secret, by its name."""
        while path and isinstance(path[-1], int):  # a list of secrets
            path = path[:-1]
        if not path or not isinstance(name := path[-1], str) or not self.names_tell(path):
            return False
        name = squash(name)
        if name not in self._fields and (name in self.kept or not name.endswith(FIELD_ENDINGS)):
            return False
        return not any(isinstance(step, str) and "logprobs" in step for step in path)

    def is_secret_pair(self, name: str, path: Path) -> bool:
        """Whether the value at this place is secret, which an object has beside its name: `{"name": …, "value": …}`."""
        return self.is_secret_field((*path[:-1], name))

    def names_tell(self, path: Path) -> bool:
        """Whether names say what is secret at this place in JSON: not in what a model said, nor in schemas."""
        if path and path[0] == "tools":
            return len(path) == 3 or path[2:3] == ("headers",)  # what an MCP tool logs in with
        return not path or path[0] not in _NO_FIELDS_UNDER

    def secrets(self, data: bytes, nesting: int = _NESTING) -> list[Span]:
        """The spans of all secrets that show in a text, also where JSON strings in it use escapes.

        For own patterns with anchors, each JSON string is a text of its own as well.
        """
        spans = shape_spans(data) if may_hold(data, fields=False) else []
        for pattern in self.patterns:
            spans += own_spans(pattern, data)
        if nesting and encoded(data):
            tokens = encoded_tokens(data)
            hiding = {text for text in {text for _, text in tokens} if any(map(self._shows, unquoted(text)))}
            spans += (span for span, text in tokens if text in hiding)
        if nesting and (self.anchored or (b"\\" in data and self._escaped(data))):
            for start, end in strings(data):
                if self.anchored or self._escaped(data[start:end]):
                    decoded = decode_string(data, start, end)
                    found = self.secrets(decoded.text, nesting - 1)
                    spans += [(decoded.source(first), decoded.source(last)) for first, last in found]
        return join_spans(spans)

    def _shows(self, text: bytes) -> bool:
        return bool(self.secrets(text, nesting=0))

    def _may_hold_own(self, data: bytes) -> bool:
        if self.patterns or may_hold(data):
            return True
        squashed = _bare(data.lower()).translate(None, b"-_ .")
        return any(name in squashed for name in (*self.own_fields, *self.own_query))

    def holds_apart(self, text: bytes) -> bool:
        """Whether an own pattern with anchors finds something in a text that stands on its own."""
        plain = text.decode("utf-8", "surrogateescape")
        return any(pattern.search(plain) and any(own_spans(pattern, text)) for pattern in self.anchored)

    def _escaped(self, data: bytes) -> bool:
        """Whether JSON text spells something as an escape that secrets are made of; own patterns take any sign."""
        return b"\\u" in data or escaped(data) if self.patterns else escaped(data)


def _check(rules: RedactionRules) -> None:
    """Raise SettingsError for what is no rules; a text in place of texts would be taken for its letters."""
    if not isinstance(rules, RedactionRules):
        raise SettingsError(f"redact={rules!r} is none of True, False and recorder.RedactionRules(…)")
    for name in ("headers", "query", "fields", "patterns", "keep"):
        value = getattr(rules, name)
        several = isinstance(value, Collection) and not isinstance(value, str | bytes)
        if not several or not all(isinstance(each, str) for each in value):
            raise SettingsError(f"{name}={value!r} of RedactionRules is no tuple of texts, such as ('one',)")


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise SettingsError(f"redact pattern {pattern!r} is no regular expression: {error}") from error


def _key_end(name: str) -> bytes:
    """What a body with such a field holds, squashed; nothing where JSON may spell the name otherwise."""
    return _bare(f'{squash(name)}"'.encode()) if name.isascii() else b""


def _parameter_end(name: str) -> bytes:
    """What a URL with such a parameter holds, squashed; an equals sign alone where it may be spelled otherwise."""
    return _bare(f"{squash(name)}=".encode()) if name.isascii() else b"="


def _bare(text: bytes) -> bytes:
    """Squashed text without what may stand in or after a name in a URL."""
    return _PLACES.sub(b"", text).translate(None, _IN_PARAMETERS)
