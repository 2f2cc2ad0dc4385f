"""Takes secrets out of an exchange before anything else sees it.

What fired is replaced by `REDACTED`, at the very bytes where it stood: all others stay as they came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from functools import partial

from msgspec import Raw
from msgspec.structs import replace

from .body import Answer
from .byte_edits import Edit, settled
from .clean_heads import CleanHeads, encode
from .exchange import Exchange, Headers, Request
from .json_spans import decode_string, running_strings
from .known_messages import KnownMessages
from .rewriting import rewritten, with_length
from .secret_alarm import DISTILLED, distil, may_hold
from .secret_edits import LOGPROBS, SecretEdits
from .secret_rules import SecretRules
from .settings import RedactionRules
from .stream_fields import says_more

_KNOWN_NAMES = 4096
_SHORTEST = 12
_ID = re.compile(
    r"(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8,64}"
    r"|(?:chatcmpl|cmpl|gen|msg|resp)-[0-9A-Za-z]{6,64})\Z"
)
_JSON_BEGINS = (b"{", b"[")
_ANSWER_BEGINS = (*_JSON_BEGINS, b"data:", b"event:", b"id:", b":", b"\n", b"\r\n")


class Redactor:
    """Knows what is secret, built in and by one's own rules; with None for rules it changes nothing.

    Raises SettingsError where one of the rules' patterns is no regular expression. Keeps headers without their
    secrets between calls, the names of models and the like, hashes of messages and the last bodies that held no
    secret, but nothing that could be one.
    """

    def __init__(self, rules: RedactionRules | None) -> None:
        self._off = rules is None
        self._rules = SecretRules(rules or RedactionRules())
        self._edits = SecretEdits(self._rules)
        self._heads = CleanHeads(self._rules, self._edits)
        self._may_hold = self._rules.may_hold
        self._known_names: set[str] = set()
        self._known_messages = KnownMessages()

    def request(self, request: Request, messages: Raw | None = None) -> Request:
        """The request without its secrets; the same object where it has none.

        `messages` are those that its body holds: the ones that held no secret before are not looked at again.
        """
        if self._off:
            return request
        body = request.body
        if (head := self._heads.known.find(request)) is not None:
            headers, url = head
        else:
            headers, url, body = self._heads.request(request)
        known = body[:1] in _JSON_BEGINS and self._known_messages.knows(body)
        clean = body if known else self._clean_body(body, headers, messages)
        if clean is not body:
            headers = with_length(headers, len(clean), keep_encoding=body is request.body)
        elif headers is request.headers and url is request.url:
            return request
        else:
            clean = request.body
        return Request(request.method, url, headers, clean)

    def _clean_body(self, body: bytes, headers: Headers, messages: Raw | None) -> bytes:
        """A decoded body without its secrets, of which only what is new is looked at."""
        if body[:1] not in _JSON_BEGINS:
            body = settled(body, self._form_edits(headers))
        if (news := self._known_messages.news(body, messages)) is None:
            return body
        if self._may_hold(news.text) and settled(news.text, self._edits.body) is not news.text:
            return settled(body, self._edits.body)
        self._known_messages.add(news)
        return body

    def _form_edits(self, headers: Headers) -> Callable[[bytes], list[Edit]]:
        kind = next((value for name, value in headers if name.lower() == b"content-type"), b"")
        return partial(self._edits.form, content_type=kind)

    def credential(self, request: Request) -> bytes | None:
        """A fingerprint of what a request logs in with, None where it has nothing; good in this process only."""
        return self._heads.credential(request)

    def passes(self, exchange: Exchange) -> bool:
        """Whether its response is one short JSON object in which nothing may be a secret, as many are.

        Asked before anything is read; `exchange` says what of the others has to go.
        """
        head, chunks = exchange.head, exchange.chunks
        if self._off:
            return True
        if head is None or len(chunks) != 1 or exchange.ending.message is not None:
            return False
        body, reason = chunks[0], head.reason
        if len(body) >= DISTILLED or body[:1] != b"{" or b"\n" in body:
            return False
        if reason is not None and len(reason) >= _SHORTEST:
            return False
        values, named = self._heads.kinds.sort(head.headers)
        values.append(body)
        return not (named or self._may_hold(b"\n".join(values)))

    def exchange(self, exchange: Exchange, answer: Answer) -> tuple[Exchange, Answer]:
        """Both without the secrets of the response; the same objects where it has none."""
        if self._off:
            return exchange, answer
        head, message = exchange.head, exchange.ending.message
        headers = () if head is None else head.headers
        values, named = self._heads.kinds.sort(headers)
        data = answer.data
        values.append(distil(data) if len(data) >= DISTILLED else data)
        alarm = self._may_hold(b"\n".join(values))
        form = not data.startswith(_ANSWER_BEGINS) and bool(self._form_edits(headers)(data))
        if not (alarm or form or named or message or answer.encoded) and (
            head is None or _is_short(head.reason)
        ):
            return exchange, answer
        outer = alarm and self._may_hold(b"\n".join(values[:-1]))
        if head is not None and (named or outer):
            clean = self._heads.headers(headers, named, outer)
            if clean is not headers:
                exchange = replace(exchange, head=replace(head, headers=clean), redacted=True)
        if message is not None and (text := self.error_text(message)) is not message:
            exchange = replace(exchange, ending=replace(exchange.ending, message=text), redacted=True)
        exchange = self._clean_reason(exchange)
        hidden = answer.hidden
        if form:
            exchange, answer = rewritten(exchange, answer, self._form_edits(headers))
        if alarm or hidden:
            exchange, answer = rewritten(exchange, answer, self._edits.answer)
        if answer.encoded and self._may_hold(exchange.body):  # what follows an encoded body, or broke it
            exchange, _ = rewritten(exchange, Answer(exchange.body), self._edits.shapes)
        return exchange, answer

    def _clean_reason(self, exchange: Exchange) -> Exchange:
        head = exchange.head
        if head is None or head.reason is None or _is_short(head.reason):
            return exchange
        reason = settled(head.reason, self._edits.shapes)
        if reason is head.reason:
            return exchange
        return replace(exchange, head=replace(head, reason=reason), redacted=True)

    def suspicious(self, texts: Iterable[str]) -> bool:
        """Whether an assembled text holds a secret, as one that was split over deltas does."""
        if self._off:
            return False
        texts = tuple(texts)
        if not self._rules.patterns and not may_hold(encode("\n".join(texts)), fields=False):
            return False
        return any(self._rules.secrets(encode(text)) for text in texts)

    def suspicious_names(self, texts: Collection[str]) -> bool:
        """The same for names and ids: the usual ids hold none, and of names most come again and again."""
        known = self._known_names
        if known.issuperset(texts):
            return False
        new = [text for text in texts if text not in known and (self._rules.patterns or not _ID.match(text))]
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
        runs = running_strings(answer.data, LOGPROBS)
        joined = (
            b"".join(decode_string(answer.data, leaf.start, leaf.end).text for leaf in run) for run in runs
        )
        return any(map(self._rules.secrets, joined))

    def deltas(self, exchange: Exchange, answer: Answer) -> tuple[Exchange, Answer]:
        """Both without the secrets that deltas make when put together, and without logprobs.

        For where `suspicious` said yes. The first delta with a part of a secret gets the placeholder.
        """
        return (exchange, answer) if self._off else rewritten(exchange, answer, self._edits.deltas)

    def text(self, text: str) -> str:
        """Any text without its secrets; the same object where it has none."""
        return self._cleaned(text, self._edits.shapes)

    def error_text(self, text: str) -> str:
        """The text of an error, in which URLs often stand, without its secrets; the same object where it has none."""
        return self._cleaned(text, self._edits.url)

    def json_text(self, text: str) -> str:
        """JSON text without its secrets, also those that names of fields tell; the same object where it has none."""
        return self._cleaned(text, self._edits.body)

    def is_secret_name(self, name: str) -> bool:
        """Whether the value of a field with this name is secret."""
        return not self._off and self._rules.is_secret_field((name,))

    def _cleaned(self, text: str, edits: Callable[[bytes], list[Edit]]) -> str:
        if self._off:
            return text
        data = encode(text)
        clean = settled(data, edits)
        return text if clean is data else clean.decode("utf-8", "surrogatepass")


def _is_short(reason: bytes | None) -> bool:
    """Whether a status line's reason is too short for a secret."""
    return reason is None or len(reason) < _SHORTEST
