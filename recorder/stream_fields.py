"""What streams say beside what a dialect puts together: told from the names of their fields."""

from __future__ import annotations

import re

from .secret_alarm import distil

_TEXTS = re.compile(rb'"([A-Za-z_][A-Za-z0-9_-]*)"\s*:\s*(?:\[\s*)?"')
_USUAL = frozenset(
    b"id object created model system_fingerprint service_tier choices index delta role content reasoning_content "
    b"reasoning refusal tool_calls function name arguments type finish_reason native_finish_reason logprobs token "
    b"stop_reason matched_stop provider obfuscation p data format severity".split()
)
_IN_DETAILS = frozenset((b"text", b"summary", b"signature"))


def says_more(data: bytes) -> bool:
    """Whether a stream has texts in fields that no dialect assembles, in which a secret could stand in pieces."""
    known = _USUAL | _IN_DETAILS if b'"reasoning_details"' in data else _USUAL
    return not known.issuperset(_TEXTS.findall(distil(data)))
