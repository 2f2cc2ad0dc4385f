"""The shapes that give secrets away wherever they stand.

`may_hold` is the quick question, asked of every call; it may say yes for nothing. `shape_spans` is
the exact answer. Whatever `shape_spans` finds, `may_hold` must have said yes to: a prefix added to
the one goes into the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from .secret_names import FIELD_ENDINGS, squash

PLACEHOLDER = b"REDACTED"
Span = tuple[int, int]

_CLOSING_QUOTE = re.compile(r'(?<!\\)(?:\\\\)*(")')
_OPEN_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*(\\(?:u[0-9a-fA-F]{0,3})?)\Z")
_PLACEHOLDER_TEXT = PLACEHOLDER.decode()


class _Shape(NamedTuple):
    """A pattern whose last group, if it has one, is the secret; `holds` has the last word on it.

    Patterns start with literal bytes, since only those are searched for at the speed of memory, and take
    in all that could belong to a secret before `holds` judges it, so that no text is looked at twice.
    """

    pattern: re.Pattern[bytes]
    holds: Callable[[bytes], bool] | None = None


_WORD = re.compile(rb"[A-Z]?[a-z]*|[A-Z]+|[0-9]{1,4}|[A-Za-z0-9]{1,4}")
_DIGIT = re.compile(rb"[0-9]")
_BETWEEN_WORDS = re.compile(rb"[^A-Za-z0-9]+")


def _random(text: bytes) -> bool:
    """Whether a token is no chain of words and short numbers (`learn-based-classifier-2024`)."""
    parts = _BETWEEN_WORDS.split(text)
    if any(len(part) >= 20 for part in parts):
        return True
    return _DIGIT.search(text) is not None and not all(map(_WORD.fullmatch, parts))


def _dotted(text: bytes) -> bool:
    return b"." in text


def _token(prefix: str, tail: str, holds: Callable[[bytes], bool] | None = None) -> _Shape:
    """A token that starts with `prefix` (of fixed width), where no other word or escape runs into it."""
    before = (r"(?<![A-Za-z0-9\\]", r"(?<=\\[nrtbf]", r"(?<=\\u[0-9A-Fa-f]{4}", r"(?<=%[0-9A-Fa-f]{2}")
    boundary = "|".join(f"{text}{prefix})" for text in before)
    return _Shape(re.compile(f"{prefix}(?:{boundary}){tail}".encode()), holds)


_QUOTE = r"(?:\\?[\"'])?"
_VALUE = r"([A-Za-z0-9._~+/%-]{16,}+=*)"
_BREAK = r"(?:[\r\n]|\\++[nr])"

_SHAPES = (
    _token("sk-", r"[\w-]{16,}+", _random),
    _token("csk-", r"[A-Za-z0-9]{20,}+"),
    _token("xai-", r"[A-Za-z0-9]{20,}+"),
    _token("pplx-", r"[A-Za-z0-9]{20,}+"),
    _token("nvapi-", r"[\w-]{20,}+", _random),
    _token("tvly-", r"[\w-]{16,}+", _random),
    _token("gsk_", r"[A-Za-z0-9]{20,}+"),
    _token("hf_", r"[A-Za-z0-9]{20,}+"),
    _token("r8_", r"[A-Za-z0-9]{20,}+"),
    _token("fw_", r"[A-Za-z0-9]{20,}+"),
    _token("vck_", r"[A-Za-z0-9]{20,}+"),
    _token("tgp_v1_", r"[\w-]{20,}+"),
    _token("lsv2_", r"[ps][tk]_[A-Za-z0-9_]{20,}+"),
    _token("AIza", r"[\w-]{30,}+"),
    _token(r"AQ\.", r"Ab[\w-]{20,}+"),
    _token(r"ya29\.", r"(?:[a-z]\.)?[\w-]{20,}+"),
    _token("GOCSPX-", r"[\w-]{16,}+"),
    _token("AKIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _token("ASIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _token("gh[pousr]_", r"[A-Za-z0-9]{20,}+"),
    _token("github_pat_", r"\w{20,}+"),
    _token("glpat-", r"[\w-]{16,}+(?:\.[0-9a-z]{2}\.[0-9a-z]{5,}+)?", _random),
    _token("npm_", r"[A-Za-z0-9]{20,}+"),
    _token("pypi-", r"[\w-]{16,}+", _random),
    _token("xox[abeoprs]-", r"[A-Za-z0-9-]{10,}+", _random),
    _token("xapp-", r"[A-Za-z0-9-]{16,}+", _random),
    _token("sk_", r"(?:live|test|prod)_[A-Za-z0-9]{10,}+"),
    _token("rk_", r"(?:live|test|prod)_[A-Za-z0-9]{10,}+"),
    _token(r"SG\.", r"[\w-]{16,}+\.[\w-]{16,}+"),
    _token("SK", r"[0-9a-f]{32}(?![A-Za-z0-9])"),
    _token(r"hvs\.", r"[\w-]{20,}+"),
    _token("eyJ", r"[\w-]{5,}+(?:\.[\w-]{2,}+(?:\.[\w-]++)++|\.(?:\.[\w-]++){2,}+)?", _dotted),
    _Shape(re.compile(rb"Bearer {1,4}+" + _VALUE.encode()), _random),
    _Shape(
        re.compile(
            rf"rization(?<=[Aa]uthorization){_QUOTE} ?[:=] ?{_QUOTE}(?:[A-Za-z]{{3,12}} +)?{_VALUE}".encode()
        ),
        _random,
    ),
    _Shape(re.compile(rb"://([^\s/?#@\"'<>\\:{}$]*+:[^\s/?#@\"'<>\\{}$,()|]++)@")),
    _Shape(re.compile(rb"hooks\.slack\.com/((?:services|workflows|triggers)/[\w/-]{16,}+)")),
    _Shape(
        re.compile(
            rf"-----BEGIN [A-Z0-9 ]{{0,40}}PRIVATE KEY(?: BLOCK)?-----(?:"
            rf"(?:[A-Za-z0-9+/=\s,.:]++|\\++[nrt/]|-(?!----))*+"
            rf"-----END [A-Z0-9 ]{{0,40}}PRIVATE KEY(?: BLOCK)?-----"
            rf"|{_BREAK}++(?:[A-Z][A-Za-z-]+: [A-Za-z0-9,-]++{_BREAK}++)*+"
            rf"[A-Za-z0-9+/=]{{16,}}+(?:{_BREAK}++[A-Za-z0-9+/=]++)*+)".encode()
        )
    ),
)
_VALUE_OF_NAME = rf"(?: ?=|\\?\":) ?{_QUOTE}([A-Za-z0-9+/_-]{{20,}}+=*)"
_ASSIGNED = tuple(
    re.compile((name + _VALUE_OF_NAME).encode()) for name in ("key", "Key", "KEY", "ken", "KEN")
)
_ASSIGNED_NAMES = tuple(name for name in FIELD_ENDINGS if name.endswith(("key", "token")))
_PARAMETER_VALUE = re.compile(rb"=([A-Za-z0-9._~+/%-]{6,}+=*)")
_LONG_ENOUGH = 16
_LONGEST_URL = 2_048
_IN_URL = re.compile(rb"://[^\s\"'<>]*+\Z")
_PARAMETER_NAME = re.compile(
    rb"(?:[?&;]|u0026)(?:x-(?:amz|goog)-)?(?:(?:access|auth|id|refresh|session|security)[-_]?token|token|api[-_]?key"
    rb"|client[-_]?secret|sig|signature)\Z",
    re.IGNORECASE,
)


def shape_spans(data: bytes) -> list[Span]:
    """The spans of all secrets that show by their shape, in order, those that touch made one."""
    return join_spans(_found(data))


def join_spans(spans: Iterable[Span]) -> list[Span]:
    """Sort spans, and make one of those that touch."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def own_spans(pattern: re.Pattern[str], data: bytes) -> Iterator[Span]:
    """The spans that a pattern of one's own finds: of its first group, if it has one.

    In JSON text a match ends where the string ends that it began in, and never cuts an escape in two.
    """
    text = data.decode("utf-8", "surrogateescape")
    position = seen = offset = 0
    while position <= len(text) and (match := pattern.search(text, position)):
        start, end = match.span(1 if pattern.groups and match[1] is not None else 0)
        position = max(match.end(), match.start() + 1)
        if quote := _CLOSING_QUOTE.search(text, start + 1, end):
            end = quote.start(1)
            position = max(end, match.start() + 1)
        start, end = _whole_escapes(text, start, end)
        if seen <= start < end and text[start:end] not in _PLACEHOLDER_TEXT:
            first = offset + len(text[seen:start].encode("utf-8", "surrogateescape"))
            offset = first + len(text[start:end].encode("utf-8", "surrogateescape"))
            seen = end
            yield first, offset


