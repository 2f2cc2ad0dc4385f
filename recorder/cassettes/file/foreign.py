"""Tells files that are no cassettes of recorder, and what they are instead."""

from __future__ import annotations

import re
import shlex

from ..source import ForeignCassette

_OURS = re.compile(r"^[\"']?recorder_cassette[\"']?:", re.MULTILINE)
_HEAD = 4096
_KEYS = {
    "http_interactions": "a cassette of ruby VCR or betamax",
    "interactions": "a cassette of vcrpy or pytest-recording",
    "requests": "a cassette of vcrpy",
    "entries": "a HAR file",
}


def refuse_foreign(text: str, preamble: str, name: str) -> None:
    """Raise ForeignCassette for a file that does not begin with `preamble`, as ours do, not even with half of it."""
    if text.startswith(preamble) or _OURS.search(text, 0, _HEAD) or preamble.startswith(text.rstrip()):
        return
    for key, what in _KEYS.items():
        if _has(text, key):
            raise ForeignCassette(
                f"{name}:1: this is {what}; play it where it lies with recorder.vcr_cassette({name!r}), or carry it "
                f"over with: recorder cassette import {shlex.quote(name)}"
            )
    begins = preamble.splitlines()[-1]
    raise ForeignCassette(f"{name}:1: this is no cassette of recorder, which begins with `{begins}`")


def _has(text: str, key: str) -> bool:
    """Whether a document has this key: of YAML only at the top, of JSON anywhere."""
    if text.lstrip().startswith(("{", "[")):
        return f'"{key}":' in text
    return re.search(rf"^{key}:", text, re.MULTILINE) is not None
