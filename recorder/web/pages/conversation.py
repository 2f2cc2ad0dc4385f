"""A session or a trace: its calls as a waterfall, with the cost as it adds up."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ...audit.conversation import Conversation, conversation
from ..site import site_of

_LEFT = 0
_WIDTH = 1000


def page(request: Request) -> Response:
    """The page of one session or trace."""
    site, query = site_of(request), request.query_params
    kind = "trace" if query.get("trace") else "session"
    name = query.get(kind, "")
    found = conversation(site.store, {f"{kind}_id": name}, content=site.content)
    return site.render(
        request,
        "conversation.html",
        title=f"{kind.capitalize()} {name[:60]}",
        kind=kind,
        name=name,
        found=found,
        bars=bars(found),
    )


def bars(found: Conversation) -> list[tuple[float, float, float]]:
    """For each turn where its bar begins, how long the wait for the answer is, and how long the whole."""
    scale = _WIDTH / found.length_s if found.length_s > 0 else 0.0
    drawn = []
    for turn in found.turns:
        waited = turn.call["first_token_s"] or turn.call["first_chunk_s"] or 0.0
        whole = max(turn.call["duration_s"] * scale, 3.0)
        begins = min(turn.begins_s * scale, _WIDTH - whole)
        drawn.append((round(max(begins, _LEFT), 1), round(min(waited * scale, whole), 1), round(whole, 1)))
    return drawn
