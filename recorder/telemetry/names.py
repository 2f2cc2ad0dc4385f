"""The table of names: what the GenAI conventions call things, by version; one Recorder uses one of them."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

Semconv = Literal["1.41", "latest"]

SCOPE: Final = "recorder"
"""The name of the instrumentation scope of all spans, metrics and events."""

INFERENCES: Final = frozenset({"chat", "text_completion", "generate_content"})
"""The operations that are inferences."""

UNKNOWN: Final = "request"
"""The operation of a request that nobody can read."""

SECONDS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS: Final = tuple(4**power for power in range(14))
"""The conventions' bucket boundaries."""

DETAILS_EVENT: Final = "gen_ai.client.inference.operation.details"
EXCEPTION_EVENT: Final = "gen_ai.client.operation.exception"

OPERATION_DURATION: Final = "gen_ai.client.operation.duration"
"""Of every operation that has no name of its own."""


class Counters(Struct, frozen=True):
    """The counters of tokens, where the conventions have counters."""

    input: str
    output: str
    cached: str
    cache_write: str
    reasoning: str


class Names(Struct, frozen=True):
    """What one version calls the things that have other names in another.

    `token_usage` is one histogram with a type attribute; where there is none there are `counters`, and the
    histograms `input_tokens` and `output_tokens`. `whole_top_k` says that `top_k` is an integer. `modalities`
    says that tokens are told apart as text, image and audio.
    """

    schema_url: str | None
    cache_write: str
    duration: str
    first_chunk: str
    per_chunk: str
    token_usage: str | None = None
    counters: Counters | None = None
    input_tokens: str = ""
    output_tokens: str = ""
    whole_top_k: bool = False
    modalities: bool = False


NAMES: Final[dict[Semconv, Names]] = {
    "1.41": Names(
        schema_url="https://opentelemetry.io/schemas/1.41.1",
        cache_write="gen_ai.usage.cache_creation.input_tokens",
        duration=OPERATION_DURATION,
        first_chunk="gen_ai.client.operation.time_to_first_chunk",
        per_chunk="gen_ai.client.operation.time_per_output_chunk",
        token_usage="gen_ai.client.token.usage",
    ),
    "latest": Names(
        schema_url=None,  # not released, and so not published
        cache_write="gen_ai.usage.cache_write.input_tokens",
        duration="gen_ai.client.inference.duration",
        first_chunk="gen_ai.client.inference.time_to_first_chunk",
        per_chunk="gen_ai.client.inference.time_per_output_chunk",
        counters=Counters(
            input="gen_ai.client.inference.usage.input_tokens",
            output="gen_ai.client.inference.usage.output_tokens",
            cached="gen_ai.client.inference.usage.cache_read.input_tokens",
            cache_write="gen_ai.client.inference.usage.cache_write.input_tokens",
            reasoning="gen_ai.client.inference.usage.reasoning.output_tokens",
        ),
        input_tokens="gen_ai.client.inference.operation.input_tokens",
        output_tokens="gen_ai.client.inference.operation.output_tokens",
        whole_top_k=True,
        modalities=True,
    ),
}
