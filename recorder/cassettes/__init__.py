"""Cassettes: recorded exchanges, matched to requests and played back."""

from .session import Mode, OnMiss, Pace, Session, Slot
from .source import CassetteSource, Recorded

__all__ = ["CassetteSource", "Mode", "OnMiss", "Pace", "Recorded", "Session", "Slot"]
