"""What a variant changes of a recording, by name, and whether it can."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TypedDict

from msgspec import Struct

from ..capture import qualified_name
from ..errors import SettingsError
from .chunking import Rechunk, check_rechunk

MESSAGES = {
    "CloseError": "the connection could not be closed",
    "ConnectError": "[Errno 111] Connection refused",
    "ConnectTimeout": "timed out",
    "DecodingError": "Error -3 while decompressing data: incorrect header check",
    "LocalProtocolError": "Too little data for declared Content-Length",
    "NetworkError": "[Errno 101] Network is unreachable",
    "PoolTimeout": "timed out waiting for a free connection",
    "ProtocolError": "illegal message",
    "ProxyError": "502 Bad Gateway",
    "ReadError": "[Errno 104] Connection reset by peer",
    "ReadTimeout": "The read operation timed out",
    "RemoteProtocolError": "peer closed connection without sending complete message body (incomplete chunked read)",
    "RequestError": "the request failed",
    "TimeoutException": "timed out",
    "TooManyRedirects": "Exceeded maximum allowed redirects.",
    "TransportError": "the transport failed",
    "UnsupportedProtocol": "Request URL has an unsupported protocol",
    "WriteError": "[Errno 32] Broken pipe",
    "WriteTimeout": "The write operation timed out",
}
"""What a transport of httpx or httpx2 can raise, with what it then says."""

_ONLY_BEFORE = (
    "ConnectError",
    "ConnectTimeout",
    "PoolTimeout",
    "ProxyError",
    "TooManyRedirects",
    "UnsupportedProtocol",
)
CUTS = ("fail_after_chunk", "fail_after_event", "close_after_chunk", "close_after_event")


class Changes(TypedDict, total=False):
    """What `vary` can change, by name.

    `fail_after_chunk` and `fail_after_event` raise `error` (default `ReadError`) after so many chunks or
    events of the body; `error` alone raises it before the response. It is the name of an exception of
    httpx, which comes as the calling library's own, or any exception class; `message` is its text.
    `close_after_chunk` and `close_after_event` end the body there without an error, as servers do that die
    politely. `status`, `headers` and `body` replace those of the answer; a status of 400 and more gets an
    error body of the usual form where none is given. `retry_after` is the header of that name, in seconds.
    `rechunk` splits the body otherwise: "byte", "event", "one", ("bytes", n), or a number that seeds
    random splits, also inside characters and field names.
    """

    fail_after_chunk: int
    fail_after_event: int
    close_after_chunk: int
    close_after_event: int
    error: str | type[Exception]
    message: str
    status: int
    headers: Mapping[str, str]
    body: bytes | str | Mapping[str, object]
    retry_after: float | str
    rechunk: Rechunk


class Variation(Struct, frozen=True, kw_only=True):
    """Checked `Changes`; raises SettingsError for those that no exchange can have."""

    fail_after_chunk: int | None = None
    fail_after_event: int | None = None
    close_after_chunk: int | None = None
    close_after_event: int | None = None
    error: str | type[Exception] | None = None
    message: str | None = None
    status: int | None = None
    headers: Mapping[str, str] | None = None
    body: bytes | str | Mapping[str, object] | None = None
    retry_after: float | str | None = None
    rechunk: Rechunk | None = None

    def __post_init__(self) -> None:
        given = self.given()
        if not given:
            raise SettingsError(f"a variant changes something: {', '.join(self.__struct_fields__)}")
        cuts = [name for name in CUTS if name in given]
        if len(cuts) > 1:
            raise SettingsError(f"{' and '.join(cuts)} exclude each other; choose one")
        for name in cuts:
            value = given[name]
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise SettingsError(f"{name}={value!r} is no count; it is 0 or more")
        self._check_error(cuts)
        if self.status is not None and (not isinstance(self.status, int) or not 200 <= self.status <= 599):
            raise SettingsError(f"status={self.status!r} is no status of an answer; it is 200 to 599")
        if self.rechunk is not None:
            check_rechunk(self.rechunk)

    def given(self) -> dict[str, object]:
        """What is to be changed."""
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in values.items() if value is not None}

    def _check_error(self, cuts: list[str]) -> None:
        fails = bool(cuts) and cuts[0].startswith("fail")
        if self.error is not None:
            name = exception_name(self.error).rpartition(".")[2]
            if cuts and not fails:
                raise SettingsError(
                    f"{cuts[0]} ends the answer without an error; to raise {name}, use fail_after_…"
                )
            if cuts and name in _ONLY_BEFORE:
                raise SettingsError(
                    f"{name} comes before a response only; leave out {cuts[0]}, or use ReadError or ReadTimeout"
                )
        elif self.message is not None and not fails and (self.status or 200) < 400:
            raise SettingsError("message is the text of an error; give error, fail_after_… or status too")
        if self.error is not None and not cuts and (answer := self.given().keys() - {"error", "message"}):
            raise SettingsError(
                f"an error before the response leaves no answer to change by {', '.join(sorted(answer))}; "
                "fail_after_chunk=0 lets the head through"
            )


def variation(changes: Changes) -> Variation:
    """The checked form; raises SettingsError, also for a name that is not known."""
    if unknown := changes.keys() - set(Variation.__struct_fields__):
        raise SettingsError(
            f"{', '.join(sorted(unknown))} is nothing that a variant changes; "
            f"it changes {', '.join(Variation.__struct_fields__)}"
        )
    return Variation(**changes)


def exception_name(error: str | type[BaseException]) -> str:
    """The qualified name of an exception class, or of one of httpx by its bare name.

    Raises SettingsError for one that no transport raises, or that a replay cannot make again.
    """
    name = qualified_name(error) if isinstance(error, type) else error
    if not isinstance(name, str):
        raise SettingsError(f"error={error!r} is neither an exception class nor the name of one of httpx")
    module, _, bare = name.rpartition(".")
    if isinstance(error, type) and module.partition(".")[0] not in ("httpx", "httpx2"):
        if not _can_be_made(error, module, bare):
            raise SettingsError(
                f"error={name} cannot be raised by a replay: "
                "it must be an Exception that its module shows and that is made from its text alone"
            )
        return name
    if bare in MESSAGES:
        return f"httpx.{bare}"
    raise SettingsError(
        f"error={name!r} is not what a transport of httpx raises; "
        f"it is one of {', '.join(MESSAGES)}, or an exception class of elsewhere"
    )


def _can_be_made(error: type[BaseException], module: str, name: str) -> bool:
    if not issubclass(error, Exception) or getattr(sys.modules.get(module), name, None) is not error:
        return False
    try:
        error("")
    except TypeError:
        return False
    return True
