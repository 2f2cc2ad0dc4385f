"""Metrics: which there are in each version, with which buckets and attributes, and for which calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from recorder.telemetry.modalities import split
from recorder.telemetry.names import SECONDS, TOKENS

from .drivers import Reply
from .otel import Otel, ask, completion, recording, streamed

COMMON = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5",
    "gen_ai.response.model": "gpt-5-2026",
    "server.address": "api.openai.com",
    "server.port": 443,
}


def test_a_call_counts_its_duration_and_tokens(otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path) as rec:
        ask(rec, completion(service_tier="default", system_fingerprint="fp"), {"temperature": 0.5})
    metrics = otel.metrics()
    assert set(metrics) == {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"}
    (duration,) = metrics["gen_ai.client.operation.duration"]
    assert duration.attributes == {**COMMON, "openai.response.service_tier": "default"}
    assert duration.bounds == SECONDS
    assert duration.sum == ((otel.span.end_time or 0) - (otel.span.start_time or 0)) / 1e9
    usage = metrics["gen_ai.client.token.usage"]
    assert {point.attributes["gen_ai.token.type"]: point.sum for point in usage} == {"input": 10, "output": 8}
    assert usage[0].bounds == TOKENS


def test_a_stream_counts_its_first_chunk_and_each_one_after_it(otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path) as rec:
        ask(rec, streamed("a", "b", "c"), {"stream": True})
    metrics = otel.metrics()
    (first,) = metrics["gen_ai.client.operation.time_to_first_chunk"]
    (between,) = metrics["gen_ai.client.operation.time_per_output_chunk"]
    assert (first.count, first.bounds, between.count, between.bounds) == (1, SECONDS, 3, SECONDS)
    assert first.sum == otel.attributes["gen_ai.response.time_to_first_chunk"]
    assert "gen_ai.client.token.usage" not in metrics


def test_a_failure_counts_its_duration_under_its_type_alone(otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path) as rec:
        ask(rec, [Reply(status=429, chunks=[b'{"error":{"code":"rate_limited"}}']), completion()])
    points = otel.metrics()["gen_ai.client.operation.duration"]
    assert [point.attributes.get("error.type") for point in points] == ["rate_limited", None]


def test_the_main_branch_has_counters_by_modality(otel: Otel, tmp_path: Path) -> None:
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 8,
        "prompt_tokens_details": {"audio_tokens": 4, "cached_tokens": 2, "cache_write_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    with recording(otel, tmp_path, semconv="latest") as rec:
        ask(rec, completion(usage=usage))
    metrics = otel.metrics()
    stem = "gen_ai.client.inference"
    assert set(metrics) == {
        f"{stem}.duration",
        f"{stem}.usage.input_tokens",
        f"{stem}.usage.output_tokens",
        f"{stem}.usage.cache_read.input_tokens",
        f"{stem}.usage.cache_write.input_tokens",
        f"{stem}.usage.reasoning.output_tokens",
        f"{stem}.operation.input_tokens",
        f"{stem}.operation.output_tokens",
    }
    inputs = metrics[f"{stem}.usage.input_tokens"]
    by_kind = {point.attributes["gen_ai.token.modality"]: point.sum for point in inputs}
    assert by_kind == {"audio": 4, "unknown": 6}
    assert metrics[f"{stem}.operation.output_tokens"][0].sum == 8
    assert otel.attributes["gen_ai.usage.cache_write.input_tokens"] == 1
    assert otel.attributes["gen_ai.usage.audio.input_tokens"] == 4


def test_the_main_branch_counts_nothing_for_what_was_not_reported(otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path, semconv="latest") as rec:
        ask(rec, Reply(status=500, chunks=[b"no"]))
    (point,) = otel.metrics()["gen_ai.client.inference.usage.input_tokens"]
    assert (point.sum, point.attributes["gen_ai.token.modality"]) == (0, "unknown")
    assert "gen_ai.client.inference.usage.cache_read.input_tokens" not in otel.metrics()


def test_other_operations_keep_the_common_name(otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path, semconv="latest", record_paths=["/embeddings", "/models"]) as rec:
        ask(rec, Reply(), url="https://api.openai.com/v1/embeddings")
        ask(rec, Reply(), url="https://api.openai.com/v1/models")
    metrics = otel.metrics()
    (point,) = metrics["gen_ai.client.operation.duration"]
    assert (set(metrics), point.attributes["gen_ai.operation.name"]) == (
        {"gen_ai.client.operation.duration"},
        "embeddings",
    )


@pytest.mark.parametrize(
    ("usage", "total", "parts"),
    [
        (None, 5, {"unknown": 5}),
        ({"prompt_tokens_details": {"text_tokens": 3, "image_tokens": 2}}, 5, {"text": 3, "image": 2}),
        ({"prompt_tokens_details": {"text_tokens": 9}}, 5, {"unknown": 5}),
        ({"prompt_tokens_details": "odd"}, 0, {"unknown": 0}),
        ({"prompt_tokens_details": {"audio_tokens": True, "text_tokens": -1}}, 1, {"unknown": 1}),
    ],
)
def test_modalities_add_up(usage: object, total: int, parts: dict[str, int]) -> None:
    assert split(usage, "input", total) == parts


def test_metrics_need_no_tracer(otel: Otel, tmp_path: Path) -> None:
    with recording(otel, tmp_path, tracer_provider=None) as rec:
        ask(rec, completion())
    assert otel.metrics()["gen_ai.client.operation.duration"][0].count == 1
