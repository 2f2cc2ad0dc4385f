"""Takes secrets out of an exchange before anything else sees it.

What fired is replaced by `REDACTED`, at the very bytes where it stood: all others stay as they came.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from urllib.parse import unquote_plus

from msgspec import Raw
from msgspec.structs import replace

from .body import Answer, decode_request
from .credential_headers import (
    COOKIES,
    ENCODING,
    LOCATION,
    SECRET,
    SET_COOKIE,
    HeaderKinds,
    clean_cookie,
    clean_credential,
)
from .errors import SettingsError
from .exchange import Exchange, Headers, Request
from .form_fields import encoded_spans, form_spans
from .json_spans import (
    Edit,
    Path,
    Span,
    decode_string,
    documents,
    leaves,
    merged,
    running_strings,
    settled,
    spread,
    strings,
)
from .known_heads import KnownHeads
from .known_messages import KnownMessages
from .rewriting import rewritten, with_length
from .secret_names import FIELD_ENDINGS, FIELD_NAMES, HEADER_NAMES, QUERY_NAMES, squash
from .secret_shapes import (
    DISTILLED,
    PLACEHOLDER,
    distil,
    escaped,
    join_spans,
    may_hold,
    names_field,
    own_spans,
    shape_spans,
)
from .settings import RedactionRules
from .stream_fields import says_more

_KEY = os.urandom(16)
_KNOWN_NAMES = 4096
_SHORTEST = 12
_ID = re.compile(
    r"(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8,64}"
    r"|(?:chatcmpl|cmpl|gen|msg|resp)-[0-9A-Za-z]{6,64})\Z"
)
_NESTING = 3
"""How deep JSON text in strings of JSON text is followed: a body, the arguments in it, a string in those."""
_PARAMETER = re.compile(rb"(?<=[?&;#])([^=&;#]+)=([^&;#]+)")
_USERINFO = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]+)@")
_JSON_BEGINS = (b"{", b"[")
_ANCHOR = re.compile(r"(?<!\[)\^|\$|\\[AZ]")
_NO_FIELDS_UNDER = frozenset(("choices", "usage", "functions", "response_format"))
_LOGPROBS = frozenset(("logprobs", "prompt_logprobs"))


class Redactor:
    """Knows what is secret, built in and by one's own rules; with None for rules it changes nothing.

    Raises SettingsError where one of the rules' patterns is no regular expression. Keeps headers without their
    secrets between calls, the names of models and the like, hashes of messages and the last bodies that held no
    secret, but nothing that could be one.
    """

    def __init__(self, rules: RedactionRules | None) -> None:
        self._off = rules is None
        rules = rules or RedactionRules()
        kept = frozenset(map(squash, rules.keep))
        self._kept = kept
        headers = (HEADER_NAMES - kept) | frozenset(map(squash, rules.headers))
        self._query = (QUERY_NAMES - kept) | frozenset(map(squash, rules.query))
        self._fields = (FIELD_NAMES - kept) | frozenset(map(squash, rules.fields))
        self._own_fields = tuple(_key_end(name) for name in rules.fields)
        self._patterns = tuple(map(_compiled, rules.patterns))
        self._anchored = any(map(_ANCHOR.search, rules.patterns))
        self._may_hold = self._may_hold_own if rules.patterns or rules.fields else may_hold
        self._kinds = HeaderKinds(headers, kept)
        self._known_names: set[str] = set()
        self._known_messages = KnownMessages()
        self._known_heads = KnownHeads()

    def request(self, request: Request, messages: Raw | None = None) -> Request:
        """The request without its secrets; the same object where it has none.

        `messages` are those that its body holds: the ones that held no secret before are not looked at again.
        """
        if self._off:
            return request
        body = request.body
        if (known := self._known_heads.find(request)) is not None:
            headers, url = known
        else:
            headers, url, body = self._clean_head(request)
        clean = self._clean_body(body, messages)
        if clean is not body:
            headers = with_length(headers, len(clean), keep_encoding=body is request.body)
        elif headers is request.headers and url is request.url:
            return request
        else:
            clean = request.body
        return Request(request.method, url, headers, clean)

    def _clean_head(self, request: Request) -> tuple[Headers, str, bytes]:
        """A request's headers and URL without their secrets, and its body with its encoding undone."""
        headers, url, body = request.headers, request.url, request.body
        values, named = self._kinds.sort(headers)
        encodings = [headers[i][1] for i in named if self._kinds.kind_of(headers[i][0]) == ENCODING]
        for encoding in encodings:
            body = decode_request(body, encoding)
        values.append(_encode(url))
        outer = self._may_hold(b"\n".join(values))
        if named or outer:
            headers = self._clean_headers(headers, named, outer)
        if outer or "?" in url or "@" in url or "#" in url or "%" in url:
            url = self._clean_url(url, outer)
        if not (outer or encodings or self._patterns):
            self._known_heads.add(request, headers, url)
        return headers, url, body

    def _clean_body(self, body: bytes, messages: Raw | None) -> bytes:
        """A decoded body without its secrets, of which only what is new is looked at."""
        if body[:1] not in _JSON_BEGINS:
            body = settled(body, self._form_edits)
        if (news := self._known_messages.news(body, messages)) is None:
            return body
        if self._may_hold(news.text) and settled(news.text, self._body_edits) is not news.text:
            return settled(body, self._body_edits)
        self._known_messages.add(news)
        return body

    def credential(self, request: Request) -> bytes | None:
        """A fingerprint of what a request logs in with, None where it has nothing; good in this process only."""
        secrets = self._kinds.credentials(request.headers)
        if "?" in request.url:
            secrets += tuple(
                parameter[2]
                for parameter in _PARAMETER.finditer(_encode(request.url))
                if squash(unquote_plus(parameter[1].decode("latin-1"))) in self._query
            )
        return _fingerprint(secrets) if secrets else None

    def exchange(self, exchange: Exchange, answer: Answer) -> tuple[Exchange, Answer]:
        """Both without the secrets of the response; the same objects where it has none."""
        if self._off:
            return exchange, answer
        head, message = exchange.head, exchange.ending.message
        headers = () if head is None else head.headers
        values, named = self._kinds.sort(headers)
        data = answer.data
        values.append(distil(data) if len(data) >= DISTILLED else data)
        alarm = self._may_hold(b"\n".join(values))
        if not (alarm or named or message or answer.encoded) and (head is None or _is_short(head.reason)):
            return exchange, answer
        outer = alarm and self._may_hold(b"\n".join(values[:-1]))
        if head is not None and (named or outer):
            clean = self._clean_headers(headers, named, outer)
            if clean is not headers:
                exchange = replace(exchange, head=replace(head, headers=clean), redacted=True)
        if message is not None and (text := self.error_text(message)) is not message:
            exchange = replace(exchange, ending=replace(exchange.ending, message=text), redacted=True)
        exchange = self._clean_reason(exchange)
        if alarm or answer.hidden:
            exchange, answer = rewritten(exchange, answer, self._answer_edits)
        if answer.encoded and self._may_hold(exchange.body):  # what follows an encoded body, or broke it
            exchange, _ = rewritten(exchange, Answer(exchange.body), self._shape_edits)
        return exchange, answer

    def _clean_reason(self, exchange: Exchange) -> Exchange:
        head = exchange.head
        if head is None or head.reason is None or _is_short(head.reason):
            return exchange
        reason = settled(head.reason, self._shape_edits)
        if reason is head.reason:
            return exchange
        return replace(exchange, head=replace(head, reason=reason), redacted=True)

    def suspicious(self, texts: Iterable[str]) -> bool:
        """Whether an assembled text holds a secret, as one that was split over deltas does."""
        if self._off:
            return False
        texts = tuple(texts)
        if not self._patterns and not may_hold(_encode("\n".join(texts)), fields=False):
            return False
        return any(self._secrets(_encode(text)) for text in texts)

    def suspicious_names(self, texts: Collection[str]) -> bool:
        """The same for names and ids: the usual ids hold none, and of names most come again and again."""
        known = self._known_names
        if known.issuperset(texts):
            return False
        new = [text for text in texts if text not in known and (self._patterns or not _ID.match(text))]
        if not new:
            return False
        if self.suspicious(new):
            return True
        if len(known) > _KNOWN_NAMES:
            known.clear()
        known.update(new)
        return False

    def may_split(self, answer: Answer) -> bool:
        """Whether a body has several documents, over which a secret may be split."""
        data = answer.data
        return not self._off and b"\n" in data and (b"\ndata:" in data or b"\n{" in data)

    def splits(self, answer: Answer, *, assembled: bool = False) -> bool:
        """Whether a body's documents, put together path by path, hold a secret that none of them holds alone.

        Slow: for streams that no dialect assembles, and those `assembled` ones that say something in fields of which
        the dialect knows nothing.
        """
        if not self.may_split(answer) or (assembled and not says_more(answer.data)):
            return False
        runs = running_strings(answer.data, _LOGPROBS)
        joined = (
            b"".join(decode_string(answer.data, leaf.start, leaf.end).text for leaf in run) for run in runs
        )
        return any(map(self._secrets, joined))

    def deltas(self, exchange: Exchange, answer: Answer) -> tuple[Exchange, Answer]:
        """Both without the secrets that deltas make when put together, and without logprobs.

        For where `suspicious` said yes. The first delta with a part of a secret gets the placeholder.
        """
        return (exchange, answer) if self._off else rewritten(exchange, answer, self._delta_edits)

    def text(self, text: str) -> str:
        """Any text without its secrets; the same object where it has none."""
        return self._cleaned(text, self._shape_edits)

    def error_text(self, text: str) -> str:
        """The text of an error, in which URLs often stand, without its secrets; the same object where it has none."""
        return self._cleaned(text, self._url_edits)

    def json_text(self, text: str) -> str:
        """JSON text without its secrets, also those that names of fields tell; the same object where it has none."""
        return self._cleaned(text, self._body_edits)

    def is_secret_name(self, name: str) -> bool:
        """Whether the value of a field with this name is secret."""
        return not self._off and self._is_secret_field((name,))

    def _cleaned(self, text: str, edits: Callable[[bytes], list[Edit]]) -> str:
        if self._off:
            return text
        data = _encode(text)
        clean = settled(data, edits)
        return text if clean is data else clean.decode("utf-8", "surrogatepass")

    def _may_hold_own(self, data: bytes) -> bool:
        if self._patterns or may_hold(data):
            return True
        squashed = data.lower().translate(None, b"-_ .")
        return any(name in squashed for name in self._own_fields)

    def _clean_headers(self, headers: Headers, named: list[int], alarm: bool) -> Headers:
        clean = list(headers)
        changed = False
        for index in range(len(headers)) if alarm else named:
            name, value = headers[index]
            new = self._clean_value(self._kinds.kind_of(name), value)
            if new != value:
                clean[index] = name, new
                changed = True
        return tuple(clean) if changed else headers

    def _clean_value(self, kind: int, value: bytes) -> bytes:
        if kind == SECRET:
            return clean_credential(value)
        if kind == COOKIES:
            return b";".join(map(clean_cookie, value.split(b";")))
        if kind == SET_COOKIE:
            cookie, semicolon, attributes = value.partition(b";")
            return clean_cookie(cookie) + semicolon + attributes
        if kind == ENCODING:
            return value
        return settled(value, self._url_edits if kind == LOCATION else self._shape_edits)

    def _clean_url(self, url: str, alarm: bool) -> str:
        data = _encode(url)
        clean = settled(data, self._url_edits if alarm else self._url_name_edits)
        return url if clean is data else clean.decode("utf-8", "surrogatepass")

    def _url_name_edits(self, url: bytes) -> list[Edit]:
        edits = [
            _hidden(parameter.span(2))
            for parameter in _PARAMETER.finditer(url)
            if squash(unquote_plus(parameter[1].decode("latin-1"))) in self._query
        ]
        edits += map(_hidden, encoded_spans(url, self._secrets))
        if userinfo := _USERINFO.match(url):
            edits.append(_hidden(userinfo.span(1)))
        return merged(edits, url)

    def _url_edits(self, url: bytes) -> list[Edit]:
        return merged([*self._url_name_edits(url), *self._shape_edits(url)], url)

    def _shape_edits(self, data: bytes) -> list[Edit]:
        return [_hidden(span) for span in self._secrets(data)]

    def _form_edits(self, body: bytes) -> list[Edit]:
        return merged(map(_hidden, form_spans(body, self._is_secret_parameter, self._secrets)), body)

    def _body_edits(self, body: bytes) -> list[Edit]:
        return merged([*self._shape_edits(body), *self._field_edits(body)], body)

    def _answer_edits(self, body: bytes) -> list[Edit]:
        edits = self._shape_edits(body)
        if edits:  # what shows in one delta may be the beginning of more
            edits += self._delta_edits(body)
        return merged([*edits, *self._field_edits(body)], body)

    def _delta_edits(self, body: bytes) -> list[Edit]:
        edits = list(_logprobs_edits(body))
        for run in running_strings(body, _LOGPROBS):
            pieces = [decode_string(body, leaf.start, leaf.end) for leaf in run]
            texts = [piece.text for piece in pieces]
            if len(set(texts)) == 1:
                texts, pieces = texts[:1], pieces[:1]
            ends = list(accumulate(map(len, texts)))
            for span in self._secrets(b"".join(texts)):
                edits += spread(_hidden(span), pieces, ends)
        return merged(edits, body)

    def _field_edits(self, body: bytes) -> Iterator[Edit]:
        if not (names_field(body) or escaped(body) or self._own_fields):
            return
        for segments in documents(body):
            for leaf in leaves(body, segments):
                if leaf.kind == "string" and leaf.start < leaf.end and self._is_secret_field(leaf.path):
                    yield _hidden((leaf.start, leaf.end))

    def _is_secret_parameter(self, name: str) -> bool:
        return squash(name) in self._query or self._is_secret_field((name,))

    def _is_secret_field(self, path: Path) -> bool:
        while path and isinstance(path[-1], int):  # a list of secrets
            path = path[:-1]
        if not path or not isinstance(name := path[-1], str) or path[0] in _NO_FIELDS_UNDER:
            return False
        if path[0] == "tools" and len(path) != 3 and path[2:3] != ("headers",):
            return False  # a schema; what an MCP tool logs in with stands beside it
        name = squash(name)
        if name not in self._fields and (name in self._kept or not name.endswith(FIELD_ENDINGS)):
            return False
        return not any(isinstance(step, str) and "logprobs" in step for step in path)

    def _escaped(self, data: bytes) -> bool:
        """Whether JSON text spells something as an escape that secrets are made of; own patterns take any sign."""
        return b"\\u" in data or escaped(data) if self._patterns else escaped(data)

    def _secrets(self, data: bytes, nesting: int = _NESTING) -> list[Span]:
        """The spans of all secrets that show in a text, also where JSON strings in it use escapes.

        For own patterns with anchors, each JSON string is a text of its own as well.
        """
        spans = shape_spans(data) if may_hold(data, fields=False) else []
        for pattern in self._patterns:
            spans += own_spans(pattern, data)
        if nesting and (self._anchored or (b"\\" in data and self._escaped(data))):
            for start, end in strings(data):
                if self._anchored or self._escaped(data[start:end]):
                    decoded = decode_string(data, start, end)
                    found = self._secrets(decoded.text, nesting - 1)
                    spans += [(decoded.source(first), decoded.source(last)) for first, last in found]
        return join_spans(spans)


@lru_cache(maxsize=64)
def _fingerprint(secrets: tuple[bytes, ...]) -> bytes:
    return blake2b(b"\0".join(secrets), digest_size=16, key=_KEY).digest()


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise SettingsError(f"redact pattern {pattern!r} is no regular expression: {error}") from error


def _is_short(reason: bytes | None) -> bool:
    """Whether a status line's reason is too short for a secret."""
    return reason is None or len(reason) < _SHORTEST


def _key_end(name: str) -> bytes:
    """What a body with such a field holds, squashed; nothing where JSON may spell the name otherwise."""
    return f'{squash(name)}"'.encode() if name.isascii() else b""


def _hidden(span: Span) -> Edit:
    return Edit(*span, PLACEHOLDER)


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _logprobs_edits(body: bytes) -> Iterator[Edit]:
    """Logprobs spell a text token by token, so a secret in it stands there in pieces."""
    if b'logprobs"' in body:
        for segments in documents(body):
            for leaf in leaves(body, segments, _LOGPROBS):
                if leaf.kind == "container":
                    yield Edit(leaf.start, leaf.end, b"null")
