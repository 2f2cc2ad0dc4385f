"""The shapes that give secrets away wherever they stand.

`shape_spans` is the exact answer to what `secret_alarm.may_hold` asks of every call: a prefix added to the one goes
into the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from .byte_edits import Span
from .secret_names import FIELD_ENDINGS, squash

PLACEHOLDER = b"REDACTED"

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
