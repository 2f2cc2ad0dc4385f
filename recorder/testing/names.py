"""Which file belongs to which test: `<folder>/cassettes/<module>/<test>.yaml`, and no file to two."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

SUFFIXES = (".yaml", ".yml", ".json")
_LONG = 120
_DISLIKED = re.compile(r"[<>?%*:|\"'/\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_LONGEST = (
    180  # bytes; the limit of most file systems is 255, and `.yaml`, `.rej` and temporary names come on top
)


@lru_cache(maxsize=4096)  # asked for while tests are collected, and several times for each
def file_name(test: str) -> str:
    """The name of a test's file without suffix: the test's own, as far as file systems like it.

    What they dislike becomes `-`, a secret among the parameters `REDACTED`, too much is cut off, and where any of
    that happened a digest of the whole name follows, so that two tests never share a file.
    """
    liked = _DISLIKED.sub("-", _without_secrets(test))
    if liked.endswith((".", " ")):
        liked = f"{liked[:-1]}-"
    raw = liked.encode()
    if liked == test and len(raw) <= _LONGEST:
        return liked
    return hashed_name(test)


@lru_cache(maxsize=4096)
def hashed_name(test: str) -> str:
    """The name of a test's file with the digest, whether it needs one or not."""
    liked = _DISLIKED.sub("-", _without_secrets(test)).encode()[:_LONGEST].decode(errors="ignore")
    digest = blake2b(test.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()
    return f"{liked}-{digest}"


def _without_secrets(test: str) -> str:
    if "[" not in test:
        return test
    from ..secret_shapes import PLACEHOLDER, join_spans, shape_spans  # many patterns, and few tests need them

    clean, at = b"", 0
    data = test.encode("utf-8", "surrogatepass")
    for start, end in join_spans(shape_spans(data)):
        clean, at = clean + data[at:start] + PLACEHOLDER, end
    return (clean + data[at:]).decode("utf-8", "surrogatepass") if at else test


def foreign_name(test: str) -> str:
    """The name that pytest-recording gives the same test's file, if it is not too long."""
    return re.sub(r"[<>?%*:|\"'/\\]", "-", test)


def foreign_file_name(test: str, kind: type | None, suffix: str = ".yaml") -> str:
    """The name that pytest-recording gives a test's file, without suffix, however long it is."""
    name = foreign_name(f"{kind.__name__}.{test}" if kind else test)
    if len(name) <= _LONG:
        return name
    from ..interchange.vcr_tree import cassette_name  # heavy, and few names need it

    return cassette_name(test, kind.__name__ if kind else None, serializer=suffix)


def with_suffix(name: str) -> str:
    """The name as it is if it ends like a cassette, else with `.yaml`."""
    return name if name.endswith(SUFFIXES) else f"{name}.yaml"


class Names:
    """The names of one folder's tests.

    Where two tests would get names that differ in case only, which is one file on some systems, both
    get the digest; a file that lies there already is found again, with the digest or without, however
    many of them are run.
    """

    def __init__(self) -> None:
        self._seen: defaultdict[tuple[Path, str], set[str]] = defaultdict(set)

    def collected(self, folder: Path, test: str) -> None:
        """Note a test, before any file is asked for."""
        self._seen[folder, file_name(test).casefold()].add(test)

    def file(self, folder: Path, test: str) -> Path:
        """The file of a test's cassette in this folder."""
        clash = len(self._seen[folder, file_name(test).casefold()]) > 1
        plain, hashed = folder / f"{file_name(test)}.yaml", folder / f"{hashed_name(test)}.yaml"
        if hashed.exists():
            return hashed
        former = folder / f"{_DISLIKED.sub('-', test)}.yaml"
        if not plain.exists() and plain == hashed and len(former.name) <= _LONGEST and _lies(former):
            return former  # a name with a secret in it, from before these were hidden
        return hashed if clash and not _lies(plain) else plain


def _lies(file: Path) -> bool:
    """Whether there is a file of exactly this name, also where file systems see none but the letters."""
    return file.exists() and file.name in os.listdir(file.parent)
