"""The quick question whether a text may hold a secret, asked of every call; it may say yes for nothing.

Whatever `secret_shapes.shape_spans` finds, `may_hold` must have said yes to.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

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
    rb"(?<=[a-z_ -]key%b)(?<!cache_key%b)|(?<=(?:cret|word|sswd|rase|tial|ials)%b)|(?<=zation%b)"
    rb"|(?<=oken%b)(?! *\"(?:[^\"\\]|\\.){0,99}+\", *\"logprob)"
)
_OR_VALUE = rb"|(?<=\"value%b)()"


def _ends(name: bytes, end: bytes) -> bytes:
    """A pattern of what ends like this name, and with that end."""
    return b"(?:%b)" % name.replace(b"%b", end)


_field = re.compile(rb"\":" + _ends(_SECRET_NAME, rb"\":")).search
_spaced_field = re.compile(rb"\" :" + _ends(_SECRET_NAME, rb"\" :")).search
_field_or_value = re.compile(
    rb"\":(?<=[ailkors][aelorsuw][delnsty]\":)" + _ends(_SECRET_NAME + _OR_VALUE, rb"\":")
).search
_spaced_field_or_value = re.compile(rb"\" :" + _ends(_SECRET_NAME + _OR_VALUE, rb"\" :")).search
_IS_SECRET_NAME = rb" *+: *+\"(?:[^\"\\]|\\.)*+\"" + _ends(_SECRET_NAME, rb"\"")
_pair_named = re.compile(rb"name\"(?<=\"name\")" + _IS_SECRET_NAME).search
_pair_keyed = re.compile(rb"key\"(?<=\"key\")" + _IS_SECRET_NAME).search
_backslash = re.compile(rb"\\(?:/|u00(?:0[9ad]|2[05bdef]|3[0-9ad]|[4-7])|\":(?<=(?:key|ken)\\\":))").search
_ASSIGNMENT = rb"(?:(?<=(?:en|ey|et|ig|re)=)|(?<=(?:en|ey) =)) ?(?:\\?[\"'])?[a-z0-9_~+/%-]{16}"
_NAMED = (
    rb"(?<=(?:key|jwt|pwd|sas|sig|uth|ode)%b)|(?<=(?:oken|cret|word|sswd|rase|tial|ials|ture)%b)"
    rb"|(?<=(?:zation|ertion)%b)"
)
_BRACKETS = (rb"\]", rb"\[\]", rb"\]\[\]", rb"\[\d\]", rb"\]\[\d\]", rb"\[\d\d\]", rb"\]\[\d\d\]")
_IN_BRACKETS = b"|".join(_NAMED.replace(b"%b", brackets + b"%b") for brackets in _BRACKETS)
_PARAMETER = (
    rb"(?<=[]deghlnsty]=)" + _ends(_NAMED + rb"|(?<=\]=)(?:" + _IN_BRACKETS + b")", b"=") + rb"[^&;#\s\"]"
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
        or ((found := _field_or_value(folded)) is not None and _names(folded, found, _field))
        or (
            fields
            and (found := _spaced_field_or_value(folded)) is not None
            and _names(folded, found, _spaced_field)
        )
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


def _names(
    folded: bytes, found: re.Match[bytes], field: Callable[[bytes, int], re.Match[bytes] | None]
) -> bool:
    """Whether what was found is a field with a secret name, or a `value` and there is a secret name somewhere."""
    return found.lastindex is None or field(folded, found.end()) is not None or _names_pair(folded)


def _names_pair(folded: bytes) -> bool:
    """Whether some object has a `name` or `key` that says so."""
    return bool(_pair_named(folded) or _pair_keyed(folded))


def names_pair(data: bytes) -> bool:
    """Whether JSON text may have an object such as `{"name": "API_KEY", "value": "…"}`."""
    return b'"value' in data and _names_pair(data.translate(_FOLDED))


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
