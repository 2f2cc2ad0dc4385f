"""A tree in vcrpy's format, replayed where it lies and never written: its file names, options and matching."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from ..cassettes.matching import Matching, Rule
from ..cassettes.source import Change, Recorded
from ..errors import CassetteError, RecorderWarning
from ..exchange import Exchange, Request
from ..redact import Redactor
from ..settings import RedactionRules
from . import vcrpy
from .formats import import_file
from .imported import Imported, Note
from .vcr_config import VcrConfig
from .vcr_persister import read_by_persister
from .vcr_request import VcrRequest, to_vcr

_SAME = ("method", "scheme", "host", "port")
"""Rules that vcrpy's imply, where no filter changes what is compared; they narrow the search."""
_FORBIDDEN = re.compile(r"[<>?%*:|\"'/\\]")


def cassette_name(
    test: str, class_name: str | None = None, *, serializer: str = ".yaml", longest: int | None = None
) -> str:
    """The name, without suffix, that pytest-recording gives the cassette of a test.

    `test` is the item's name with its parameters (`test_it[a-1]`), `class_name` that of its class.
    `serializer` is the option of that name, `longest` the file system's limit (default: the one here).
    """
    name = _FORBIDDEN.sub("-", f"{class_name}.{test}" if class_name else test)
    longest = longest or _name_max()
    if len(name) + len(serializer) <= longest:
        return name
    digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return f"{name[: longest - len(serializer) - len(digest) - 3]}...{digest}"


class VcrCassette:
    """A `CassetteSource` over a file that vcrpy wrote, and further ones that are only read.

    `config` are vcrpy's options; use its `matching` and `repeat` with it. `redact` is as the Recorder or
    cassette has it that asks, since requests are compared without their secrets; responses play as they
    stand. What could not be read is in `notes` once it is loaded.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        extra_paths: Sequence[str | os.PathLike[str]] = (),
        config: VcrConfig | None = None,
        *,
        redact: RedactionRules | bool = True,
    ) -> None:
        self._config = config or VcrConfig()
        self._path = Path(self._config.path(path))
        self._extra = tuple(Path(extra) for extra in extra_paths)
        self._redactor = Redactor(RedactionRules() if redact is True else redact or None)
        self.notes: tuple[Note | str, ...] = self._config.notes

    @property
    def name(self) -> str:
        return str(self._path)

    @property
    def matching(self) -> Matching:
        """vcrpy's `match_on`, for the session that plays this."""
        return Matching(match=match_on(self._config))

    @property
    def repeat(self) -> Literal["error", "last"]:
        """What answers a request that is asked more often than it was recorded."""
        return "last" if self._config.allow_playback_repeats else "error"

    def ignores(self, request: Request) -> bool:
        """Whether the options leave such a request to the network (`ignore_hosts` and the like)."""
        return self._config.ignores(request)

    def load(self) -> tuple[Recorded, ...] | None:
        """The recordings of all files, in their order; None where no file has any.

        Warns of those that cannot be played; raises CassetteError where none can, or a file cannot be read.
        """
        files = [self._read(path) for path in dict.fromkeys((self._path, *self._extra)) if _is_there(path)]
        lost = [str(note) for read in files for note in read.lost]
        if not any(read.exchanges for read in files):
            if lost:
                raise CassetteError(f"no recording can be played of {lost[0]}; record it anew")
            return None
        if lost:
            more = f", and {len(lost) - 1} more" if len(lost) > 1 else ""
            warnings.warn(RecorderWarning(f"a recording cannot be played: {lost[0]}{more}"), stacklevel=2)
        self.notes = (*self._config.notes, *(note for read in files for note in read.notes))
        played = [made for read in files for exchange in read.exchanges if (made := self._played(exchange))]
        return tuple(Recorded(exchange, "") for exchange in self._first_ones(played))

    def save(self, recordings: Sequence[Recorded]) -> None:
        raise CassetteError(
            f"{self.name} is in vcrpy's format, which is only read; to record, import it first: "
            f"recorder cassette import {shlex.quote(self.name)}"
        )

    def update(self, change: Change) -> None:
        self.save(())

    def _read(self, path: Path) -> Imported:
        if self._config.persister is not None:
            return read_by_persister(self._config.persister, path, self._config.serializer)
        if self._config.serializer is None:
            return import_file(path)
        try:
            data = self._config.serializer.deserialize(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CassetteError(f"{path} cannot be read by its serializer: {error}") from error
        return vcrpy.read(data, str(path))

    def _played(self, exchange: Exchange) -> Exchange | None:
        if (loaded := self._config.loaded(exchange)) is None:
            return None
        exchange = loaded
        return self._config.recorded(replace(exchange, request=self._redactor.request(exchange.request)))

    def _first_ones(self, exchanges: list[Exchange]) -> list[Exchange]:
        """All, or where recordings may repeat the first of those that match, since vcrpy then plays it only."""
        if not self._config.allow_playback_repeats:
            return exchanges
        rule = VcrRule(self._config)
        kept: list[Exchange] = []
        for exchange in exchanges:
            if not any(rule.accepts(exchange.request, earlier.request) for earlier in kept):
                kept.append(exchange)
        return kept


def match_on(config: VcrConfig) -> tuple[Rule, ...]:
    """vcrpy's `match_on` as rules of ours."""
    implied = [name for name, _ in config.matchers if name in _SAME]
    return (*(() if config.request_hooks else implied), VcrRule(config))


class VcrRule:
    """vcrpy's `match_on` as one matcher of ours; filters run on what is asked, as they ran on what is recorded."""

    __name__ = "match_on"

    def __init__(self, config: VcrConfig) -> None:
        self._config = config
        self._asked: tuple[Request, VcrRequest | None] | None = None
        self._recorded: dict[int, tuple[Request, VcrRequest]] = {}

    def __call__(self, asked: Request, recorded: Request) -> bool:
        """Raises AssertionError with what differs."""
        if (mine := self._filtered(asked)) is None:
            return False
        theirs = self._recorded.setdefault(id(recorded), (recorded, to_vcr(recorded)))[1]
        for name, matcher in self._config.matchers:
            try:
                if matcher(mine, theirs) not in (None, True):
                    raise AssertionError("they differ")
            except AssertionError as error:
                raise AssertionError(f"{name}: {error}") from None
        return True

    def accepts(self, asked: Request, recorded: Request) -> bool:
        """Whether they match."""
        try:
            return self(asked, recorded)
        except AssertionError:
            return False

    def _filtered(self, asked: Request) -> VcrRequest | None:
        known = self._asked
        if known is None or known[0] is not asked:
            known = self._asked = asked, self._config.filtered(asked)
        return known[1]


def _is_there(path: Path) -> bool:
    """Whether there is such a file with something in it; an empty one counts as none, as for vcrpy."""
    return path.is_file() and bool(path.read_bytes().strip())


def _name_max() -> int:
    try:
        return os.pathconf(".", "PC_NAME_MAX")
    except (AttributeError, ValueError, OSError):
        return 255
