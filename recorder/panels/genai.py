"""GenAI metrics as Prometheus has them, of every SDK and instrumentation that keeps to the conventions.

No query asks for the name of a job, a scope or an SDK. The conventions 1.41 and their successor call metrics by
different names; a process emits one or the other, so each query takes both. OpenLLMetry counts tokens in a unit of its
own, which is then part of the name, and tells only the model that answered.
"""

from __future__ import annotations

from typing import Final

from .panel import Dashboard, Panel, Query, Shape, Variable

_CHOSEN: Final = 'gen_ai_provider_name=~"$provider", gen_ai_request_model=~"$model"'
_RATED: Final = "[$__rate_interval]"
DURATION: Final = '__name__=~"gen_ai_client_(operation|inference)_duration_seconds_%s"'
_FIRST_CHUNK: Final = '__name__=~"gen_ai_client_(operation|inference)_time_to_first_chunk_seconds_%s"'
_PER_CHUNK: Final = '__name__=~"gen_ai_client_(operation|inference)_time_per_output_chunk_seconds_%s"'
_TOKENS: Final = '__name__=~"gen_ai_client_token_usage(_token)?_sum"'


def _rate(metric: str, part: str, more: str = "", window: str = _RATED) -> str:
    function = "increase" if window == "[$__range]" else "rate"
    return f"{function}({{{metric % part}, {_CHOSEN}{more}}}{window})"


def _tokens(kind: str, window: str = _RATED) -> str:
    """Tokens of a kind: a histogram with a type in 1.41, a counter of its own later."""
    function = "increase" if window == "[$__range]" else "rate"
    histogram = f'{{{_TOKENS}, gen_ai_token_type="{kind}", {_CHOSEN}}}'
    counter = f"gen_ai_client_inference_usage_{kind}_tokens_total{{{_CHOSEN}}}"
    return f"({function}({histogram}{window}) or {function}({counter}{window}))"


def _panel(
    title: str, question: str, shape: Shape, unit: str, *queries: tuple[str, str], small: bool = False
) -> Panel:
    asked = tuple(Query(prometheus=text, legend=legend) for text, legend in queries)
    return Panel(title, question, shape, asked, unit, width=6 if small else 12, height=4 if small else 8)


def _quantiles(metric: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"histogram_quantile(0.{percent}, sum by (le) ({_rate(metric, 'bucket')}))", f"p{percent}")
        for percent in (50, 95, 99)
    )


def _by(label: str, value: str) -> tuple[str, str]:
    return f"sum by ({label}) ({value})", f"{{{{{label}}}}}"


def _with_model(value: str) -> str:
    """The same series with a label `model`: the one that was asked for, else, where untold, the one that answered."""
    served = f'label_replace({value}, "model", "$1", "gen_ai_response_model", "(.+)")'
    return f'label_replace({served}, "model", "$1", "gen_ai_request_model", "(.+)")'


_ALL: Final = f"sum({_rate(DURATION, 'count', window='[$__range]')})"
_FAILED: Final = f"""sum({_rate(DURATION, "count", ', error_type!=""', "[$__range]")})"""
_MODELS: Final = "gen_ai_request_model"
_PROVIDERS: Final = "gen_ai_provider_name"

GENAI: Final = Dashboard(
    "genai",
    "GenAI metrics",
    "Calls, errors, times and tokens of everything that emits the OpenTelemetry GenAI client metrics.",
    ("prometheus",),
    (
        _panel("Calls", "How many calls were there?", "stat", "short", (_ALL, ""), small=True),
        _panel(
            "Error rate",
            "What share of calls failed?",
            "stat",
            "percentunit",
            (f"({_FAILED} or vector(0)) / {_ALL}", ""),
            small=True,
        ),
        _panel(
            "Input tokens",
            "How many tokens were sent?",
            "stat",
            "short",
            (f"sum({_tokens('input', '[$__range]')})", ""),
            small=True,
        ),
        _panel(
            "Output tokens",
            "How many tokens came back?",
            "stat",
            "short",
            (f"sum({_tokens('output', '[$__range]')})", ""),
            small=True,
        ),
        _panel(
            "Calls by model",
            "Which models are called when?",
            "lines",
            "reqps",
            _by("model", _with_model(_rate(DURATION, "count"))),
        ),
        _panel(
            "Calls by provider",
            "Which providers are called when?",
            "lines",
            "reqps",
            _by(_PROVIDERS, _rate(DURATION, "count")),
        ),
        _panel(
            "Errors by type",
            "What kind of error came when?",
            "lines",
            "reqps",
            _by("error_type", _rate(DURATION, "count", ', error_type!=""')),
        ),
        _panel(
            "Error rate by provider",
            "Is it one provider, or all of them?",
            "lines",
            "percentunit",
            (
                f"""sum by ({_PROVIDERS}) ({_rate(DURATION, "count", ', error_type!=""')})"""
                f" / sum by ({_PROVIDERS}) ({_rate(DURATION, 'count')})",
                f"{{{{{_PROVIDERS}}}}}",
            ),
        ),
        _panel("Duration", "How long do calls take?", "lines", "s", *_quantiles(DURATION)),
        _panel(
            "Duration by model, p95",
            "Which models are slow?",
            "lines",
            "s",
            (
                f"histogram_quantile(0.95, sum by (le, model) ({_with_model(_rate(DURATION, 'bucket'))}))",
                "{{model}}",
            ),
        ),
        _panel("First chunk", "How long until a stream begins?", "lines", "s", *_quantiles(_FIRST_CHUNK)),
        _panel("Between chunks", "Do streams stall?", "lines", "s", *_quantiles(_PER_CHUNK)),
        _panel(
            "Tokens",
            "How many tokens a second go in and come out?",
            "lines",
            "short",
            (f"sum({_tokens('input')})", "input"),
            (f"sum({_tokens('output')})", "output"),
        ),
        _panel(
            "Output tokens by model",
            "Which models write most?",
            "lines",
            "short",
            _by("model", _with_model(_tokens("output"))),
        ),
    ),
    (
        Variable(
            "provider",
            "Provider",
            Query(prometheus=f"label_values({{{DURATION % 'count'}}}, {_PROVIDERS})"),
        ),
        Variable(
            "model",
            "Model",
            Query(prometheus=f"label_values({{{DURATION % 'count'}}}, {_MODELS})"),
        ),
    ),
    since="now-6h",
)
