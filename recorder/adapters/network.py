"""Shuts the network: no socket connects to another machine while it is shut."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..errors import CassetteMiss, SettingsError
from .hosts import is_loopback

_INTERNET = (socket.AF_INET, socket.AF_INET6)

_lock = threading.RLock()
_blocks: list[_Block] = []
_patched: dict[tuple[Any, str], tuple[Any, Any]] = {}
_names: dict[str, str] = {}
"""The name that each address was looked up by."""


@contextmanager
def block_network(
    allowed: Sequence[str] = (),
    on_refused: Callable[[str], object] | None = None,
    error: Callable[[str], BaseException] = CassetteMiss,
    *,
    this_machine: bool = True,
) -> Iterator[None]:
    """Refuse connections and look-ups of names while the block lasts, with an `error` whose text names the host.

    Unix sockets stay open, and `this_machine` unless that is False. `allowed` are regular expressions for the
    names or addresses of further hosts, each for the whole of it. `on_refused` gets the text of each refusal,
    since the code that was refused may swallow it. Blocks may be nested: a host must then be allowed by each.
    Raises SettingsError for what is no regular expression. Loops that do not use Python's sockets, such as
    uvloop's, are not seen.
    """
    block = _Block((allowed,) if isinstance(allowed, str) else allowed, on_refused, error, this_machine)
    _shut(block)
    try:
        yield
    finally:
        _open(block)


class _Block:
    """One use of `block_network`."""

    def __init__(
        self,
        allowed: Sequence[str],
        on_refused: Callable[[str], object] | None,
        error: Callable[[str], BaseException],
        this_machine: bool,
    ) -> None:
        self.on_refused = on_refused
        self.error = error
        self._this_machine = this_machine
        try:
            self._rules = [re.compile(each, re.IGNORECASE) for each in allowed]
        except re.error as wrong:
            raise SettingsError(f"{wrong.pattern!r} is no regular expression for hosts: {wrong}") from wrong

    def allows(self, name: str, host: str) -> bool:
        if self._this_machine and is_loopback(host):
            return True
        return any(rule.fullmatch(each) for rule in self._rules for each in (name, host))


def _shut(block: _Block) -> None:
    with _lock:
        _blocks.append(block)
        if len(_blocks) > 1:
            return
        _patch(socket, "getaddrinfo", _looking_up)
        for name in ("connect", "connect_ex"):
            _patch(socket.socket, name, _connecting)


def _open(block: _Block) -> None:
    with _lock:
        _blocks.remove(block)
        if _blocks:
            return
        for (home, name), (original, ours) in _patched.items():
            if home.__dict__.get(name) is not ours:  # somebody patched on top, and calls on through ours
                continue
            if original is None:  # inherited from the C class
                delattr(home, name)
            else:
                setattr(home, name, original)
        _patched.clear()
        _names.clear()


def _patch(home: Any, name: str, watching: Callable[[Any], Any]) -> None:
    ours = watching(getattr(home, name))
    _patched[home, name] = home.__dict__.get(name), ours
    setattr(home, name, ours)


def _connecting(original: Callable[..., Any]) -> Any:
    def connect(self: socket.socket, address: Any) -> Any:
        if _blocks and self.family in _INTERNET:
            _refuse_unless_allowed(str(address[0]), address[1])
        return original(self, address)

    return connect


def _looking_up(original: Callable[..., Any]) -> Any:
    def getaddrinfo(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        if not _blocks or name is None or _is_address(name) or name == socket.gethostname():
            return original(host, port, *arguments, **options)
        if not is_loopback(name):  # which is known without asking anyone
            _refuse_unless_allowed(name, port)
        found = original(host, port, *arguments, **options)
        for *_, address in found:
            _names[str(address[0])] = name
        return found

    return getaddrinfo


def _refuse_unless_allowed(host: str, port: Any) -> None:
    name = _names.get(host, host)
    refusing = [block for block in tuple(_blocks) if not block.allows(name, host)]
    if not refusing:
        return
    text = (
        f"the network is blocked, and something was about to connect to {name}, port {port}; "
        f"play the call from a cassette, mock it, or allow the host as {re.escape(name)!r}"
    )
    for block in refusing:
        if block.on_refused is not None:
            block.on_refused(text)
    raise refusing[0].error(text)


def _is_address(host: str) -> bool:
    for family in _INTERNET:
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except (OSError, ValueError):
            continue
        return True
    return False
