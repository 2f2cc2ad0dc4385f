"""Who answers: from host to the provider's name.

Names are those of the OpenTelemetry conventions (`gen_ai.provider.name`) where they have one. The
host is all that a transport knows: behind a proxy somebody else may have answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

_PROVIDERS = {
    "api.openai.com": "openai",
    "openai.azure.com": "azure.ai.openai",
    "openai.azure.us": "azure.ai.openai",
    "openai.azure.cn": "azure.ai.openai",
    "services.ai.azure.com": "azure.ai.openai",
    "cognitiveservices.azure.com": "azure.ai.openai",
    "models.ai.azure.com": "azure.ai.inference",
    "inference.ai.azure.com": "azure.ai.inference",
    "api.anthropic.com": "anthropic",
    "amazonaws.com": "aws.bedrock",
    "amazonaws.com.cn": "aws.bedrock",
    "api.aws": "aws.bedrock",
    "api.cohere.com": "cohere",
    "api.cohere.ai": "cohere",
    "api.deepseek.com": "deepseek",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "api.groq.com": "groq",
    "ml.cloud.ibm.com": "ibm.watsonx.ai",
    "api.mistral.ai": "mistral_ai",
    "codestral.mistral.ai": "mistral_ai",
    "api.moonshot.ai": "moonshot_ai",
    "api.moonshot.cn": "moonshot_ai",
    "api.perplexity.ai": "perplexity",
    "api.x.ai": "x_ai",
    "api.ai21.com": "ai21",
    "api.avian.io": "avian",
    "inference.baseten.co": "baseten",
    "api.cerebras.ai": "cerebras",
    "api.cloudflare.com": "cloudflare",
    "gateway.ai.cloudflare.com": "cloudflare",
    "inference.crusoecloud.com": "crusoe",
    "dashscope.aliyuncs.com": "dashscope",
    "dashscope-intl.aliyuncs.com": "dashscope",
    "dashscope-us.aliyuncs.com": "dashscope",
    "azuredatabricks.net": "databricks",
    "cloud.databricks.com": "databricks",
    "gcp.databricks.com": "databricks",
    "api.deepinfra.com": "deepinfra",
    "api.fireworks.ai": "fireworks",
    "models.github.ai": "github",
    "api.githubcopilot.com": "github",
    "inference.heroku.com": "heroku",
    "router.huggingface.co": "huggingface",
    "api-inference.huggingface.co": "huggingface",
    "endpoints.huggingface.cloud": "huggingface",
    "api.hyperbolic.xyz": "hyperbolic",
    "api.minimax.io": "minimax",
    "api.minimaxi.com": "minimax",
    "api.minimax.chat": "minimax",
    "api.studio.nebius.ai": "nebius",
    "api.studio.nebius.com": "nebius",
    "tokenfactory.nebius.com": "nebius",
    "api.novita.ai": "novita",
    "integrate.api.nvidia.com": "nvidia",
    "ollama.com": "ollama",
    "openrouter.ai": "openrouter",
    "endpoints.kepler.ai.cloud.ovh.net": "ovhcloud",
    "api.sambanova.ai": "sambanova",
    "api.scaleway.ai": "scaleway",
    "api.siliconflow.cn": "siliconflow",
    "api.siliconflow.com": "siliconflow",
    "snowflakecomputing.com": "snowflake",
    "api.together.ai": "together_ai",
    "api.together.xyz": "together_ai",
    "ai-gateway.vercel.sh": "vercel",
    "volces.com": "volcengine",
    "api.z.ai": "z_ai",
    "open.bigmodel.cn": "z_ai",
}

_ANYBODYS = {"elb", "compute", "compute-1", "execute-api"}
"""Labels of AWS hosts behind which a customer's own server answers."""


def provider_for(host: str, port: int | None, named: Mapping[str, str]) -> str:
    """The provider's name; a host that nobody knows is its own.

    `named` are the user's own names by `host` or `host:port`, which come first. A known name counts
    only from a label's start: `eu.api.openai.com` is OpenAI's, `notopenai.azure.com` is not Azure's.
    """
    host = host.lower()
    if named:
        bare = f"[{host}]" if ":" in host and not host.startswith("[") else host
        for wanted in (f"{bare}:{port}", bare, host):
            for name, provider in named.items():
                if name.lower() == wanted:
                    return provider
    return _known_provider(host)


@lru_cache(maxsize=1024)
def _known_provider(host: str) -> str:
    labels = host.rstrip(".").split(".")
    for start in range(len(labels) - 1):
        suffix = ".".join(labels[start:])
        if suffix.endswith("-aiplatform.googleapis.com"):
            return "gcp.vertex_ai"
        if provider := _PROVIDERS.get(suffix):
            anybodys = provider == "aws.bedrock" and not _ANYBODYS.isdisjoint(labels)
            return host if anybodys else provider
    return host