def _whole_escapes(text: str, start: int, end: int) -> Span:
    """A span that neither starts nor ends within an escape."""
    if cut := _OPEN_ESCAPE.search(text[max(0, start - 64) : start]):
        opened = start - len(cut[1])
        start = opened + (6 if text[opened + 1] == "u" else 2)
    if start < end and (cut := _OPEN_ESCAPE.search(text[max(start, end - 64) : end])):
        opened = end - len(cut[1])
        end = min(len(text), opened + (6 if text[opened + 1 : opened + 2] == "u" else 2))
    return start, end


def _found(data: bytes) -> Iterator[Span]:
    for pattern, holds in _SHAPES:
        for match in pattern.finditer(data):
            group = pattern.groups
            if holds is None or holds(match[group]):
                yield match.span(group)
    for pattern in _ASSIGNED:
        for match in pattern.finditer(data):
            name = squash(data[max(0, match.start() - 24) : match.start() + 3].decode("latin-1"))
            if name.endswith(_ASSIGNED_NAMES) and _DIGIT.search(match[1]) and _random(match[1]):
                yield match.span(1)
    for match in _PARAMETER_VALUE.finditer(data):
        before = data[max(0, match.start() - 32) : match.start()]
        if _PARAMETER_NAME.search(before) and _random(match[1]) and _long_or_in_url(data, match):
            yield match.span(1)


