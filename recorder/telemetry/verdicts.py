"""What a sampler decides, as far as that can be known without asking it for each call."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.sdk.trace.sampling import Decision, ParentBased, StaticSampler, TraceIdRatioBased

_CHOICES: Final = (
    "_root",
    "_local_parent_not_sampled",
    "_local_parent_sampled",
    "_remote_parent_not_sampled",
    "_remote_parent_sampled",
)
_BY_PARENT: Final = ParentBased.should_sample
_STATIC: Final = StaticSampler.should_sample
_BY_ID: Final = TraceIdRatioBased.should_sample
_BLIND: Final = (_BY_PARENT, _STATIC, _BY_ID)

Verdicts = tuple[Decision | None, ...]
"""The decision for a root, and for each kind of parent, at 1, one more if that is sampled and two if it is remote; None
where the sampler has to be asked."""


def is_blind(sampler: Any) -> bool:
    """Whether a sampler is one of the SDK's that do not look at attributes, and hand them on as they are."""
    decides = getattr(type(sampler), "should_sample", None)
    if decides not in _BLIND or "should_sample" in vars(sampler):  # where somebody may have put one of his
        return False
    return decides is not _BY_PARENT or all(is_blind(getattr(sampler, choice)) for choice in _CHOICES)


def verdicts_of(sampler: Any) -> Verdicts:
    """What a blind sampler decides."""
    decides = type(sampler).should_sample
    if decides is _STATIC:
        return (sampler._decision,) * len(_CHOICES)
    if decides is _BY_PARENT:
        return tuple(verdicts_of(getattr(sampler, choice))[at] for at, choice in enumerate(_CHOICES))
    return (None,) * len(_CHOICES)
