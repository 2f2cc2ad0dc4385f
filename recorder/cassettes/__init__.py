"""Cassettes: recorded exchanges, matched to requests and played back."""

from .concerns import check_age, check_unused
from .heads import Heads
from .lanes import named_lane
from .matching import Matching
from .options import CassetteOptions, Mode, OnMiss, Pace, Repeat, Use, use
from .report import SessionReport
from .session import Session
from .slot import Slot
from .source import CassetteSource, Recorded
from .undecided import Undecided
from .variant_source import Select, VariantSource
from .variants import vary
from .variation import Changes, variation

__all__ = [
    "CassetteOptions",
    "CassetteSource",
    "Changes",
    "Heads",
    "Matching",
    "Mode",
    "OnMiss",
    "Pace",
    "Recorded",
    "Repeat",
    "Select",
    "Session",
    "SessionReport",
    "Slot",
    "Undecided",
    "Use",
    "VariantSource",
    "check_age",
    "check_unused",
    "named_lane",
    "use",
    "variation",
    "vary",
]
