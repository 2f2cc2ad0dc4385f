"""Tool calls of an answer, whole or in pieces."""

from __future__ import annotations

import json
from typing import Any

from ...call import ToolCall


def read_tool_calls(value: Any, notes: list[str]) -> tuple[ToolCall, ...]:
    """The tool calls of a whole message, one for each element."""
    if value is None:
        return ()
    value = as_pieces(value)
    if not isinstance(value, list):
        notes.append("tool_calls is not a list")
        return ()
    drafts = [ToolDraft(piece) for piece in value if isinstance(piece, dict)]
    if len(drafts) < len(value):
        notes.append("a tool call is not an object")
    return tuple(draft.finish() for draft in drafts)


def as_pieces(value: Any) -> Any:
    """The same as a list, where it is one call or piece alone (TGI before version 3, iFlytek's Spark)."""
    return [value] if isinstance(value, dict) and isinstance(value.get("function"), dict) else value


def read_function_call(value: Any) -> ToolCall | None:
    """The legacy function call of a whole message; None where it is empty, as some gateways send it."""
    return join_function_call([value]) if isinstance(value, dict) else None


def join_function_call(pieces: list[dict[str, Any]]) -> ToolCall | None:
    """The legacy function call that pieces amount to."""
    if not pieces:
        return None
    draft = ToolDraft({"function": pieces[0]})
    for piece in pieces[1:]:
        draft.extend({"function": piece})
    call = draft.finish()
    return call if call.name or call.arguments else None


def join_tool_calls(deltas: list[list[Any]], notes: list[str]) -> tuple[ToolCall, ...]:
    """The tool calls that a choice's deltas amount to, in the order of their indexes.

    Which call a piece belongs to is told by `index`, else by `id`, else it continues the last one.
    A new id together with a name starts a call even at an index that is taken (some providers send
    every whole call at index 0); a new id without a name does not (old vLLM invents one for every
    piece). Two pieces of one delta never belong together, if the second is named, unless they share an id
    and the first is not whole yet; nor do two names at one id once the arguments of the first are whole.
    """
    drafts: list[ToolDraft] = []
    for delta in deltas:
        if drafts and len(delta) == 1 and drafts[-1].takes(delta[0]):
            continue
        touched: list[ToolDraft] = []
        for piece in delta:
            if not isinstance(piece, dict):
                notes.append("a tool call is not an object")
                continue
            draft = _continued(drafts, touched, piece)
            if draft is None:
                draft = ToolDraft(piece)
                drafts.append(draft)
            else:
                draft.extend(piece)
            touched.append(draft)
    if all(draft.index is not None for draft in drafts):
        drafts.sort(key=lambda draft: draft.index or 0)
    return tuple(draft.finish() for draft in drafts)


def _continued(drafts: list[ToolDraft], touched: list[ToolDraft], piece: dict[str, Any]) -> ToolDraft | None:
    """The call that a piece continues; None where it starts one."""
    index, id = _index(piece), _text(piece.get("id"))
    _, name, arguments = _function(piece)
    if index is not None:
        draft = next((draft for draft in reversed(drafts) if draft.index == index), None)
    elif id:
        late = [draft for draft in drafts[-1:] if draft.id is None and not name]
        draft = next((draft for draft in reversed(drafts) if draft.id == id), late[0] if late else None)
    else:
        draft = drafts[-1] if drafts else None
    if draft is None or not name:
        return draft
    if id and id == draft.id:  # Mistral once named every call "null"
        another = draft.name != name or (bool(arguments) and draft in touched)
        return None if another and draft.whole() else draft
    if (id and draft.id) or draft in touched or (draft.arguments and draft.name != name):
        return None
    return None if arguments and draft.whole() else draft


class ToolDraft:
    """A tool call while its pieces come in."""

    __slots__ = ("arguments", "id", "index", "name", "type")

    def __init__(self, piece: dict[str, Any]) -> None:
        self.index = _index(piece)
        self.id: str | None = None
        self.name: str | None = None
        self.type: str | None = None
        self.arguments: list[str] = []
        self.extend(piece)

    def extend(self, piece: dict[str, Any]) -> None:
        """Add a piece. Its name may be the whole one again, or go on where the last one stopped."""
        type, name, arguments = _function(piece)
        self.id = self.id or _text(piece.get("id"))
        self.type = self.type or type
        if name:
            self.name = name if self.name is None or name.startswith(self.name) else self.name + name
        if arguments:
            self.arguments.append(arguments)

    def takes(self, piece: Any) -> bool:
        """Add a piece that is plainly the next one of this call, as nearly all are; else say no."""
        if not isinstance(piece, dict) or piece.get("index") != self.index or piece.get("id"):
            return False
        function = piece.get("function")
        if not isinstance(function, dict) or function.get("name") or "custom" in piece:
            return False
        arguments = function.get("arguments")
        if type(arguments) is not str:
            return False
        self.arguments.append(arguments)
        return True

    def whole(self) -> bool:
        """Whether the arguments so far are a finished JSON text."""
        try:
            json.loads("".join(self.arguments))
        except (ValueError, RecursionError):
            return False
        return True

    def finish(self) -> ToolCall:
        return ToolCall(self.id, self.name, "".join(self.arguments), self.type or "function")


def _function(piece: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    """Type, name and arguments; an OpenAI custom tool has its own object, with `input`."""
    type = _text(piece.get("type"))
    function, custom = piece.get("function"), piece.get("custom")
    if isinstance(custom, dict) and (custom.get("name") or custom.get("input")):
        return type or "custom", _text(custom.get("name")), _arguments(custom.get("input"))
    if isinstance(function, dict):
        return type, _text(function.get("name")), _arguments(function.get("arguments"))
    return type, None, None


def _arguments(value: Any) -> str | None:
    """Arguments as JSON text; some gateways send them decoded."""
    if value is None or isinstance(value, str):
        return value
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    except RecursionError:
        return None


def _index(piece: dict[str, Any]) -> int | None:
    index = piece.get("index")
    return index if type(index) is int else None


def _text(value: Any) -> str | None:
    return value if value and isinstance(value, str) else None
