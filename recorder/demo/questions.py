"""What the demo asks."""

from __future__ import annotations

QUESTION = [
    {"role": "user", "content": "How do I delete a team member from an org given user and org tables?"}
]
WEATHER = [{"role": "user", "content": "What is the weather in Hangzhou?"}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather of a city",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]
