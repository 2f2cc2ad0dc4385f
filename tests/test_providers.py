"""From hosts to providers."""

from __future__ import annotations

import pytest

from recorder.dialects import provider_for


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("api.openai.com", "openai"),
        ("eu.api.openai.com", "openai"),
        ("API.OpenAI.com", "openai"),
        ("api.openai.com.", "openai"),
        ("unit.openai.azure.com", "azure.ai.openai"),
        ("unit.services.ai.azure.com", "azure.ai.openai"),
        ("unit.cognitiveservices.azure.com", "azure.ai.openai"),
        ("api.deepseek.com", "deepseek"),
        ("api.mistral.ai", "mistral_ai"),
        ("api.x.ai", "x_ai"),
        ("eu-west-1.api.x.ai", "x_ai"),
        ("api.groq.com", "groq"),
        ("openrouter.ai", "openrouter"),
        ("api.moonshot.cn", "moonshot_ai"),
        ("api.moonshot.ai", "moonshot_ai"),
        ("api.perplexity.ai", "perplexity"),
        ("api.cohere.ai", "cohere"),
        ("bedrock-runtime.us-east-1.amazonaws.com", "aws.bedrock"),
        ("bedrock-mantle.us-east-1.api.aws", "aws.bedrock"),
        ("generativelanguage.googleapis.com", "gcp.gemini"),
        ("aiplatform.googleapis.com", "gcp.vertex_ai"),
        ("us-central1-aiplatform.googleapis.com", "gcp.vertex_ai"),
        ("us-south.ml.cloud.ibm.com", "ibm.watsonx.ai"),
        ("router.huggingface.co", "huggingface"),
        ("api.cerebras.ai", "cerebras"),
        ("api.z.ai", "z_ai"),
        ("dashscope-intl.aliyuncs.com", "dashscope"),
        ("account.snowflakecomputing.com", "snowflake"),
    ],
)
def test_known_hosts_have_their_providers_name(host: str, provider: str) -> None:
    assert provider_for(host, 443, {}) == provider


@pytest.mark.parametrize(
    "host",
    [
        "evil-api.openai.com.attacker.net",
        "evil-api.openai.com",
        "notopenai.azure.com",
        "openai.azure.com.example.org",
        "xai.example.org",
        "evil-aiplatform.googleapis.com.example.org",
        "aiplatform.googleapis.com.evil",
        "llm.corp.local",
        "localhost",
        "10.1.2.3",
        "::1",
        "",
        "internal-llm-1234.us-east-1.elb.amazonaws.com",
        "ec2-10-1-2-3.compute-1.amazonaws.com",
    ],
)
def test_unknown_hosts_are_their_own_provider(host: str) -> None:
    assert provider_for(host, 443, {}) == host


def test_own_names_come_first() -> None:
    assert provider_for("api.openai.com", 443, {"api.openai.com": "our-proxy"}) == "our-proxy"


def test_own_name_with_port_beats_the_one_without() -> None:
    named = {"llm.corp.local": "gateway", "llm.corp.local:8000": "vllm"}
    assert provider_for("llm.corp.local", 8000, named) == "vllm"
    assert provider_for("llm.corp.local", 443, named) == "gateway"


def test_own_names_are_compared_without_case() -> None:
    assert provider_for("llm.corp.local", 80, {"LLM.corp.local": "gateway"}) == "gateway"


@pytest.mark.parametrize("name", ["[::1]:8000", "[::1]", "::1"])
def test_own_names_of_ipv6_hosts(name: str) -> None:
    assert provider_for("::1", 8000, {name: "ours"}) == "ours"
