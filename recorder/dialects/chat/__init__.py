"""The dialect of chat completions, and what only it has."""

from .chat import Chat
from .messages import read_messages, read_tools
from .usage_on_request import UsageFilter, ask_usage

__all__ = ["Chat", "UsageFilter", "ask_usage", "read_messages", "read_tools"]