def _long_or_in_url(data: bytes, value: re.Match[bytes]) -> bool:
    """Whether a parameter's value is long, or stands in a URL, where a short one is no less a secret."""
    if len(value[1].rstrip(b"=")) >= _LONG_ENOUGH:
        return True
    end = value.start()
    start = data.rfind(b"://", max(0, end - _LONGEST_URL), end)
    return start >= 0 and _IN_URL.match(data, start, end) is not None


# The quick question is asked of text in lower case with "." as "-", so that one search serves many prefixes.
# Each search begins with a literal, most after a look for a rare character: all else is many times slower. What
# follows a dash, also the full stop of each sentence, begins with a set of characters: that fails in no time.
_FOLDED = bytes(range(256)).lower().translate(bytes.maketrans(b".\t\r\n", b"-   "))
_dash = re.compile(
    rb"-[a-z0-9_-](?:[a-z0-9_-]{9}(?<=[abegikopqrstxy9]-.{10})(?:"
    rb"(?<=(?:xai|plx|ypi|pat|spx|vly|a29|hvs)-.{10})|(?<=(?:sk|sg|aq)-.{10})"
    rb"|(?<=(?:vapi|xapp|xox[abeoprs])-.{10}))|(?<=-c)om/(?:services|workflows|triggers)/|(?<=--)---begin )"
).search
_underscore = re.compile(
    rb"_(?:pat_|v1_|[a-z0-9]{10}(?:(?<=(?:gh[pousr]|gsk|npm|vck|_pt|_sk)_.{10})|(?<=(?:hf|r8|fw)_.{10})"
    rb"|(?<=k_(?:live|test|prod)_.{10})))"
).search
_SECRET_NAME = (
    rb"(?:(?<=[a-z_-]key%b)(?<!cache_key%b)|(?<=(?:cret|word|sswd|rase|tial|ials)%b)|(?<=zation%b)"
    rb"|(?<=oken%b)(?! *\"(?:[^\"\\]|\\.){0,99}+\", *\"logprob))"
)
_field = re.compile(rb"\":(?<=[erwsalo][yntdels]\":)" + _SECRET_NAME.replace(b"%b", rb"\":")).search
_spaced_field = re.compile(rb"\" :" + _SECRET_NAME.replace(b"%b", rb"\" :")).search
_backslash = re.compile(rb"\\(?:/|u00(?:0[9ad]|2[05bdef]|3[0-9ad]|[4-7])|\":(?<=(?:key|ken)\\\":))").search
_ASSIGNMENT = rb"(?:(?<=(?:en|ey|et|ig|re)=)|(?<=(?:en|ey) =)) ?(?:\\?[\"'])?[a-z0-9_~+/%-]{16}"
_NAMED = rb"(?<=(?:key|jwt|pwd|sas|sig|uth|ode)%b)|(?<=(?:oken|cret|word|sswd|rase|tial|ials|ture)%b)"
_PARAMETER = (
    rb"(?<=[]deghlnsty]=)(?:"
    + _NAMED.replace(b"%b", b"=")
    + rb"|(?<=(?:zation|ertion)=)|"
    + _NAMED.replace(b"%b", rb"\]=")
    + rb")[^&;#\s\"]"
)
_equals = re.compile(b"=" + _ASSIGNMENT).search
_parameter = re.compile(b"=" + _PARAMETER).search
_parameters = re.compile(b"=" + _PARAMETER).finditer
_begun = re.compile(rb"(?:[?&;#\"']|u0026)[^\s=?&;#\"'<>(){},]+\Z").search
_LONGEST_NAME: Final = 256
_assignment_or_parameter = re.compile(b"=(?:" + _ASSIGNMENT + b"|(" + _PARAMETER + b"))").search
_encoded = re.compile(
    rb"%[2-7](?:(?<=2)[25de]|(?<=3)[0-9d]|(?<=4)[0-9a-f]|(?<=5)[0-9abdf]|(?<=6)[1-9a-f]|(?<=7)[0-9ae])"
).search
_authorization = re.compile(rb"zation(?:\\?[\"'])? ?[:=]").search
_login = re.compile(rb"://[^\s/@]++@").search
_bearer = re.compile(rb"Bearer {1,4}[A-Za-z0-9._~+/%-]{16}").search
_google_or_aws = re.compile(rb"I(?:za[\w-]{30}|A[A-Z0-9]{16}(?<=A[KS]IA.{16}))").search
_twilio = re.compile(rb"SK[0-9a-f]{32}").search
_jwt = re.compile(rb"eyJ[\w.-]{9}").search
_escape = re.compile(rb"\\(?:/|u00(?:0[9adAD]|2[05bdefBDEF]|3[0-9adAD]|[4-7]))").search


