"""How secrets are hidden in texts, URLs and bodies: edits at the very bytes where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate
from urllib.parse import unquote_plus

from .byte_edits import Edit, Span, merged
from .form_fields import encoded_spans, form_spans
from .json_spans import decode_string, documents, leaves, running_strings, spread
from .named_values import Pairs
from .secret_alarm import encoded, escaped, names_field, names_pair, names_parameter
from .secret_names import one_of_list
from .secret_rules import SecretRules
from .secret_shapes import PLACEHOLDER
from .url_strings import url_spans

PARAMETER = re.compile(rb"(?<=[?&;#])([^=?&;#]++)=([^&;#]+)")
"""A parameter in a URL: its name and its value."""
LOGPROBS = frozenset(("logprobs", "prompt_logprobs"))
_USERINFO = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]+)@")


class SecretEdits:
    """What must be replaced in texts of each sort, by rules; edits are sorted and do not overlap."""

    def __init__(self, rules: SecretRules) -> None:
        self._rules = rules

    def shapes(self, data: bytes) -> list[Edit]:
        """Of any text: what shows by its shape."""
        return [_hidden(span) for span in self._rules.secrets(data)]

    def url(self, url: bytes) -> list[Edit]:
        """Of a URL, or of a text in which URLs stand."""
        return merged([*self.url_names(url), *self.shapes(url)], url)

    def url_names(self, url: bytes) -> list[Edit]:
        """Of a URL without secret shapes: what names tell, and its login."""
        edits = [_hidden(span) for span in (*self.parameter_spans(url), *encoded_spans(url, self))]
        if userinfo := _USERINFO.match(url):
            edits.append(_hidden(userinfo.span(1)))
        return merged(edits, url)

    def form(self, body: bytes, content_type: bytes) -> list[Edit]:
        """Of a body that may be a form."""
        return merged(map(_hidden, form_spans(body, content_type, self)), body)

    @property
    def apart(self) -> bool:
        """Whether what is no secret in a longer text may be one as a text of its own."""
        return bool(self._rules.anchored)

    def holds_apart(self, text: bytes) -> bool:
        """Whether a text that is no secret in a longer one is one on its own."""
        return self._rules.holds_apart(text)

    def is_secret_parameter(self, name: str) -> bool:
        """Whether the value of a parameter or a form's field is secret, also with brackets: `auth[password][]`."""
        if self._rules.is_secret_parameter(name):
            return True
        if not name.endswith("]"):
            return False
        name = one_of_list(name)
        return any(map(self._rules.is_secret_parameter, {name, name.rstrip("]").rpartition("[")[2]}))

    def hides(self, text: bytes) -> bool:
        """Whether a text that was encoded holds a secret: by its shape, in JSON, or in a URL."""
        return bool(self.shapes(text)) or any(self._fields(text)) or any(self.parameter_spans(text))

    def parameter_spans(self, text: bytes) -> Iterator[Span]:
        """The values of a URL's parameters whose names say that they are secret."""
        for parameter in PARAMETER.finditer(text):
            if self.is_secret_parameter(unquote_plus(parameter[1].decode("latin-1"))):
                yield parameter.span(2)

    def body(self, body: bytes) -> list[Edit]:
        """Of JSON, or of several JSON documents."""
        return merged([*self.shapes(body), *self._fields(body), *self._in_strings(body)], body)

    def answer(self, body: bytes) -> list[Edit]:
        """Of an answer, in which secrets may be split over deltas."""
        edits = self.shapes(body)
        if edits:  # what shows in one delta may be the beginning of more
            edits += self.deltas(body)
        return merged([*edits, *self._fields(body), *self._in_strings(body)], body)

    def deltas(self, body: bytes) -> list[Edit]:
        """Of a stream: what deltas make when put together, and logprobs."""
        edits = list(_logprobs_edits(body))
        for run in running_strings(body, LOGPROBS):
            pieces = [decode_string(body, leaf.start, leaf.end) for leaf in run]
            texts = [piece.text for piece in pieces]
            if len(set(texts)) == 1:
                texts, pieces = texts[:1], pieces[:1]
            ends = list(accumulate(map(len, texts)))
            for span in self._rules.secrets(b"".join(texts)):
                edits += spread(_hidden(span), pieces, ends)
        return merged(edits, body)

    def _in_strings(self, body: bytes) -> Iterator[Edit]:
        if not (names_parameter(body) or encoded(body) or escaped(body) or self._rules.own_query):
            return
        for segments in documents(body):
            for leaf in leaves(body, segments):
                if leaf.kind == "string" and self._rules.names_tell(leaf.path):
                    yield from map(_hidden, url_spans(body, leaf.start, leaf.end, self))

    def _fields(self, body: bytes) -> Iterator[Edit]:
        if not (names_field(body) or names_pair(body) or escaped(body) or self._rules.own_fields):
            return
        for segments in documents(body):
            pairs = Pairs()
            for leaf in leaves(body, segments):
                if leaf.kind == "string":
                    if leaf.start < leaf.end and self._rules.is_secret_field(leaf.path):
                        yield _hidden((leaf.start, leaf.end))
                    pairs.add(leaf)
            yield from map(_hidden, pairs.spans(body, self._rules.is_secret_pair))


def _hidden(span: Span) -> Edit:
    return Edit(*span, PLACEHOLDER)


def _logprobs_edits(body: bytes) -> Iterator[Edit]:
    """Logprobs spell a text token by token, so a secret in it stands there in pieces."""
    if b'logprobs"' in body:
        for segments in documents(body):
            for leaf in leaves(body, segments, LOGPROBS):
                if leaf.kind == "container":
                    yield Edit(leaf.start, leaf.end, b"null")
