"""The values of `error.type` on spans and metrics: a closed list, since each value is a time series of its own.

A row keeps the provider's own code, whatever that is.
"""

from __future__ import annotations

from typing import Final

OTHER: Final = "_OTHER"


def error_type(said: str, exception: str | None, status: int | None) -> str:
    """What a failure is called: `said` is what its row calls it.

    In this order: the name of the exception's class where the transport raised one, qualified unless it is Python's
    own; the provider's code or type if it is one of `PROVIDER_CODES`, or an HTTP status; the answer's own HTTP
    status; `_OTHER`.
    """
    if exception is not None:
        return exception.removeprefix("builtins.")
    if said in PROVIDER_CODES or _is_failure(said):
        return said
    return str(status) if status is not None and 400 <= status < 600 else OTHER


def _is_failure(said: str) -> bool:
    """Whether a code is an HTTP status of a failure."""
    return len(said) == 3 and said[0] in "45" and said.isascii() and said.isdigit()


def _codes(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


PROVIDER_CODES: Final = _codes(
    # OpenAI, and who speaks its protocol
    "account_deactivated array_above_max_length authentication_error billing_hard_limit_reached billing_not_active",
    "content_filter content_policy_violation context_length_exceeded decimal_above_max_value",
    "decimal_below_min_value insufficient_quota integer_above_max_value integer_below_min_value internal_error",
    "internal_server_error invalid_api_key invalid_base64 invalid_function_parameters invalid_image",
    "invalid_image_format invalid_image_url invalid_organization invalid_prompt invalid_request_error invalid_type",
    "invalid_value missing_required_parameter model_not_found model_not_supported not_found_error permission_denied",
    "previous_response_not_found rate_limit_exceeded requests server_error server_overloaded service_unavailable",
    "string_above_max_length string_below_min_length tokens unknown_error unknown_parameter unknown_url",
    "unsupported_country_region_territory unsupported_model unsupported_parameter unsupported_value",
    # Anthropic
    "api_error billing_error not_found_error overloaded_error permission_error rate_limit_error request_too_large",
    "timeout_error",
    # Azure
    "DeploymentNotFound InternalServerError OperationNotSupported ResponsibleAIPolicyViolation Unauthorized",
    # Google
    "ABORTED ALREADY_EXISTS CANCELLED DATA_LOSS DEADLINE_EXCEEDED FAILED_PRECONDITION INTERNAL INVALID_ARGUMENT",
    "NOT_FOUND OUT_OF_RANGE PERMISSION_DENIED RESOURCE_EXHAUSTED UNAUTHENTICATED UNAVAILABLE UNIMPLEMENTED UNKNOWN",
    # Groq, Mistral, Moonshot, Together, vLLM
    "json_validate_failed model_decommissioned model_terms_required over_capacity tool_use_failed",
    "invalid_model invalid_request_invalid_args rate_limited service_tier_capacity_exceeded unauthorized",
    "engine_overloaded_error exceeded_current_quota_error invalid_authentication_error rate_limit_reached_error",
    "resource_not_found_error model_error model_not_available",
    "AuthenticationError BadRequestError NotFoundError RateLimitError",
)
"""The codes and types of providers that are told apart; all others are told by the answer's status."""
