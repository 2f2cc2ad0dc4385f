"""What was said in one call: the messages that were sent, and the answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from .calls import counted
from .page import Page
from .text import json_text, styled

if TYPE_CHECKING:
    from ..call import AnswerHalf, Choice, Message, ToolCall

_STYLES = {"system": "yellow", "developer": "yellow", "user": "cyan", "assistant": "green", "tool": "magenta"}
_LAST_MESSAGES = 6
_LONGEST_PART = 120


def print_conversation(page: Page, messages: Sequence[Message]) -> None:
    """The messages as they were sent; of a long conversation the instructions and the last ones."""
    page.heading("Conversation", counted(len(messages), "message"))
    first = 0 if page.full else _first_shown(messages)
    skipped = 0
    for index, message in enumerate(messages):
        if index < first and message.role not in ("system", "developer"):
            skipped += 1
            continue
        if skipped and index >= first:
            page.remark(f"… {counted(skipped, 'message')} before")
            skipped = 0
        _print_message(page, message)


def print_answer(page: Page, answer: AnswerHalf) -> None:
    """Every choice: its reasoning dimmed, what it says, the tools that it calls, why it ended."""
    for choice in answer.choices:
        number = f"{choice.index} " if len(answer.choices) > 1 else ""
        page.heading(f"Answer {number}".rstrip(), choice.finish_reason or "no finish reason")
        _print_choice(page, choice)


def print_body(page: Page, text: str) -> None:
    """An answer that has no choices, as it came: an error, or something that is no chat at all."""
    page.heading("Answer", "as it came")
    page.block(Text("body", style="dim"), text)


def tool_name(tool: Any) -> str:
    """The name of a tool definition, or its type where it has none."""
    if isinstance(tool, dict):
        function = tool.get("function")
        for place in (function if isinstance(function, dict) else {}, tool):
            if isinstance(name := place.get("name"), str):
                return name
        if isinstance(kind := tool.get("type"), str):
            return kind
    return "?"


def content_text(content: str | list[Any] | None) -> str | None:
    """Content as text: parts one after another, what is no text in a few words, thinking left out."""
    return content if content is None or isinstance(content, str) else "\n".join(_parts(content))


def _first_shown(messages: Sequence[Message]) -> int:
    # Leaving out fewer than three saves nothing.
    return len(messages) - _LAST_MESSAGES if len(messages) >= _LAST_MESSAGES + 3 else 0


def _print_message(page: Page, message: Message) -> None:
    role = message.role or "no role"
    title = styled(role, _STYLES.get(role, "bold"))
    for detail in (message.name, message.tool_call_id):
        if detail:
            title.append(" ").append_text(styled(detail, "dim"))
    if message.reasoning:
        page.block(title, message.reasoning, "dim")
        title = styled("says", "dim")
    if message.reasoning is None or message.content:
        page.block(title, content_text(message.content))
    _print_tool_calls(page, message.tool_calls)


def _print_choice(page: Page, choice: Choice) -> None:
    if choice.reasoning:
        page.block(Text("reasoning", style="dim"), choice.reasoning, "dim")
    if content := content_text(choice.content):
        page.block(styled(choice.role or "assistant", _STYLES["assistant"]), content)
    if choice.refusal:
        page.block(Text("refusal", style="yellow"), choice.refusal)
    legacy = () if choice.function_call is None else (choice.function_call,)
    _print_tool_calls(page, choice.tool_calls + legacy)


def _print_tool_calls(page: Page, calls: Sequence[ToolCall]) -> None:
    for call in calls:
        title = Text("calls ", style="magenta").append_text(styled(call.name or "?", "bold"))
        if call.id:
            title.append(" ").append_text(styled(call.id, "dim"))
        page.block(title, call.arguments)


def _parts(parts: Sequence[Any]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, dict):
            kind = part.get("type")
            if kind in ("thinking", "reasoning"):
                continue
            if kind == "text" and isinstance(part.get("text"), str):
                yield part["text"]
                continue
        text = part if isinstance(part, str) else json_text(part, indent=None)
        yield text if len(text) <= _LONGEST_PART else f"{text[:_LONGEST_PART]}… ({len(text):,} characters)"