def may_hold(data: bytes, *, fields: bool = True) -> bool:
    """Whether a text may hold a secret, by its shape or, with `fields`, as the value of a JSON field."""
    folded = data.translate(_FOLDED)
    return bool(
        _dash(folded)
        or _underscore(folded)
        or _field(folded)
        or (fields and _spaced_field(folded))
        or (b"\\" in data and _backslash(folded))
        or (b"I" in data and _google_or_aws(data))
        or (b"B" in data and _bearer(data))
        or (b"J" in data and _jwt(data))
        or (b"K" in data and _twilio(data))
        or (b"=" in data and _assigns(data, folded))
        or (b"%" in data and _encodes(data, folded))
        or (b"z" in folded and _authorization(folded))
        or (b"@" in data and _login(folded))
    )


def _assigns(data: bytes, folded: bytes) -> bool:
    """Whether something is assigned that may be a secret; a short value only to a parameter of a URL or a form."""
    found = _assignment_or_parameter(folded)
    if found is None or found.lastindex is None:
        return found is not None
    if _equals(folded) is not None:
        return True
    return (b"&" in data or b"://" in data) and any(
        _begun(folded, max(0, match.start() - _LONGEST_NAME), match.start())
        for match in _parameters(folded, found.start())
    )


def _encodes(data: bytes, folded: bytes) -> bool:
    """Whether some character is percent-encoded; most texts have but a few percent signs, which are found faster."""
    at = -1
    for _ in range(4):
        if (at := data.find(b"%", at + 1)) < 0:
            return False
        if _encoded(folded, at, at + 3):
            return True
    return _encoded(folded, at + 1) is not None


def names_field(data: bytes) -> bool:
    """Whether JSON text may have a field whose name says that its value is secret."""
    folded = data.translate(_FOLDED)
    return bool(_field(folded) or _spaced_field(folded))


def names_parameter(data: bytes) -> bool:
    """Whether a text may have a URL's or a form's parameter whose name says that its value is secret."""
    return b"=" in data and _parameter(data.translate(_FOLDED)) is not None


def encoded(data: bytes) -> bool:
    """Whether a text has a character percent-encoded that a secret, or what gives it away, could be made of."""
    return b"%" in data and _encoded(data.translate(_FOLDED)) is not None


def escaped(data: bytes) -> bool:
    """Whether JSON text spells a character as an escape that a secret, or its name, could be made of."""
    return b"\\" in data and _escape(data) is not None


DISTILLED = 4096
"""From how many bytes on a text is distilled; of less there is nothing to win."""


def distil(data: bytes) -> bytes:
    """The text without what its lines repeat, for `may_hold`: the envelope of a stream's events.

    Nine tenths of a stream are the same opening and closing, line by line. They are cut off up to where
    two lines still agree on a quote, which no secret spans, with some bytes to spare for the names and
    signs around it. One line stays whole.
    """
    if len(data) < DISTILLED:
        return data
    lines = [line for line in data.split(b"\n") if line]
    if len(lines) < 8:
        return data
    first, second = lines[len(lines) // 2 :][:2]
    opening = first[: max(0, first.rfind(b'"', 0, _agreement(first, second)) - 16)]
    agreed = _agreement(first[::-1], second[::-1])
    quote = first.find(b'"', len(first) - agreed) if agreed else -1
    closing = first[quote + 16 :] if quote >= 0 else b""
    start, stop = len(opening), len(closing)
    if not start or not stop:
        return data
    kept = [
        line[start:-stop]
        if line.startswith(opening) and line.endswith(closing) and len(line) > start + stop
        else line
        for line in lines
    ]
    return b"\n".join((first, *kept))


def _agreement(one: bytes, other: bytes) -> int:
    """How many bytes two texts begin with alike."""
    return next(
        (at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right),
        min(len(one), len(other)),
    )
