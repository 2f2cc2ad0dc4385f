"""Sending recorded requests again, one after another, until all are answered or the budget is used."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import typer

from ..errors import SettingsError
from .cassette_plan import Plan, Resend
from .progress import progress

if TYPE_CHECKING:
    import httpx

    from ..exchange import Exchange, Headers, Phase, Request
    from ..interchange.answer_drift import AnswerDrift

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_NAME = re.compile(r"[!#$%&'*+.^`|~\w-]+", re.ASCII)
_ENOUGH = 3
_REFUSED = (401, 403)
_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of one recording: how the live answer differs, or why nothing was sent.

    `failed` says that nobody answered, or that the credentials were refused.
    """

    number: int
    method: str
    url: str
    model: str | None
    drift: tuple[AnswerDrift, ...] = ()
    cost: Decimal | None = None
    failed: bool = False
    not_sent: str | None = None

    def plain(self) -> dict[str, Any]:
        """For JSON output."""
        return {
            "number": self.number,
            "method": self.method,
            "url": self.url,
            "model": self.model,
            "drift": [{"what": each.what, "change": each.change} for each in self.drift],
            "cost_usd": None if self.cost is None else float(self.cost),
            "not_sent": self.not_sent,
        }


def credentials(api_key_env: str | None, headers: Sequence[str]) -> Headers:
    """The headers to send, with variables filled in; raises SettingsError for one that is not set."""
    found = []
    if api_key_env is not None:
        found.append((b"Authorization", b"Bearer " + _variable(api_key_env).encode("latin-1", "replace")))
    for text in headers:
        name, colon, value = text.partition(":")
        if not colon or not _NAME.fullmatch(name.strip()):
            raise typer.BadParameter(f"{text!r} is not NAME: VALUE", param_hint="--header")
        filled = _VARIABLE.sub(lambda match: _variable(match[1] or match[2]), value.strip())
        found.append((name.strip().encode(), filled.encode("latin-1", "replace")))
    return tuple(found)


def verify_live(
    plan: Plan, *, budget: float | None, max_calls: int | None, timeout_s: float, text: bool
) -> list[Verified]:
    """Send all that the limits allow, and compare; nothing of the answers is kept."""
    import httpx

    limits = _Limits(plan, budget, max_calls)
    verified: list[Verified] = []
    try:
        with httpx.Client(timeout=timeout_s) as client, progress("verifying") as advance:
            for done, resend in enumerate(plan.resends):
                advance(done, len(plan.resends))
                why = limits.refuse(resend)
                verified.append(
                    _verified(resend, not_sent=why) if why else _verify(client, resend, limits, text)
                )
                limits.see(verified[-1])
    except KeyboardInterrupt:  # what was paid for already is still reported
        rest = plan.resends[len(verified) :]
        verified += [_verified(resend, not_sent="it was interrupted") for resend in rest]
    return verified


class _Limits:
    """Counts calls and dollars; refuses what would go beyond."""

    def __init__(self, plan: Plan, budget: float | None, max_calls: int | None) -> None:
        self._price = plan.price
        self._budget = None if budget is None else Decimal(str(budget))
        self._max_calls = max_calls
        self._calls = 0
        self._spent = Decimal(0)
        self._failures = 0

    def refuse(self, resend: Resend) -> str | None:
        """Why this one is not to be sent."""
        if self._failures == _ENOUGH:
            return f"{_ENOUGH} in a row got no answer, or were refused their credentials"
        if self._max_calls is not None and self._calls >= self._max_calls:
            return f"--max-calls {self._max_calls} is reached"
        expected = self.cost(resend.call, resend.entry.url) or Decimal(0)
        if self._budget is not None and self._spent + expected > self._budget:
            return f"the budget of ${self._budget} would be exceeded"
        return None

    def cost(self, call: Any, url: str) -> Decimal | None:
        """What a call cost, or would."""
        return None if self._price is None else self._price(call, url)

    def see(self, verified: Verified) -> None:
        """What became of one; the same failure again and again is not worth the rest."""
        if not verified.not_sent:
            self._failures = self._failures + 1 if verified.failed else 0

    def add(self, cost: Decimal | None) -> None:
        """One call more was sent."""
        self._calls += 1
        self._spent += cost or Decimal(0)


def _verify(client: httpx.Client, resend: Resend, limits: _Limits, text: bool) -> Verified:
    from ..interchange.answer_drift import answer_drift
    from ..interchange.meaning import read_ended
    from ..redact import Redactor
    from ..settings import RedactionRules

    ended = read_ended(_send(client, resend.request), redactor=Redactor(RedactionRules()))
    live = ended.exchange, ended.call
    known = limits.cost(live[1], resend.entry.url)
    cost = limits.cost(resend.call, resend.entry.url) if known is None else known
    limits.add(cost)
    drift = answer_drift((resend.recorded, resend.call), live, text=text)
    failed = live[1].http_status in (None, *_REFUSED)
    return _verified(resend, drift=tuple(drift), cost=cost, failed=failed)


def _verified(resend: Resend, **changes: Any) -> Verified:
    entry = resend.entry
    return Verified(entry.number, entry.method, resend.request.url, entry.request_model, **changes)


def _send(client: httpx.Client, request: Request) -> Exchange:
    """Send a request and read its answer to the end, however that is."""
    import httpx

    from ..capture import Capture

    ended: list[Exchange] = []
    capture = Capture(request, time.time_ns() // 1000, ended.append)
    phase: Phase = "request"
    try:
        sent = client.build_request(
            request.method, request.url, headers=list(request.headers), content=request.body
        )
        with closing(client.send(sent, stream=True)) as response:
            version = response.http_version.encode()
            capture.receive_head(response.status_code, tuple(response.headers.raw), version)
            phase = "response"
            size = 0
            for chunk in response.iter_raw():
                capture.receive(chunk)
                size += len(chunk)
                if size > _MOST_BYTES:
                    break
            else:
                capture.complete()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        capture.fail(error, phase)
    capture.close()
    return ended[0]


def _variable(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise SettingsError(f"${name} is not set; it should hold what is sent to the provider")
    return value
